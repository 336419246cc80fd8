//! Bundles and receipts: what they prove, and that nothing in them can be changed.

use crate::issuer::{Card, Issuer};
use crate::network::Network;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::accreditation::Accredit;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::entry::{Purposes, Thing};
use touchmark_core::evidence::WrappedEvidence;
use touchmark_core::refusal::Outcome;
use touchmark_core::verdict::{CheckResult, Trust, Verdict, judge};
use touchmark_keys::software::SoftwareKey;
use touchmark_node::proof::{self, Excess, ProofError, Question};
use touchmark_wire::algorithm::{Algorithm, PureVerifier, Signer as _};
use touchmark_wire::bundle::{Bundle, Claim};
use touchmark_wire::codec::{self, Malformed};
use touchmark_wire::ids::{KeyNumber, LeafIndex, ThingId};
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::merkle;
use touchmark_wire::receipt::Receipt;
use touchmark_wire::registry::{
    ContentFormat, EntryKind, EvidenceFormat, StatementKind, Status, ThingKind,
};
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::TrieProof;

const NONCE: &[u8] = b"sixteen bytes or more";

struct Story {
    network: Network,
    maker: Issuer,
    sensor: ThingId,
    card: ThingId,
    record: LeafIndex,
    before_theft: LeafIndex,
}

fn story() -> Story {
    let network = Network::start();
    let mut maker = Issuer::new(network.id(), ThingKind::ORGANISATION, Algorithm::Es256);
    let mut sensor = Issuer::new(network.id(), ThingKind::DEVICE, Algorithm::Ed25519);
    let card = Card::new(maker.id);
    let leaves = vec![
        maker.inception(),
        sensor.inception(),
        maker.act(StatementKind::REGISTER, &card.inception),
        sensor.record(b"21.5 degrees"),
        sensor.record(b"21.6 degrees"),
    ];
    let outcomes = network.submit(leaves);
    let record = outcomes[4].leaf().unwrap();
    let stolen = SetStatus { thing: card.id(), status: Status::STOLEN, reason: None, keys: None };
    network.submit(vec![maker.act(StatementKind::STATUS, &stolen)]);
    Story { sensor: sensor.id, card: card.id(), record, before_theft: record, network, maker }
}

impl Story {
    fn prove(&self, questions: &[Question], nonce: Option<&[u8]>) -> Vec<u8> {
        self.network.wait(proof::prove(&self.network.node, questions, nonce)).unwrap()
    }

    fn judge(&self, bundle: &[u8], nonce: Option<&[u8]>) -> Verdict {
        judge(bundle, &Trust { network: Some(self.network.id()), nonce, ..Trust::default() })
    }
}

fn result(verdict: &Verdict, name: &str) -> CheckResult {
    let check = verdict.checks.iter().find(|check| check.name == name);
    check.unwrap_or_else(|| panic!("no check {name} in {:?}", verdict.checks)).result
}

#[test]
fn one_bundle_proves_record_status_history_absence_and_freshness() {
    let story = story();
    let nobody = ThingId([9; 20]);
    let questions = [
        Question::Record(story.record),
        Question::Latest(story.record),
        Question::Status(story.card),
        Question::StatusAt(story.card, story.before_theft),
        Question::Complete(story.card),
        Question::Complete(story.sensor),
        Question::Absent(nobody),
    ];
    let bundle = story.prove(&questions, Some(NONCE));
    let verdict = story.judge(&bundle, Some(NONCE));
    assert!(verdict.valid, "{:#?}", verdict.checks);
    let reason =
        |name: &str| verdict.checks.iter().find(|check| check.name == name).unwrap().reason.clone();
    assert!(reason(&format!("status {}", story.card)).contains("is stolen"));
    let then = format!("status {} at {}", story.card, story.before_theft);
    assert!(reason(&then).contains("was active"));
}

