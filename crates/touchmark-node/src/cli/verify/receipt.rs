//! The verdict on receipts: validators' word that a leaf is in their log.
//!
//! One validator may lie, so a reader wants the receipts of as many that one of them is honest
//! (f+1). All receipts that are given are of one leaf and make one verdict.

use super::Root;
use super::verdict::{Verdict, failed, no_freshness, passed, undecided};
use crate::cli::assurance::Assurance;
use std::collections::BTreeMap;
use touchmark_api::sequence;
use touchmark_core::verdict::{Check, CheckResult};
use touchmark_wire::algorithm::{PublicKey, PureVerifier};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::LeafIndex;
use touchmark_wire::leaf::Leaf;
use touchmark_wire::limits;
use touchmark_wire::merkle;
use touchmark_wire::receipt::{Included, Proof, Receipt, ReceiptError};
use touchmark_wire::registry::RefusalCode;

const NOT_RUN: &str = "not run, because what it depends on is missing or failed";

/// The receipts of all files.
#[derive(Default)]
pub(super) struct Shown {
    files: Vec<String>,
    receipts: Vec<Vec<u8>>,
}

/// The receipts in a file: one, or several one after the other (RFC 8742).
pub(super) fn within(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let items = sequence::items(bytes, limits::MEMBERS).filter(|items| !items.is_empty())?;
    let are_receipts = items.iter().all(|item| Receipt::decode(item).is_ok());
    are_receipts.then(|| items.into_iter().map(<[u8]>::to_vec).collect())
}

impl Shown {
    pub(super) fn add(&mut self, file: String, receipts: Vec<Vec<u8>>) {
        self.files.push(file);
        self.receipts.extend(receipts);
    }

    /// One verdict on all of them, if there are any.
    pub(super) fn verdict(&self, root: &Root<'_>) -> Option<Verdict> {
        let receipts = self.receipts.iter().filter_map(|bytes| Receipt::decode(bytes).ok());
        let receipts: Vec<_> = receipts.collect();
        let format = match receipts.len() {
            0 => return None,
            1 => "it is a well-formed receipt".to_owned(),
            count => format!("they are {count} well-formed receipts"),
        };
        let mut checks = vec![passed("format", format)];
        let keys = keys(root);
        checks.push(network(root, &keys));
        let mut counted = Counted::default();
        let judged: Vec<_> =
            receipts.iter().map(|it| inclusion(it, root, &keys, &mut counted)).collect();
        checks.extend(judged.into_iter().map(|it| it.beside(&counted)));
        let runs = checks.iter().all(|check| check.result.holds());
        match (&root.leaf, runs) {
            (Some(leaf), true) => {
                checks.extend(counted.contradiction());
                checks.push(counted.enough(root));
                checks.push(effect(leaf));
            }
            _ => checks.push(undecided("receipts", "TM-NOT-RUN", NOT_RUN)),
        }
        checks.push(no_freshness(root.nonce.as_ref()));
        // Size and place are beside what is signed, so there is no state that all this is as of.
        let verdict = Verdict::new(self.files.join(", "), checks).of(root.network, None);
        Some(verdict.resting_on(Assurance::Receipts))
    }
}

/// What the receipts that hold say together.
#[derive(Default)]
struct Counted {
    signers: Vec<PublicKey>,
    places: Vec<LeafIndex>,
    /// By size of the log.
    roots: BTreeMap<u64, Digest>,
    splits: bool,
}

impl Counted {
    fn add(&mut self, key: &PublicKey, Included { index, size, root }: Included) {
        if !self.signers.contains(key) {
            self.signers.push(key.clone());
        }
        if !self.places.contains(&index) {
            self.places.push(index);
        }
        self.splits |= *self.roots.entry(size.0).or_insert(root) != root;
    }

    /// Whether they cannot all be true. It convicts nobody: a validator signs the root, and whoever
    /// hands the receipt on may have changed the size and place beside it.
    fn contradiction(&self) -> Option<Check> {
        let reason = if self.splits {
            "the receipts are of logs of the same size with different roots"
        } else if self.places.len() > 1 {
            "the receipts are of different places in the log"
        } else {
            return None;
        };
        Some(failed("agreement", "TM-OTHER-PROOF", reason))
    }

    /// Whether so many signed that one of them is honest.
    fn enough(&self, root: &Root<'_>) -> Check {
        let own = root.office.as_ref().map(|office| office.committee.receipts());
        let number = root.office.as_ref().map(|it| it.committee.epoch).unwrap_or_default();
        let signed = self.signers.len();
        let Some(wanted) = root.receipts.or(own) else {
            let reason = "how many have to sign is in the genesis document: give it with --trust, \
                          or say --receipts";
            return undecided("receipts", "TM-NO-TRUST", reason);
        };
        let policy = match own {
            Some(own) if own == wanted => {
                format!("the policy of the network's committee {number}")
            }
            Some(own) => {
                format!("as you say, where the policy of the network's committee {number} is {own}")
            }
            None => "as you say".to_owned(),
        };
        match wanted.checked_sub(signed) {
            None | Some(0) => {
                passed("receipts", format!("{signed} signed, and {wanted} have to: {policy}"))
            }
            Some(missing) => {
                let reason = format!(
                    "{signed} signed, and {wanted} different validators have to ({policy}): \
                     {missing} missing; `touchmark receipt fetch --quorum` gets them"
                );
                failed("receipts", "TM-FEW-RECEIPTS", reason)
            }
        }
    }
}

