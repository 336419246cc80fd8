//! Submissions to a witness and what it decides (C2SP tlog-witness).

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use proptest::prelude::*;
use support::{bytes, cases, text, vectors};
use touchmark_keys::software::SoftwareKey;
use touchmark_testkit::log::View;
use touchmark_wire::algorithm::{Algorithm, CoseKey, PureVerifier, SignatureError, Signer as _};
use touchmark_wire::certificate::{
    CertificateError, Cosignature, CosignatureTime, Cosigner, LogSignature, NoteKey, NoteKeyKind,
};
use touchmark_wire::checkpoint::{Checkpoint, EXTENSIONS_LIMIT, NoteError, SignedCheckpoint};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::TreeSize;
use touchmark_wire::merkle::ProofError;
use touchmark_wire::witness::{
    PROOF_LIMIT, Refusal, SUBMISSION_LIMIT, Submission, Tree, Witnessed, submission,
};

const ORIGIN: &str = "example.com/log";

fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_seed(Algorithm::Ed25519, &[seed; 32]).unwrap()
}

fn log_key(key: &SoftwareKey) -> NoteKey<'static> {
    NoteKey::new(NoteKeyKind::Log, ORIGIN, key.public_key().clone()).unwrap()
}

/// What a witness that last cosigned `newest` decides on this request.
fn decide(newest: Tree, request: &str) -> Result<Tree, Refusal> {
    let keys = [log_key(&key(1))];
    let witnessed = Witnessed { origin: ORIGIN, keys: &keys, newest };
    witnessed.decide(&Submission::parse(request.as_bytes()).unwrap(), &PureVerifier)
}

/// An honest request of the log.
fn request(old: u64, view: &View) -> String {
    view.submission(ORIGIN, &key(1), old)
}

/// A log of these leaves' checkpoint, whatever its root.
fn note(size: u64, root: Digest) -> String {
    let body = Checkpoint::new(ORIGIN, TreeSize(size), root).unwrap().to_string();
    let line = LogSignature::sign(ORIGIN, &body, &key(1)).unwrap();
    format!("{body}\n{line}")
}

#[test]
fn a_vkey_is_read_and_written_as_published() {
    let published = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let key = NoteKey::parse(published).unwrap();
    assert_eq!((key.kind(), key.name()), (NoteKeyKind::Log, "example.com/foo"));
    assert_eq!(key.to_string(), published);
    let known = &vectors("c2sp-checkpoints")["key_ids"][0];
    assert_eq!(key.key().cose().x(), &bytes(known, "public")[..]);
    assert_eq!(NoteKey::parse(&published.replace("530d903a", "530D903A")), Ok(key.clone()));
    let refused = Err(CertificateError::Note(NoteError::VerifierKey));
    for wrong in [
        "",
        "example.com/foo+530d903a",
        &published.replace("530d903a", "530d903b"),
        &published.replace("example.com/foo", "example.com/fop"),
        &published[..published.len() - 4],
        // Another type, and the same key as a cosigner's under the id of a log's.
        &published.replace("AekyeR", "BukyeR"),
        &published.replace("AekyeR", "BOkyeR"),
    ] {
        assert_eq!(NoteKey::parse(wrong), refused, "{wrong}");
    }
    let spaced = published.replace("example.com/foo", "example.com foo");
    assert_eq!(NoteKey::parse(&spaced), Err(CertificateError::Note(NoteError::KeyName)));
    assert_eq!(Cosigner::try_from(key), Err(CertificateError::NotCosigner));
}

#[test]
fn a_published_signature_of_a_log_verifies() {
    // signed-note's example is no checkpoint, so the one that transparency-dev/formats made: its
    // log's key is the one whose id the note has.
    let case = cases("c2sp-checkpoints").remove(1);
    let note = SignedCheckpoint::parse(text(&case, "note").as_bytes()).unwrap();
    let cosigner = CoseKey::ed25519(bytes(&case["cosignature"], "public").try_into().unwrap());
    let name = text(&case["cosignature"], "name");
    let cosigner = NoteKey::new(NoteKeyKind::Cosigner, name, cosigner.check().unwrap()).unwrap();
    assert_eq!(cosigner.verify(&note, &PureVerifier), Ok(()));
    assert_eq!(NoteKey::parse(&cosigner.to_string()), Ok(cosigner));
}