/// What the state does not say of a status of earlier is unknown, neither held nor failed.
#[test]
fn a_status_of_earlier_is_proved_or_not_known() {
    let mut story = story();
    let (card, before) = (story.card, story.before_theft);
    let check = |story: &Story, at: LeafIndex| {
        let bundle = story.prove(&[Question::StatusAt(card, at)], None);
        let verdict = story.judge(&bundle, None);
        let name = format!("status {card} at {at}");
        let check = verdict.checks.iter().find(|check| check.name == name).unwrap();
        assert_eq!(verdict.valid, check.result == CheckResult::Pass);
        (check.result, check.code)
    };
    assert_eq!(check(&story, before), (CheckResult::Pass, None));
    assert_eq!(check(&story, LeafIndex(0)), (CheckResult::Fail, Some("TM-UNKNOWN-THING")));
    let beyond = LeafIndex(story.network.node.store.snapshot().size().0);
    assert_eq!(check(&story, beyond), (CheckResult::Unknown, Some("TM-NOT-COVERED")));
    for turn in 0..Thing::STATUS_CHANGES {
        let to = if turn % 2 == 0 { Status::LOST } else { Status::STOLEN };
        let change = SetStatus { thing: card, status: to, reason: None, keys: None };
        story.network.submit(vec![story.maker.act(StatementKind::STATUS, &change)]);
    }
    let forgotten = (CheckResult::Unknown, Some("TM-STATUS-FORGOTTEN"));
    assert_eq!(check(&story, before), forgotten);
}

/// The chain of authority ends where a controller has not said that a thing is its own.
#[test]
fn a_controller_that_is_merely_named_lends_no_authority() {
    let mut story = story();
    let (maker, network) = (story.maker.id, story.network.id());
    let device = (ThingKind::DEVICE, Algorithm::Ed25519);
    let mut pretender = Issuer::under(Some(maker), network, device.0, device.1);
    story.network.submit(vec![pretender.inception()]);
    let authority = |story: &Story, id: ThingId| {
        let verdict = story.judge(&story.prove(&[Question::Status(id)], None), None);
        assert!(verdict.valid, "{:#?}", verdict.checks);
        let name = format!("authority {id}");
        verdict.checks.iter().find(|check| check.name == name).unwrap().reason.clone()
    };
    let under = format!("{} (card) under {maker} (organisation)", story.card);
    assert_eq!(authority(&story, story.card), under);
    let id = pretender.id;
    let alone = format!(
        "{id} (device); {id} names {maker} as its controller, which has not confirmed that"
    );
    assert_eq!(authority(&story, id), alone);
    let word = Accredit { thing: id, roles: vec!["sensor".to_owned()] };
    story.network.submit(vec![story.maker.act(StatementKind::ACCREDIT, &word)]);
    assert_eq!(authority(&story, id), format!("{id} (device) under {maker} (organisation)"));
}

#[test]
fn no_byte_of_a_bundle_can_be_changed() {
    let story = story();
    let questions = [Question::Record(story.record), Question::Status(story.card)];
    let bundle = story.prove(&questions, Some(NONCE));
    let mut accepted = Vec::new();
    // Each byte costs a pairing at most; three of them in every eight say enough.
    for place in (0..bundle.len()).filter(|place| place % 8 < 3) {
        let mut changed = bundle.clone();
        changed[place] ^= 1 << (place % 8);
        if story.judge(&changed, Some(NONCE)).valid {
            accepted.push(place);
        }
    }
    assert_eq!(accepted, Vec::<usize>::new());
}

#[test]
fn a_history_without_one_leaf_is_not_complete() {
    let story = story();
    let bytes = story.prove(&[Question::Complete(story.sensor)], None);
    let mut bundle = Bundle::decode(&bytes).unwrap();
    let Claim::Complete(thing, mut leaves) = bundle.claims[0].clone() else {
        panic!("another claim than asked for");
    };
    assert_eq!(leaves.len(), 3);
    leaves.remove(1);
    bundle.claims[0] = Claim::Complete(thing, leaves);
    let verdict = story.judge(&bundle.encode_to_vec(), None);
    assert_eq!(result(&verdict, &format!("complete {}", story.sensor)), CheckResult::Fail);
}

