//! The verdict on receipts: validators' word that a leaf is in their log.
//!
//! One validator may lie, so a reader wants the receipts of as many that one of them is honest
//! (f+1). All receipts that are given are of one leaf and make one verdict.

use super::Root;
use super::verdict::{AsOf, Verdict, failed, no_freshness, passed, undecided};
use std::collections::BTreeMap;
use touchmark_api::sequence;
use touchmark_core::verdict::Check;
use touchmark_wire::algorithm::{PublicKey, PureVerifier};
use touchmark_wire::genesis::Committee;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, TreeSize};
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
    pub(super) fn verdict(&self, root: &Root) -> Option<Verdict> {
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
        for receipt in &receipts {
            checks.push(inclusion(receipt, root, &keys, &mut counted));
        }
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
        let as_of = counted.roots.last_key_value().filter(|_| runs);
        let as_of = as_of.map(|(size, root)| AsOf::log(TreeSize(*size), root));
        Some(Verdict::new(self.files.join(", "), checks).of(root.network, as_of))
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

    /// Whether they cannot all be true.
    fn contradiction(&self) -> Option<Check> {
        if self.splits {
            let reason = "validators signed two logs of the same size: together the receipts \
                          convict one of them";
            return Some(failed("agreement", "TM-LOG-SPLIT", reason));
        }
        (self.places.len() > 1).then(|| {
            failed("agreement", "TM-OTHER-PROOF", "the receipts are of different places in the log")
        })
    }

    /// Whether so many signed that one of them is honest.
    fn enough(&self, root: &Root) -> Check {
        let committee = root.genesis.as_ref().map(|genesis| &genesis.committee);
        let own = committee.map_or(1, Committee::receipts);
        let (wanted, signed) = (root.receipts.unwrap_or(own), self.signers.len());
        let policy = if wanted == own {
            "the network's policy".to_owned()
        } else {
            format!("as you say, where the network's policy is {own}")
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
fn keys(root: &Root) -> Vec<(String, PublicKey)> {
    let given = root.key.iter().map(|key| ("the given key".to_owned(), key.clone()));
    let validators = root.genesis.iter().flat_map(|genesis| &genesis.committee.validators);
    let validators = validators
        .filter_map(|it| Some((format!("validator {}", it.name), it.log_key.check().ok()?)));
    given.chain(validators).collect()
}

fn network(root: &Root, keys: &[(String, PublicKey)]) -> Check {
    match (keys.is_empty(), &root.network) {
        (false, Some(_)) => {
            passed("network", "validators' keys are those of the network that you trust")
        }
        (false, None) => passed("network", "the key that you gave stands for the network"),
        (true, _) => undecided(
            "network",
            "TM-NO-TRUST",
            "a receipt is checked with validators' keys: give the genesis document with --trust, or --key",
        ),
    }
}

/// Whether a receipt proves that the leaf is in the log of somebody whose word counts.
fn inclusion(
    receipt: &Receipt<'_>,
    root: &Root,
    keys: &[(String, PublicKey)],
    counted: &mut Counted,
) -> Check {
    match (&root.leaf, receipt.proof()) {
        (_, Proof::Consistency { .. }) => {
            let reason = "it proves that a log grew, not that a leaf is in it";
            failed("inclusion", "TM-OTHER-PROOF", reason)
        }
        (None, _) => {
            let reason = "a receipt does not contain its leaf: give it with --leaf";
            undecided("inclusion", "TM-NO-LEAF", reason)
        }
        (Some(_), _) if keys.is_empty() => undecided("inclusion", "TM-NOT-RUN", NOT_RUN),
        (Some(leaf), _) => included(receipt, leaf, keys, counted).unwrap_or_else(|check| check),
    }
}

fn included(
    receipt: &Receipt<'_>,
    leaf: &[u8],
    keys: &[(String, PublicKey)],
    counted: &mut Counted,
) -> Result<Check, Check> {
    let hash: Digest = merkle::leaf_hash(leaf);
    for (whose, key) in keys {
        match receipt.verify_inclusion(&hash, key, &PureVerifier) {
            Ok(included) => {
                let Included { index, size, .. } = included;
                counted.add(key, included);
                let reason = format!("{whose} signed that this is leaf {index} of {size}");
                return Ok(passed("inclusion", reason));
            }
            Err(ReceiptError::Signature(_) | ReceiptError::OtherAlgorithm) => {}
            Err(error) => return Err(failed("inclusion", "TM-INCLUSION", error.to_string())),
        }
    }
    let reason = "no trusted key signed the root that this leaf and path lead to";
    Err(failed("inclusion", "TM-SIGNATURE", reason))
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
