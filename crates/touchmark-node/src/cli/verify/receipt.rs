//! The verdict on a receipt: one validator's word that a leaf is in its log.

use super::Root;
use super::verdict::{AsOf, Verdict, failed, no_freshness, passed, undecided};
use touchmark_core::verdict::Check;
use touchmark_wire::algorithm::{PublicKey, PureVerifier};
use touchmark_wire::hash::Digest;
use touchmark_wire::leaf::Leaf;
use touchmark_wire::merkle;
use touchmark_wire::receipt::{Included, Proof, Receipt, ReceiptError};
use touchmark_wire::registry::RefusalCode;

const NOT_RUN: &str = "not run, because what it depends on is missing or failed";

pub(super) fn verdict(file: String, receipt: &Receipt<'_>, root: &Root) -> Verdict {
    let mut checks = vec![passed("format", "it is a well-formed receipt")];
    let keys = keys(root);
    checks.push(network(root, &keys));
    let mut as_of = None;
    match (&root.leaf, receipt.proof()) {
        (_, Proof::Consistency { .. }) => {
            let reason = "it proves that a log grew, not that a leaf is in it";
            checks.push(failed("inclusion", "TM-OTHER-PROOF", reason));
        }
        (None, _) => {
            let reason = "a receipt does not contain its leaf: give it with --leaf";
            checks.push(undecided("inclusion", "TM-NO-LEAF", reason));
        }
        (Some(_), _) if keys.is_empty() => {
            checks.push(undecided("inclusion", "TM-NOT-RUN", NOT_RUN));
        }
        (Some(leaf), _) => match included(receipt, leaf, &keys) {
            Ok((included, reason)) => {
                as_of = Some(AsOf::log(included.size, &included.root));
                checks.push(passed("inclusion", reason));
                checks.push(effect(leaf));
            }
            Err(check) => checks.push(check),
        },
    }
    checks.push(no_freshness(root.nonce.as_ref()));
    Verdict::new(file, checks).of(root.network, as_of)
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

fn included(
    receipt: &Receipt<'_>,
    leaf: &[u8],
    keys: &[(String, PublicKey)],
) -> Result<(Included, String), Check> {
    let hash: Digest = merkle::leaf_hash(leaf);
    for (whose, key) in keys {
        match receipt.verify_inclusion(&hash, key, &PureVerifier) {
            Ok(included) => {
                let Included { index, size, .. } = included;
                let reason = format!("{whose} signed that this is leaf {index} of {size}");
                return Ok((included, reason));
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