/// However often a card got another key, a bundle shows the one that signed.
#[test]
fn evidence_is_proved_by_one_key_of_a_thousand() {
    let network = Network::start();
    let mut maker = Issuer::new(network.id(), ThingKind::ORGANISATION, Algorithm::Ed25519);
    let mut card = Card::new(maker.id);
    let tap = |card: &Card, counter| {
        let bytes = card.url(counter);
        Leaf::Evidence(BareEvidence { format: EvidenceFormat::CARD_URL, bytes: &bytes, mark: None })
            .encode_to_vec()
    };
    network.submit(vec![maker.inception(), maker.act(StatementKind::REGISTER, &card.inception)]);
    let mut taps = vec![network.submit(vec![tap(&card, 1)])[0].leaf().unwrap()];
    let prove = |leaf| network.wait(proof::prove(&network.node, &[Question::Record(leaf)], None));
    let before = prove(taps[0]).unwrap().len();
    for half in [0, 500] {
        let mut rotations = Vec::new();
        for number in half..half + 500 {
            let exchange = Rotation {
                thing: card.id(),
                add: vec![card.renew()],
                close: vec![KeyNumber(number)],
                next: None,
                threshold: None,
            };
            rotations.push(maker.act(StatementKind::ROTATE, &exchange));
        }
        let outcomes = network.submit(rotations);
        assert!(outcomes.iter().all(|it| matches!(it, Outcome::Accepted(_))));
        taps.push(network.submit(vec![tap(&card, half + 2)])[0].leaf().unwrap());
    }
    for leaf in taps {
        let bundle = prove(leaf).unwrap();
        let verdict = judge(&bundle, &Trust { network: Some(network.id()), ..Trust::default() });
        assert!(verdict.valid, "{:#?}", verdict.checks);
        assert!(bundle.len() < before + 2_000, "{} bytes, {before} before", bundle.len());
    }
}

/// A tap that was known before is read once more when its card is no longer authorised.
#[test]
fn evidence_read_again_after_its_key_ended_is_proved() {
    let mut story = story();
    let mut reader = Issuer::new(story.network.id(), ThingKind::READER, Algorithm::Es256);
    let card = Card::new(story.maker.id);
    let bytes = card.url(1);
    let format = EvidenceFormat::CARD_URL;
    let bare = Leaf::Evidence(BareEvidence { format, bytes: &bytes, mark: None }).encode_to_vec();
    let stolen = SetStatus { thing: card.id(), status: Status::STOLEN, reason: None, keys: None };
    let outcomes = story.network.submit(vec![
        story.maker.act(StatementKind::REGISTER, &card.inception),
        reader.inception(),
    ]);
    assert!(outcomes.iter().all(|it| matches!(it, Outcome::Accepted(_))), "{outcomes:?}");
    story.network.submit(vec![bare]);
    story.network.submit(vec![story.maker.act(StatementKind::STATUS, &stolen)]);
    let wrapped = WrappedEvidence { format, bytes: &bytes, context: None };
    let outcome = story.network.submit(vec![reader.act(StatementKind::EVIDENCE, &wrapped)]);
    let Outcome::Accepted(leaf) = outcome[0] else { panic!("{outcome:?}") };
    let verdict = story.judge(&story.prove(&[Question::Record(leaf)], None), None);
    assert!(verdict.valid, "{:#?}", verdict.checks);
    let name = format!("record {leaf}");
    let check = verdict.checks.iter().find(|check| check.name == name).unwrap();
    assert!(check.reason.ends_with("its key had ended, so it is older"), "{}", check.reason);
}

/// The bundle without the entry of one ended key.
fn without_key(network: &Network, bytes: &[u8], thing: ThingId, number: u32) -> Vec<u8> {
    let mut bundle = Bundle::decode(bytes).unwrap();
    let root = TrieProof::root(bundle.state).unwrap();
    let shown = TrieProof::verify(bundle.state, &root).unwrap();
    let hidden = StateKey::closed_key(thing, KeyNumber(number));
    let keys: Vec<_> = shown.entries().map(|(key, _)| key).collect();
    let kept: Vec<_> = keys.iter().copied().filter(|key| *key != hidden).collect();
    assert_eq!(kept.len() + 1, keys.len(), "the bundle does not show key {number}");
    let state = network.node.store.snapshot().prove(&kept).unwrap();
    bundle.state = &state;
    bundle.encode_to_vec()
}

