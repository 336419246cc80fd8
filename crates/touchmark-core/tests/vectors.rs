//! The contract: spec/vectors/statements.json, hand-overs.json, anchors.json and
//! status-proof.json.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

#[allow(dead_code, unused_imports, reason = "the other tests use all of it")]
#[path = "rules/ledger/mod.rs"]
mod ledger;

use ledger::{Ledger, Seen};
use serde_json::Value;
use touchmark_core::admission::{self, OneByOne, Submission};
use touchmark_core::channel::opening::Opening;
use touchmark_core::verdict::{self, Accepted, CertificateKind, Trust, TrustedAnchor, Verdict};
use touchmark_testkit::vectors::cosigned_checkpoint;
use touchmark_wire::algorithm::{CoseKey, PureVerifier, SignatureVerifier};
use touchmark_wire::bundle::Bundle;
use touchmark_wire::genesis::{Committee, Genesis, RULES_VERSION};
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{NetworkId, ThingId, TreeSize};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::merkle;
use touchmark_wire::ratchet::{Ratchet, RatchetError};
use touchmark_wire::registry::{RefusalCode, StatementKind};
use touchmark_wire::statement::{Signatures, Statement};

fn vectors() -> Value {
    file("statements")
}

fn file(name: &str) -> Value {
    let path = format!("{}/../../spec/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("no {field} in {case}"))
}

fn bytes(case: &Value, field: &str) -> Vec<u8> {
    let text = text(case, field);
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn digest(case: &Value, field: &str) -> Digest {
    Digest(bytes(case, field).try_into().unwrap())
}

/// The ledger after all accepted ones.
fn accepted(vectors: &Value) -> Ledger {
    let committee = Committee::decode(&bytes(vectors, "committee")).unwrap();
    let mut ledger = Ledger::begun_by(NetworkId(digest(vectors, "network")), committee);
    for case in vectors["accepted"].as_array().unwrap() {
        assert_eq!(ledger.see(&bytes(case, "bytes")), Seen::Accepted, "{}", case["name"]);
    }
    ledger
}

#[test]
fn accepted_ones_are_accepted_in_their_order() {
    let vectors = vectors();
    let ledger = accepted(&vectors);
    let cases = vectors["accepted"].as_array().unwrap();
    assert_eq!(ledger.leaves.len(), cases.len());
    for (case, leaf) in cases.iter().zip(&ledger.leaves) {
        assert_eq!(leaf, &bytes(case, "bytes"));
        assert_eq!(merkle::leaf_hash(leaf), digest(case, "leaf_hash"));
        let admitted = admission::admit(vec![leaf.clone()], &ledger, &OneByOne).remove(0).unwrap();
        assert_eq!(admitted.id(), digest(case, "id"));
        if let Submission::Statement(statement) = admitted {
            assert_eq!(statement.issuer().to_string(), text(case, "issuer"));
            assert_eq!(statement.link().kind.to_string(), text(case, "kind"));
            assert_eq!(u64::from(statement.link().sequence.0), case["sequence"].as_u64().unwrap());
            assert_eq!(statement.payload(), bytes(case, "payload"));
            let opened = (statement.link().kind == StatementKind::CHANNEL)
                .then(|| Opening::id_of(statement.issuer(), statement.payload()));
            let channel = statement.link().channel.or(opened).map(|channel| channel.to_string());
            assert_eq!(channel.as_deref(), case["channel"].as_str());
        }
    }
}

#[test]
fn signatures_verify_under_the_keys_beside_them() {
    for case in vectors()["accepted"].as_array().unwrap() {
        let encoded = bytes(case, "bytes");
        let Ok(Leaf::Accepted(encoded)) = Leaf::decode(&encoded) else { continue };
        let statement = Statement::parse(encoded).unwrap();
        let signers = case["signers"].as_array().unwrap();
        let key =
            |at: usize| CoseKey::decode(&bytes(&signers[at], "cose_key")).unwrap().check().unwrap();
        match statement.signatures() {
            Signatures::One(signature) => {
                let structure = statement.sig_structure();
                let message = structure.signed_bytes();
                assert_eq!(PureVerifier.verify(&key(0), &message, signature), Ok(()));
            }
            Signatures::Many(many) => {
                assert_eq!(many.len(), signers.len());
                for (at, signer) in many.iter().enumerate() {
                    let structure = statement.sig_structure_of(&signer);
                    let message = structure.signed_bytes();
                    assert_eq!(PureVerifier.verify(&key(at), &message, signer.signature()), Ok(()));
                    assert_eq!(signer.kid().thing.to_string(), text(&signers[at], "thing"));
                }
            }
        }
    }
}

#[test]
fn refused_ones_end_as_they_say() {
    let vectors = vectors();
    let ledger = accepted(&vectors);
    for case in vectors["refused"].as_array().unwrap() {
        let code = RefusalCode::from_name(text(case, "code")).unwrap();
        let expected = match text(case, "outcome") {
            "refused" => Seen::Refused(code),
            "denied" => Seen::Denied(code),
            "sighted" => Seen::Sighted(code),
            "forked" => Seen::Forked,
            other => panic!("outcome {other}"),
        };
        let mut ledger = ledger.clone();
        assert_eq!(ledger.see(&bytes(case, "bytes")), expected, "{}", case["name"]);
    }
}

/// Every code that admission and rules give is in the file.
#[test]
fn every_code_is_covered() {
    let vectors = vectors();
    let covered: Vec<_> =
        vectors["refused"].as_array().unwrap().iter().map(|case| text(case, "code")).collect();
    for row in RefusalCode::ROWS {
        let edges = [RefusalCode::QUOTA, RefusalCode::FORBIDDEN, RefusalCode::NOT_FOUND];
        let ours = row.number < 500 && !edges.iter().any(|code| u64::from(code.0) == row.number);
        assert_eq!(covered.contains(&row.name), ours, "{}", row.name);
    }
}

/// How a bundle of hand-overs.json is judged by who trusts its network.
fn judged(vectors: &Value, case: &Value, bundle: &[u8]) -> Verdict {
    let nonce = case["nonce"].is_string().then(|| bytes(case, "nonce"));
    let network = Some(NetworkId(digest(vectors, "network")));
    verdict::judge(bundle, &Trust { network, nonce: nonce.as_deref(), ..Trust::default() })
}

#[test]
fn bundles_lead_over_hand_overs_as_they_say() {
    let vectors = file("hand-overs");
    let bundles = vectors["bundles"].as_array().unwrap();
    assert!(bundles.len() > 15);
    for case in bundles {
        let verdict = judged(&vectors, case, &bytes(case, "bytes"));
        let name = &case["name"];
        assert_eq!(Some(verdict.valid), case["valid"].as_bool(), "{name}: {:?}", verdict.checks);
        let failed = verdict.failure();
        assert_eq!(failed.map(|check| &*check.name), case["check"].as_str(), "{name}");
        assert_eq!(failed.and_then(|check| check.code), case["code"].as_str(), "{name}");
    }
}

/// Heights and committees of all valid bundles are those of one history.
#[test]
fn a_ratchet_goes_from_bundle_to_bundle_and_never_back() {
    let vectors = file("hand-overs");
    let bundles = vectors["bundles"].as_array().unwrap().iter();
    let verdicts = bundles.map(|case| (case, judged(&vectors, case, &bytes(case, "bytes"))));
    let valid: Vec<_> = verdicts.filter(|(_, verdict)| verdict.valid).collect();
    assert!(valid.len() > 4);
    for (case, verdict) in &valid {
        let kept = Ratchet::begin(&verdict.shown().unwrap());
        let encoded = bytes(case, "bytes");
        let bundle = Bundle::decode(&encoded).unwrap();
        assert_eq!(verdict.committees.len(), bundle.handovers.0.len() + 1, "{}", case["name"]);
        assert_eq!(kept.position.header, BatchHeader::digest(bundle.headers[0].0));
        for (_, other) in &valid {
            let next = kept.follow(&other.shown().unwrap());
            let heights = (kept.position.height, other.as_of.unwrap().height);
            match next {
                Ok(next) => assert_eq!(next.position, other.position.unwrap()),
                Err(error) => {
                    let (kept, shown) = heights;
                    assert_eq!(error, RatchetError::Back { kept, shown });
                }
            }
            assert_eq!(next.is_ok(), heights.0 <= heights.1, "{heights:?}");
        }
    }
}

#[test]
fn no_byte_of_a_hand_over_in_a_bundle_can_be_changed() {
    let vectors = file("hand-overs");
    let bundles = vectors["bundles"].as_array().unwrap();
    let case = bundles.iter().find(|case| case["name"] == "after two changes, fresh").unwrap();
    let bundle = bytes(case, "bytes");
    let valid = judged(&vectors, case, &bundle);
    let start = {
        let decoded = Bundle::decode(&bundle).unwrap();
        bundle.len() - touchmark_wire::codec::encode(&decoded.handovers).len()
    };
    // The member's key stands before it.
    for (at, bit) in (start - 1..bundle.len()).zip((0..8).cycle()).step_by(3) {
        let mut changed = bundle.clone();
        changed[at] ^= 1 << bit;
        let verdict = judged(&vectors, case, &changed);
        assert!(valid.valid && !verdict.valid, "byte {at} of {}", bundle.len());
    }
}

/// What a reader wants to know of a log beside its own network's word.
#[test]
fn what_was_seen_before_and_what_another_network_has_count_as_they_say() {
    let vectors = file("anchors");
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() > 35);
    for case in cases {
        let seen = case
            .get("seen")
            .map(|seen| (TreeSize(seen["size"].as_u64().unwrap()), digest(seen, "root")));
        let anchor = case.get("anchor").map(|anchor| TrustedAnchor {
            network: NetworkId(digest(anchor, "network")),
            by: anchor.get("thing").map(|_| ThingId(bytes(anchor, "thing").try_into().unwrap())),
            age: anchor["age"].as_u64(),
        });
        let network = Some(NetworkId(digest(&vectors, "network")));
        let trust = Trust { network, seen, anchor, ..Trust::default() };
        let verdict = verdict::judge(&bytes(case, "bytes"), &trust);
        let name = &case["name"];
        assert_eq!(Some(verdict.valid), case["valid"].as_bool(), "{name}: {:?}", verdict.checks);
        let failed = verdict.failure();
        assert_eq!(failed.map(|check| &*check.name), case["check"].as_str(), "{name}");
        assert_eq!(failed.and_then(|check| check.code), case["code"].as_str(), "{name}");
        assert_eq!(verdict.anchored.is_some(), anchor.is_some() && verdict.valid, "{name}");
    }
}

/// What firmware is tested with: a bit in each part of a proof counts.
#[test]
fn a_proof_of_status_holds_until_a_bit_of_it_changes() {
    let vectors = file("status-proof");
    let bundle = bytes(&vectors, "bundle");
    assert!(judged(&vectors, &vectors, &bundle).valid);
    let regions = vectors["regions"].as_array().unwrap().iter();
    let certified: Vec<_> = regions.filter(|it| it["certified"] == true).collect();
    assert!(certified.len() > 8);
    for region in certified {
        let [start, end] = ["start", "end"].map(|it| region[it].as_u64().unwrap() as usize);
        for at in (start..end).step_by(23).chain([end - 1]) {
            let mut changed = bundle.clone();
            changed[at] ^= 1 << (at % 8);
            let valid = judged(&vectors, &vectors, &changed).valid;
            assert!(!valid, "{}, byte {at}", region["name"]);
        }
    }
}

fn judged_on(vectors: &Value, bundle: &[u8], certificates: Accepted) -> Verdict {
    let network = Some(NetworkId(digest(vectors, "network")));
    verdict::judge(bundle, &Trust { network, certificates, ..Trust::default() })
}

/// Name and code of the first check that does not hold.
fn fault(verdict: &Verdict) -> Option<(&str, &str)> {
    let failed = verdict.failure()?;
    Some((&*failed.name, failed.code.unwrap()))
}

#[test]
fn cosignatures_stand_for_the_engines_certificate_where_they_are_accepted() {
    let vectors = file("status-proof");
    let whole = bytes(&vectors, "bundle");
    let [engine, cosigned] = CertificateKind::ALL.map(Accepted::Only);
    let with = |change: &dyn Fn(&mut Bundle<'_>)| {
        let mut bundle = Bundle::decode(&whole).unwrap();
        change(&mut bundle);
        bundle.encode_to_vec()
    };
    let bare = with(&|it| (it.headers, it.certificate) = (Vec::new(), None));
    let unsigned = with(&|it| it.note = None);
    for (bundle, accepted, rests) in [
        (&whole, Accepted::Either, CertificateKind::Engine),
        (&whole, engine, CertificateKind::Engine),
        (&whole, cosigned, CertificateKind::Cosigned),
        (&bare, Accepted::Either, CertificateKind::Cosigned),
        (&bare, cosigned, CertificateKind::Cosigned),
        (&unsigned, Accepted::Either, CertificateKind::Engine),
    ] {
        let verdict = judged_on(&vectors, bundle, accepted);
        assert_eq!((verdict.valid, verdict.certificate), (true, Some(rests)), "{verdict:?}");
        let is_named = |name| verdict.checks.iter().any(|check| check.name == name);
        let names = (is_named("certificate"), is_named("cosignatures"));
        assert_eq!(names, (rests == CertificateKind::Engine, rests == CertificateKind::Cosigned));
        // Only what the engine certified has a height that a ratchet can compare.
        assert_eq!(verdict.shown().is_some(), rests == CertificateKind::Engine);
        assert_eq!(verdict.as_of, judged_on(&vectors, &whole, engine).as_of);
        assert_eq!(verdict.committees.len(), 2);
    }
    let other = "TM-OTHER-CERTIFICATE";
    let few = |it: &mut Bundle<'_>| {
        let note = it.note.unwrap();
        let kept = note.trim_end().rfind('\n').unwrap() + 1;
        it.note = Some(&note[..kept]);
        (it.headers, it.certificate) = (Vec::new(), None);
    };
    for (bundle, accepted, expected) in [
        (&bare, engine, ("certificate", other)),
        (&unsigned, cosigned, ("cosignatures", other)),
        (&with(&few), Accepted::Either, ("cosignatures", "TM-CERTIFICATE")),
        (
            &with(&|it| (it.headers, it.certificate, it.note) = (Vec::new(), None, None)),
            Accepted::Either,
            ("format", "TM-MALFORMED"),
        ),
        (&with(&|it| it.headers = Vec::new()), Accepted::Either, ("format", "TM-MALFORMED")),
    ] {
        let verdict = judged_on(&vectors, bundle, accepted);
        assert_eq!((verdict.valid, fault(&verdict)), (false, Some(expected)));
    }
}