#[test]
fn a_logs_own_signature_is_made_and_checked() {
    let (own, other) = (key(1), key(2));
    let text = note(5, Digest::of(&[b"r"]));
    let note = SignedCheckpoint::parse(text.as_bytes()).unwrap();
    assert_eq!(log_key(&own).verify(&note, &PureVerifier), Ok(()));
    assert_eq!(log_key(&other).verify(&note, &PureVerifier), Err(CertificateError::NotCosigned));
    let changed = text.replace("\n5\n", "\n6\n");
    let changed = SignedCheckpoint::parse(changed.as_bytes()).unwrap();
    let mismatch = Err(CertificateError::Signature(SignatureError::Mismatch));
    assert_eq!(log_key(&own).verify(&changed, &PureVerifier), mismatch);
    // A cosignature of the same key under the same name is no signature of the log.
    let cosigner = Cosigner::new(ORIGIN, own.public_key().clone()).unwrap();
    let cosignature = Cosignature::sign(note.body(), CosignatureTime(7), &own).unwrap();
    let cosigned = format!("{}\n{}", note.body(), cosigner.line(cosignature));
    let cosigned = SignedCheckpoint::parse(cosigned.as_bytes()).unwrap();
    let none = Err(CertificateError::NotCosigned);
    assert_eq!(log_key(&own).verify(&cosigned, &PureVerifier), none);
    assert_eq!(cosigner.note_key().verify(&cosigned, &PureVerifier), Ok(()));
}

#[test]
fn the_specifications_request_is_read_and_written_again() {
    let proof = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=
";
    let case = cases("c2sp-checkpoints").remove(0);
    let body = format!("old 20852014\n{proof}\n{}", text(&case, "note"));
    let read = Submission::parse(body.as_bytes()).unwrap();
    assert_eq!((read.old(), read.proof().count()), (TreeSize(20_852_014), 4));
    assert_eq!(read.note().checkpoint().size, TreeSize(20_852_163));
    let hashes: Vec<_> = read.proof().collect();
    assert_eq!(submission(read.old(), &hashes, text(&case, "note")), body);
}

#[test]
fn bodies_that_are_no_requests() {
    let parse = |body: &str| Submission::parse(body.as_bytes()).map(|_| ());
    let good = request(3, &View::new(8));
    assert_eq!(parse(&good), Ok(()));
    for wrong in [
        good.replace("old 3", "old3"),
        good.replace("old 3", "new 3"),
        good.replace("old 3", "old  3"),
        good.replace("old 3\n", "old 3\r\n"),
        good.replacen("\n\n", "\n", 1),
        good.replacen("\n\n", "\n \n", 1),
        good.trim_end().to_owned(),
        String::new(),
    ] {
        assert!(parse(&wrong).is_err(), "{wrong}");
    }
    for size in ["03", "-1", "+3", "", "18446744073709551616"] {
        assert_eq!(parse(&good.replace("old 3", &format!("old {size}"))), Err(NoteError::Size));
    }
    let line = good.lines().nth(1).unwrap();
    for hash in [
        "AAAA".to_owned(),
        format!("{line} "),
        format!("{line}\r"),
        line.replace('=', ""),
        "*".repeat(44),
    ] {
        assert_eq!(parse(&good.replacen(line, &hash, 1)), Err(NoteError::Root), "{hash}");
    }
    let lines = |count| good.replacen(line, vec![line; count].join("\n").as_str(), 1);
    let rest = View::new(8).proof(3).len() - 1;
    assert_eq!(parse(&lines(PROOF_LIMIT - rest)), Ok(()));
    assert_eq!(parse(&lines(PROOF_LIMIT - rest + 1)), Err(NoteError::Shape));
    assert!(good.len() < SUBMISSION_LIMIT);
}

#[test]
fn extension_lines_of_another_log_are_taken_and_cosigned() {
    let (log, tree) = (key(1), View::new(4).tree());
    let body = Checkpoint::new(ORIGIN, tree.size, tree.root).unwrap().to_string();
    let signed = |body: &str| {
        let line = LogSignature::sign(ORIGIN, body, &log).unwrap();
        submission(TreeSize(0), &[], &format!("{body}\n{line}"))
    };
    let extended = format!("{body}one line\nand another\n");
    let request = signed(&extended);
    let read = Submission::parse(request.as_bytes()).unwrap();
    assert_eq!(read.note().body(), extended);
    assert_eq!(decide(Tree::empty(), &request), Ok(tree));
    let note = &request["old 0\n\n".len()..];
    assert_eq!(SignedCheckpoint::parse(note.as_bytes()), Err(NoteError::Shape));
    let long = format!("{body}{}\n", "x".repeat(EXTENSIONS_LIMIT));
    for wrong in [long, format!("{body}\nempty line\n")] {
        let wrong = signed(&wrong);
        assert_eq!(Submission::parse(wrong.as_bytes()), Err(NoteError::Shape));
    }
}