/// Whichever of two valid keys ends first, evidence is judged under the one that signed it, and a
/// bundle that hides that one proves neither evidence nor forgery.
#[test]
fn evidence_is_proved_by_the_later_of_two_keys() {
    let mut story = story();
    let mut reader = Issuer::new(story.network.id(), ThingKind::READER, Algorithm::Es256);
    let mut card = Card::new(story.maker.id);
    let id = card.id();
    let (format, bytes) = (EvidenceFormat::CARD_URL, card.url(1));
    let bare = |bytes| Leaf::Evidence(BareEvidence { format, bytes, mark: None }).encode_to_vec();
    let rotation = |add, close| Rotation { thing: id, add, close, next: None, threshold: None };
    story.network.submit(vec![
        story.maker.act(StatementKind::REGISTER, &card.inception),
        reader.inception(),
    ]);
    let first = story.network.submit(vec![bare(&bytes)])[0].leaf().unwrap();
    let another = rotation(vec![card.renew()], Vec::new());
    story.network.submit(vec![story.maker.act(StatementKind::ROTATE, &another)]);
    let bytes = card.url(2);
    let tap = story.network.submit(vec![bare(&bytes)])[0].leaf().unwrap();
    let end = rotation(Vec::new(), vec![KeyNumber(1)]);
    let ended = story.network.submit(vec![story.maker.act(StatementKind::ROTATE, &end)]);
    assert!(matches!(ended[0], Outcome::Accepted(_)), "{ended:?}");
    let check = |story: &Story, leaf: LeafIndex, bundle: &[u8]| {
        let verdict = story.judge(bundle, None);
        let name = format!("record {leaf}");
        let check = verdict.checks.into_iter().find(|check| check.name == name).unwrap();
        assert_eq!(verdict.valid, check.result == CheckResult::Pass);
        (check.result, check.code, check.reason)
    };
    for leaf in [first, tap] {
        let found = check(&story, leaf, &story.prove(&[Question::Record(leaf)], None));
        assert_eq!(found.0, CheckResult::Pass, "{found:?}");
    }
    let bundle = without_key(&story.network, &story.prove(&[Question::Record(tap)], None), id, 1);
    let found = check(&story, tap, &bundle);
    assert_eq!((found.0, found.1), (CheckResult::Unknown, Some("TM-NOT-COVERED")), "{found:?}");

    // Read again after both ended, it is judged under the last, and no other one may be hidden.
    let stolen = SetStatus { thing: id, status: Status::STOLEN, reason: None, keys: None };
    story.network.submit(vec![story.maker.act(StatementKind::STATUS, &stolen)]);
    let wrapped = WrappedEvidence { format, bytes: &bytes, context: None };
    let outcome = story.network.submit(vec![reader.act(StatementKind::EVIDENCE, &wrapped)]);
    let Outcome::Accepted(again) = outcome[0] else { panic!("{outcome:?}") };
    let bundle = story.prove(&[Question::Record(again)], None);
    let found = check(&story, again, &bundle);
    assert!(found.2.ends_with("its key had ended, so it is older"), "{found:?}");
    for number in [0, 1] {
        let bundle = without_key(&story.network, &bundle, id, number);
        let found = check(&story, again, &bundle);
        assert_eq!((found.0, found.1), (CheckResult::Unknown, Some("TM-NOT-COVERED")), "{found:?}");
    }

    // Keys that came later do not matter.
    let keys = Some(vec![card.renew(), card.renew()]);
    let found = SetStatus { thing: id, status: Status::ACTIVE, reason: None, keys };
    let end = rotation(Vec::new(), vec![KeyNumber(2)]);
    let acts = [
        (StatementKind::STATUS, codec::encode(&found)),
        (StatementKind::ROTATE, codec::encode(&end)),
    ];
    let acts = acts.map(|(kind, act)| story.maker.state(kind, ContentFormat::CBOR, &act));
    let outcomes = story.network.submit(acts.to_vec());
    assert!(outcomes.iter().all(|it| matches!(it, Outcome::Accepted(_))), "{outcomes:?}");
    for leaf in [first, tap, again] {
        let found = check(&story, leaf, &story.prove(&[Question::Record(leaf)], None));
        assert_eq!(found.0, CheckResult::Pass, "{found:?}");
    }
}