#[test]
fn a_committee_cosigns_nothing_from_before_its_hand_over() {
    let vectors = file("status-proof");
    let whole = bytes(&vectors, "bundle");
    let bundle = Bundle::decode(&whole).unwrap();
    let last = BatchHeader::decode(bundle.handovers.0.last().unwrap().header).unwrap();
    let cosigned = Accepted::Only(CertificateKind::Cosigned);
    for (size, root, expected) in [
        (last.size.0 - 1, last.root, Some("TM-HANDOVER")),
        (last.size.0, Digest([1; 32]), Some("TM-HANDOVER")),
        // Nothing was written since.
        (last.size.0, last.root, None),
        // The next check's business.
        (last.size.0 + 1, Digest([1; 32]), Some("TM-INCLUSION")),
    ] {
        let note = cosigned_checkpoint(TreeSize(size), root);
        let shown = Bundle { note: Some(&note), ..bundle.clone() };
        let verdict = judged_on(&vectors, &shown.encode_to_vec(), cosigned);
        assert_eq!(fault(&verdict).map(|(_, code)| code), expected, "{size}");
    }
}

#[test]
fn nothing_is_judged_under_rules_that_are_not_here() {
    let vectors = file("status-proof");
    let whole = bytes(&vectors, "bundle");
    let bundle = Bundle::decode(&whole).unwrap();
    let genesis = Genesis::decode(bundle.genesis).unwrap();
    let newer = Genesis { rules: RULES_VERSION + 1, ..genesis }.encode_to_vec();
    let shown = Bundle { genesis: &newer, ..bundle }.encode_to_vec();
    let verdict = verdict::judge(&shown, &Trust::default());
    assert_eq!((verdict.valid, fault(&verdict)), (false, Some(("network", "TM-RULES"))));
}

#[test]
fn a_cosigned_proof_holds_until_a_bit_of_it_changes() {
    let vectors = file("status-proof");
    let bundle = bytes(&vectors, "bundle");
    let regions = vectors["regions"].as_array().unwrap().iter();
    let cosigned: Vec<_> = regions.filter(|it| it["cosigned"] == true).collect();
    assert!(cosigned.len() > 6);
    for region in cosigned {
        let [start, end] = ["start", "end"].map(|it| region[it].as_u64().unwrap() as usize);
        for at in (start..end).step_by(23).chain([end - 1]) {
            let mut changed = bundle.clone();
            changed[at] ^= 1 << (at % 8);
            let accepted = Accepted::Only(CertificateKind::Cosigned);
            let valid = judged_on(&vectors, &changed, accepted).valid;
            assert!(!valid, "{}, byte {at}", region["name"]);
        }
    }
}