/// The keys whose word counts, each with whose it is.
fn keys(root: &Root<'_>) -> Vec<(String, PublicKey)> {
    let given = root.keys.iter().map(|key| ("a given key".to_owned(), key.clone()));
    let validators = root.office.iter().flat_map(|office| &office.committee.validators);
    let validators = validators
        .filter_map(|it| Some((format!("validator {}", it.name), it.log_key.check().ok()?)));
    given.chain(validators).collect()
}

fn network(root: &Root<'_>, keys: &[(String, PublicKey)]) -> Check {
    match (keys.is_empty(), &root.office) {
        (false, Some(office)) => {
            let reason =
                format!("validators' keys are those of the network that you trust: {office}");
            passed("network", reason)
        }
        (false, None) => passed("network", "the keys that you gave stand for the network"),
        (true, _) => undecided(
            "network",
            "TM-NO-TRUST",
            "a receipt is checked with validators' keys: give the genesis document with --trust, or --key",
        ),
    }
}

/// What one receipt says.
enum Judged {
    Check(Check),
    /// Nobody whose word counts signed it.
    Stranger,
}

impl Judged {
    /// Beside receipts that count, one by a stranger counts nothing: it may be by a validator who
    /// came later.
    fn beside(self, counted: &Counted) -> Check {
        let reason = "no trusted key signed the root that this leaf and path lead to";
        match self {
            Self::Check(check) => check,
            Self::Stranger if counted.signers.is_empty() => {
                failed("inclusion", "TM-SIGNATURE", reason)
            }
            Self::Stranger => Check {
                name: "inclusion".into(),
                result: CheckResult::NotApplicable,
                reason: "not counted: none of the trusted keys signed it".into(),
                code: None,
            },
        }
    }
}

/// Whether a receipt proves that the leaf is in the log of somebody whose word counts.
fn inclusion(
    receipt: &Receipt<'_>,
    root: &Root<'_>,
    keys: &[(String, PublicKey)],
    counted: &mut Counted,
) -> Judged {
    Judged::Check(match (&root.leaf, receipt.proof()) {
        (_, Proof::Consistency { .. }) => {
            let reason = "it proves that a log grew, not that a leaf is in it";
            failed("inclusion", "TM-OTHER-PROOF", reason)
        }
        (None, _) => {
            let reason = "a receipt does not contain its leaf: give it with --leaf";
            undecided("inclusion", "TM-NO-LEAF", reason)
        }
        (Some(_), _) if keys.is_empty() => undecided("inclusion", "TM-NOT-RUN", NOT_RUN),
        (Some(_), _) if is_of_another(receipt, root) => {
            let reason = "it names another log or network than the one that you trust";
            failed("inclusion", "TM-WRONG-NETWORK", reason)
        }
        (Some(leaf), _) => return included(receipt, leaf, keys, counted),
    })
}

/// Whether a receipt names another log, or another network, than the genesis document.
fn is_of_another(receipt: &Receipt<'_>, root: &Root<'_>) -> bool {
    let Some(genesis) = &root.genesis else { return false };
    let header = receipt.header();
    header.issuer.is_some_and(|issuer| issuer != genesis.origin)
        || header.subject.is_some_and(|subject| subject != genesis.network_id().to_string())
}

fn included(
    receipt: &Receipt<'_>,
    leaf: &[u8],
    keys: &[(String, PublicKey)],
    counted: &mut Counted,
) -> Judged {
    let hash: Digest = merkle::leaf_hash(leaf);
    for (whose, key) in keys {
        match receipt.verify_inclusion(&hash, key, &PureVerifier) {
            Ok(included) => {
                let Included { index, size, .. } = included;
                counted.add(key, included);
                let reason = format!(
                    "{whose} signed the root of a log with this leaf: leaf {index} of {size}, as \
                     the receipt says"
                );
                return Judged::Check(passed("inclusion", reason));
            }
            Err(ReceiptError::Signature(_) | ReceiptError::OtherAlgorithm) => {}
            Err(error) => {
                return Judged::Check(failed("inclusion", "TM-INCLUSION", error.to_string()));
            }
        }
    }
    Judged::Stranger
}

/// Being in the log is not yet having an effect.
fn effect(leaf: &[u8]) -> Check {
    let negative = |code: u16, what| {
        let code = RefusalCode(code).name().unwrap_or("TM-DENIED");
        failed("effect", code, what)
    };
    match Leaf::decode(leaf) {
        Ok(Leaf::Accepted(_)) => passed("effect", "the rules accepted the statement"),
        Ok(Leaf::Evidence(_)) => passed("effect", "the evidence counted"),
        Ok(Leaf::Batch(_)) => passed("effect", "it is the last leaf of a batch"),
        Ok(Leaf::Denied { code, .. }) => negative(code, "the rules denied the statement"),
        Ok(Leaf::Sighting { code, .. }) => {
            negative(code, "a sighting: the thing was not authorised")
        }
        Ok(Leaf::Fork { .. }) => failed("effect", "TM-FORK", "it proves that a chain forked"),
        Err(_) => failed("effect", "TM-MALFORMED", "it is no leaf of this kind of log"),
    }
}