/// Whoever gives a thing keys without end makes no node read them all.
#[test]
fn the_search_for_a_key_for_evidence_ends() {
    let mut story = story();
    let card = Card::new(story.maker.id);
    let others: Vec<_> = (0..15)
        .map(|_| SoftwareKey::generate(Algorithm::Ed25519).unwrap())
        .map(|key| NewKey::new(*key.public_key().cose(), Purposes::GENERAL))
        .collect();
    let mut leaves = vec![story.maker.act(StatementKind::REGISTER, &card.inception)];
    for turn in 0..70_u32 {
        let ends = turn.checked_sub(1).map(|before| before * 15 + 1..turn * 15 + 1);
        let exchange = Rotation {
            thing: card.id(),
            add: others.clone(),
            close: ends.into_iter().flatten().map(KeyNumber).collect(),
            next: None,
            threshold: None,
        };
        leaves.push(story.maker.act(StatementKind::ROTATE, &exchange));
    }
    let outcomes = story.network.submit(leaves);
    assert!(outcomes.iter().all(|it| matches!(it, Outcome::Accepted(_))), "{outcomes:?}");
    let bytes = card.url(1);
    let bare = BareEvidence { format: EvidenceFormat::CARD_URL, bytes: &bytes, mark: None };
    let tap = story.network.submit(vec![Leaf::Evidence(bare).encode_to_vec()])[0].leaf().unwrap();
    let questions = [Question::Record(tap)];
    let bundle = proof::prove(&story.network.node, &questions, None);
    let refused = story.network.wait(bundle).map(|bytes| bytes.len());
    let expected = ProofError::TooMany(Excess::Keys(card.id()));
    assert_eq!(refused.map_err(|error| error.to_string()), Err(expected.to_string()));
}

/// Histories, records and lists count alike, and what two questions share counts once.
#[test]
fn a_bundle_is_bounded_in_bytes() {
    let story = story();
    let mut sensor = Issuer::new(story.network.id(), ThingKind::DEVICE, Algorithm::Ed25519);
    let mut leaves = vec![sensor.inception()];
    leaves.extend((0..10).map(|n| sensor.record(&[n; 1_000])));
    let outcomes = story.network.submit(leaves);
    let records: Vec<_> = outcomes.iter().map(|it| it.leaf().unwrap()).collect();
    let prove = |questions: &[Question], room| {
        let bundle = proof::prove_within(&story.network.node, questions, None, room);
        match story.network.wait(bundle) {
            Ok(bytes) => {
                assert!(story.judge(&bytes, None).valid);
                true
            }
            Err(ProofError::TooMany(Excess::Bytes)) => false,
            Err(other) => panic!("{other}"),
        }
    };
    let all: Vec<_> = records.iter().copied().map(Question::Record).collect();
    let history = [Question::Complete(sensor.id)];
    assert!(!prove(&history, 10_000) && prove(&history, 15_000));
    assert!(!prove(&all, 10_000) && prove(&all, 18_000));
    assert!(prove(&all[..5], 10_000) && prove(&[Question::Status(sensor.id)], 0));
    let both: Vec<_> = history.iter().chain(&all).cloned().collect();
    assert!(!prove(&both, 12_000) && prove(&both, 18_000));
    let lists = vec![history[0].clone(); 64];
    assert!(!prove(&lists, 15_000) && prove(&lists, 21_000));
}