/// Each clause of add-checkpoint, in its order.
#[test]
fn every_refusal_has_its_cause() {
    let (three, eight) = (View::new(3), View::new(8));
    let newest = three.tree();
    assert_eq!(decide(newest, &request(3, &eight)), Ok(eight.tree()));
    // An origin that is not this log's.
    let other = request(3, &eight).replace("\n\nexample.com/log\n", "\n\nexample.com/lag\n");
    assert_eq!(decide(newest, &other), Err(Refusal::UnknownLog));
    // Another key, then that key's line beside the right one, then a wrong line of the right key.
    let foreign = eight.note(ORIGIN, &key(2));
    let by = |note: &str| submission(TreeSize(3), &eight.proof(3), note);
    let unsigned = Err(Refusal::Untrusted(CertificateError::NotCosigned));
    assert_eq!(decide(newest, &by(&foreign)), unsigned);
    let own = eight.note(ORIGIN, &key(1));
    let both = format!("{own}{}\n", foreign.lines().last().unwrap());
    assert_eq!(decide(newest, &by(&both)), Ok(eight.tree()));
    let stale = three.note(ORIGIN, &key(1));
    let wrong = format!("{own}{}\n", stale.lines().last().unwrap());
    let mismatch = CertificateError::Signature(SignatureError::Mismatch);
    assert_eq!(decide(newest, &by(&wrong)), Err(Refusal::Untrusted(mismatch)));
    // The old size above the checkpoint's, then another than the witness has.
    let above = submission(TreeSize(9), &[], &own);
    assert_eq!(decide(newest, &above), Err(Refusal::OldIsLarger));
    for old in [0, 2, 4, 8] {
        let refused = Err(Refusal::OtherSize(TreeSize(3)));
        assert_eq!(decide(newest, &request(old, &eight)), refused, "{old}");
    }
    // A view that goes back is one of another size.
    let back = request(2, &View::new(2));
    assert_eq!(decide(newest, &back), Err(Refusal::OtherSize(TreeSize(3))));
    // A proof of another log.
    let mismatch = Err(Refusal::Inconsistent(ProofError::RootMismatch));
    assert_eq!(decide(newest, &request(3, &View::forked(8, 2))), mismatch);
    // The same size: the same root, without a proof.
    assert_eq!(decide(newest, &request(3, &three)), Ok(newest));
    assert_eq!(decide(newest, &request(3, &View::forked(3, 2))), mismatch);
    let proved = submission(TreeSize(3), &[newest.root], &three.note(ORIGIN, &key(1)));
    assert_eq!(decide(newest, &proved), Err(Refusal::Inconsistent(ProofError::PathTooLong)));
    // The empty tree has one root, and needs no proof.
    let empty = Tree::empty();
    assert_eq!(decide(empty, &request(0, &View::new(0))), Ok(empty));
    let false_empty = submission(TreeSize(0), &[], &note(0, newest.root));
    assert_eq!(decide(empty, &false_empty), mismatch);
    let proved = submission(TreeSize(0), &[newest.root], &own);
    assert_eq!(decide(empty, &proved), Err(Refusal::Inconsistent(ProofError::PathTooLong)));
}

/// A request of somebody who has the log's key and two views of the log.
#[derive(Clone, Debug)]
struct Attempt {
    old: u64,
    size: u64,
    /// From where on the view is another.
    fork: u64,
    /// From where on that of the proof is.
    proof_fork: u64,
    /// Hashes that are missing at the proof's end.
    missing: usize,
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let forks = || prop_oneof![Just(24), 0..24u64];
    let attempt = (0..24u64, 0..24u64, forks(), forks(), 0..3usize).prop_map(
        |(old, size, fork, proof_fork, missing)| Attempt { old, size, fork, proof_fork, missing },
    );
    prop::collection::vec(attempt, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is asked, and however often by the size that the witness names: what it cosigns is
    /// one history.
    #[test]
    fn what_is_cosigned_is_one_history(attempts in attempts()) {
        let mut newest = Tree::empty();
        let mut history: Vec<View> = Vec::new();
        for Attempt { old, size, fork, proof_fork, missing } in attempts {
            let view = View::forked(size, fork);
            let of = |old: u64| {
                let mut path = View::forked(size, proof_fork).proof(old);
                path.truncate(path.len().saturating_sub(missing));
                submission(TreeSize(old), &path, &view.note(ORIGIN, &key(1)))
            };
            let mut decided = decide(newest, &of(old));
            if let Err(Refusal::OtherSize(known)) = decided {
                prop_assert_eq!(known, newest.size);
                decided = decide(newest, &of(known.0));
            }
            if let Ok(next) = decided {
                prop_assert_eq!(next, view.tree());
                prop_assert!(next.size >= newest.size);
                for earlier in &history {
                    prop_assert!(view.continues(earlier), "two views: {:?} {:?}", earlier, view);
                }
                history.push(view);
                newest = next;
            }
        }
    }

    /// An honest log is never refused.
    #[test]
    fn an_honest_log_is_cosigned(mut sizes in prop::collection::vec(0..300u64, 1..12)) {
        sizes.sort_unstable();
        let mut newest = Tree::empty();
        for size in sizes {
            let view = View::new(size);
            newest = decide(newest, &request(newest.size.0, &view)).unwrap();
            prop_assert_eq!(newest, view.tree());
        }
    }
}