#[test]
fn all_that_others_say_of_a_thing_is_proved() {
    let story = story();
    let mut stranger = Issuer::new(story.network.id(), ThingKind::PERSON, Algorithm::Ed25519);
    let mut words = vec![stranger.inception()];
    for roles in [vec!["fake".to_owned()], vec!["genuine".to_owned()], Vec::new()] {
        words.push(stranger.act(StatementKind::ACCREDIT, &Accredit { thing: story.card, roles }));
    }
    story.network.submit(words);
    let bytes =
        story.prove(&[Question::Mentioned(story.card), Question::Complete(story.card)], None);
    let verdict = story.judge(&bytes, None);
    assert!(verdict.valid, "{:#?}", verdict.checks);
    let name = format!("mentioned {}", story.card);
    let check = verdict.checks.iter().find(|check| check.name == name).unwrap();
    let all = format!("these 3 leaves are all in which others mention {}", story.card);
    assert_eq!(check.reason, all);
    let bundle = Bundle::decode(&bytes).unwrap();
    let Claim::Mentioned(thing, leaves) = bundle.claims[0].clone() else {
        panic!("another claim than asked for");
    };
    let Claim::Complete(_, history) = bundle.claims[1].clone() else {
        panic!("another claim than asked for");
    };
    let swapped = vec![leaves[1], leaves[0], leaves[2]];
    for wrong in [leaves[1..].to_vec(), swapped, history, Vec::new()] {
        let mut changed = bundle.clone();
        changed.claims[0] = Claim::Mentioned(thing, wrong);
        let verdict = story.judge(&changed.encode_to_vec(), None);
        assert_eq!(result(&verdict, &name), CheckResult::Fail);
    }
}

/// Whoever leaves the head of a chain out of a bundle hides that the chain was forked.
#[test]
fn a_record_is_not_proved_without_the_head_of_its_chain() {
    let story = story();
    let bytes = story.prove(&[Question::Record(story.record)], None);
    let mut bundle = Bundle::decode(&bytes).unwrap();
    let things = [story.sensor].map(|id| StateKey::thing(id, EntryKind::THING));
    let state = story.network.node.store.snapshot().prove(&things).unwrap();
    bundle.state = &state;
    let verdict = story.judge(&bundle.encode_to_vec(), None);
    assert_eq!(result(&verdict, "state"), CheckResult::Pass);
    assert_eq!(result(&verdict, &format!("record {}", story.record)), CheckResult::Unknown);
    assert!(!verdict.valid);
}

/// The program stops rather than count wrong, so what strangers count must not make it.
#[test]
fn a_bundle_with_the_greatest_position_fails() {
    let story = story();
    let bytes = story.prove(&[Question::Record(story.record)], None);
    let greatest = LeafIndex(u64::MAX);
    let mut bundle = Bundle::decode(&bytes).unwrap();
    bundle.batch.index = greatest;
    let verdict = story.judge(&bundle.encode_to_vec(), None);
    assert_eq!(result(&verdict, "log"), CheckResult::Fail);
    let mut bundle = Bundle::decode(&bytes).unwrap();
    bundle.leaves[0].index = greatest;
    bundle.claims = vec![
        Claim::Record(greatest),
        Claim::Latest(greatest),
        Claim::StatusAt(story.sensor, greatest),
    ];
    let verdict = story.judge(&bundle.encode_to_vec(), None);
    assert_eq!(result(&verdict, &format!("record {greatest}")), CheckResult::Fail);
    assert!(!verdict.valid);
}

/// A few bytes make a claim, and each may cost the check of a signature.
#[test]
fn a_bundle_is_bounded_in_what_it_costs_to_judge() {
    let story = story();
    let bytes = story.prove(&[Question::Record(story.record)], Some(NONCE));
    let mut bundle = Bundle::decode(&bytes).unwrap();
    bundle.claims = vec![Claim::Record(story.record); Bundle::CLAIMS + 1];
    assert_eq!(Bundle::decode(&bundle.encode_to_vec()), Err(Malformed::Shape));
    bundle.claims.truncate(1);
    let fresh = bundle.freshness.as_mut().unwrap();
    fresh.signatures.push(fresh.signatures[0]);
    assert_eq!(Bundle::decode(&bundle.encode_to_vec()), Err(Malformed::Shape));
}

#[test]
fn what_depends_on_a_failed_check_is_not_run() {
    let story = story();
    let bytes = story.prove(&[Question::Status(story.card)], None);
    let mut bundle = Bundle::decode(&bytes).unwrap();
    let certificate = vec![0; bundle.certificate.unwrap().len()];
    bundle.certificate = Some(&certificate);
    let verdict = story.judge(&bundle.encode_to_vec(), None);
    assert_eq!(result(&verdict, "certificate"), CheckResult::Fail);
    assert_eq!(result(&verdict, "state"), CheckResult::Unknown);
    assert_eq!(result(&verdict, &format!("status {}", story.card)), CheckResult::Unknown);
}

/// A bundle carries its genesis document, so anybody can put another network's in. Neither network
/// then vouches for what the bundle says.
#[test]
fn a_bundle_under_another_networks_genesis_proves_nothing() {
    let (story, other) = (story(), Network::start());
    let bytes = story.prove(&[Question::Record(story.record)], Some(NONCE));
    let genesis = other.node.genesis.encode_to_vec();
    let mut bundle = Bundle::decode(&bytes).unwrap();
    bundle.genesis = &genesis;
    let forged = bundle.encode_to_vec();
    let (own, foreign) = (story.network.id(), other.id());
    let record = format!("record {}", story.record);
    for (trusted, network, certificate) in [
        // Who trusts this one sees at once that it is not named.
        (own, (CheckResult::Fail, Some("TM-WRONG-NETWORK")), CheckResult::Unknown),
        // Who trusts the other one finds that its committee has not certified this.
        (foreign, (CheckResult::Pass, None), CheckResult::Fail),
    ] {
        let verdict = judge(
            &forged,
            &Trust { network: Some(trusted), nonce: Some(NONCE), ..Trust::default() },
        );
        let check = verdict.checks.iter().find(|check| check.name == "network").unwrap();
        assert_eq!((check.result, check.code), network);
        assert_eq!(result(&verdict, "certificate"), certificate);
        for dependent in ["log", "state", "freshness", &record[..]] {
            assert_eq!(result(&verdict, dependent), CheckResult::Unknown, "{dependent}");
        }
        assert_eq!((verdict.valid, verdict.network), (false, Some(foreign)));
        assert!(verdict.confidence.is_empty());
    }
}

#[test]
fn another_network_another_nonce_and_no_trust_are_told_apart() {
    let story = story();
    let bundle = story.prove(&[Question::Status(story.card)], Some(NONCE));
    let other = Network::start();
    let foreign = judge(
        &bundle,
        &Trust { network: Some(other.id()), nonce: Some(NONCE), ..Trust::default() },
    );
    assert_eq!(result(&foreign, "network"), CheckResult::Fail);
    let untrusting =
        judge(&bundle, &Trust { network: None, nonce: Some(NONCE), ..Trust::default() });
    assert_eq!((result(&untrusting, "network"), untrusting.valid), (CheckResult::Unknown, false));
    let stale = story.judge(&bundle, Some(b"a nonce of somebody else"));
    assert_eq!(result(&stale, "freshness"), CheckResult::Fail);
    let unasked = story.prove(&[Question::Status(story.card)], None);
    assert_eq!(result(&story.judge(&unasked, Some(NONCE)), "freshness"), CheckResult::Fail);
}

#[test]
fn a_receipt_is_the_same_every_time_and_verifies_under_the_log_key() {
    let story = story();
    let of_record = || story.network.wait(proof::receipt(&story.network.node, story.record));
    let receipt = of_record().unwrap();
    let mut device = Issuer::new(story.network.id(), ThingKind::DEVICE, Algorithm::Es256);
    let later = story.network.submit(vec![device.inception()]);
    assert!(matches!(later[0], Outcome::Accepted(_)));
    assert_eq!(of_record().unwrap(), receipt);

    let leaf = story.network.node.store.snapshot().leaf(story.record).unwrap();
    let key = story.network.node.genesis.committee.validators[0].log_key.check().unwrap();
    let receipt = Receipt::decode(&receipt).unwrap();
    let included =
        receipt.verify_inclusion(&merkle::leaf_hash(&leaf), &key, &PureVerifier).unwrap();
    assert_eq!(included.index, story.record);
    assert!(receipt.verify_inclusion(&merkle::leaf_hash(b"x"), &key, &PureVerifier).is_err());
}
