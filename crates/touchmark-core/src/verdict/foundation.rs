//! From the network's root of trust to a certified log and state.

use super::{Check, Finding, Trust};
use alloc::vec::Vec;
use touchmark_wire::algorithm::{PureVerifier, SignatureVerifier, SignedBytes};
use touchmark_wire::bundle::{Bundle, Freshness, ProvedLeaf};
use touchmark_wire::certificate::{CommitteeKey, Namespace, ThresholdCertificate};
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::handover::Tenure;
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{NetworkId, TreeSize};
use touchmark_wire::leaf::{BatchLeaf, Leaf};
use touchmark_wire::merkle;
use touchmark_wire::ratchet::Position;
use touchmark_wire::trie::TrieProof;

/// What claims can build on.
pub(super) struct Foundation<'a> {
    pub(super) network: Option<NetworkId>,
    pub(super) as_of: Option<Position>,
    /// From genesis' committee to the one that certified.
    pub(super) committees: Vec<Digest>,
    pub(super) state: Option<TrieProof<'a>>,
}

/// Checks network, certificate, batch, state and freshness, in this order.
pub(super) fn examine<'a>(
    bundle: &Bundle<'a>,
    trust: &Trust<'_>,
    checks: &mut Vec<Check>,
) -> Foundation<'a> {
    let mut foundation =
        Foundation { network: None, as_of: None, committees: Vec::new(), state: None };
    let Some(genesis) = note(checks, "network", network(bundle, trust)) else {
        let missing = ["certificate", "log", "state", "freshness"];
        checks.extend(missing.map(Check::not_run));
        foundation.network = Genesis::decode(bundle.genesis).ok().map(|it| it.network_id());
        return foundation;
    };
    foundation.network = Some(genesis.network_id());
    let network = genesis.network_id();
    let followed = follow(bundle, network, genesis.committee.clone());
    let certified = followed.and_then(|tenure| certificate(bundle, network, tenure));
    let Some((as_of, committee)) = note(checks, "certificate", certified) else {
        checks.extend(["log", "state", "freshness"].map(Check::not_run));
        return foundation;
    };
    foundation.as_of = Some(as_of);
    foundation.committees = committees(&genesis, bundle);
    match note(checks, "log", batch(&bundle.batch, &as_of)) {
        Some(leaf) => {
            let state = TrieProof::verify(bundle.state, &leaf.state_root).map_err(|error| {
                Finding::fail("TM-STATE-PROOF", alloc::format!("the state proof fails: {error}"))
            });
            let passed =
                state.map(|state| (state, "the entries shown are part of the certified state"));
            foundation.state = note(checks, "state", passed);
        }
        None => checks.push(Check::not_run("state")),
    }
    let fresh = freshness(bundle.freshness.as_ref(), network, &committee, &as_of, trust);
    match fresh {
        Some(fresh) => {
            note(checks, "freshness", fresh.map(|reason| ((), reason)));
        }
        None => checks.push(Check {
            name: "freshness".into(),
            result: super::CheckResult::NotApplicable,
            reason: "the bundle proves what held at its time, not that nothing is newer".into(),
            code: None,
        }),
    }
    foundation
}

/// Writes a check down; gives what it found on.
fn note<T>(
    checks: &mut Vec<Check>,
    name: &'static str,
    result: Result<(T, &'static str), Finding>,
) -> Option<T> {
    match result {
        Ok((found, reason)) => {
            checks.push(Check::pass(name, reason));
            Some(found)
        }
        Err(finding) => {
            checks.push(finding.into_check(name));
            None
        }
    }
}

fn network(bundle: &Bundle<'_>, trust: &Trust<'_>) -> Result<(Genesis, &'static str), Finding> {
    let genesis = Genesis::decode(bundle.genesis)
        .map_err(|_| Finding::fail("TM-MALFORMED", "the genesis document is malformed"))?;
    let own = genesis.network_id();
    match trust.network {
        Some(trusted) if trusted == own => {
            Ok((genesis, "the bundle speaks of the network that you trust"))
        }
        Some(trusted) => {
            let reason = alloc::format!("the bundle is of network {own}, you trust {trusted}");
            Err(Finding::fail("TM-WRONG-NETWORK", reason))
        }
        None => {
            let reason = alloc::format!("no trusted network was given; the bundle speaks of {own}");
            Err(Finding::unknown("TM-NO-TRUST", reason))
        }
    }
}

/// From genesis' committee over the bundle's hand-overs to the one that certifies.
fn follow(bundle: &Bundle<'_>, network: NetworkId, genesis: Committee) -> Result<Tenure, Finding> {
    let mut tenure = Tenure::first(genesis);
    for (handover, number) in bundle.handovers.0.iter().zip(1u64..) {
        tenure = tenure.follow(network, handover).map_err(|error| {
            let reason = alloc::format!("hand-over {number} does not hold: {error}");
            Finding::fail("TM-HANDOVER", reason)
        })?;
    }
    Ok(tenure)
}

/// The certified state, and the committee that certified it.
fn certificate(
    bundle: &Bundle<'_>,
    network: NetworkId,
    Tenure { committee, since }: Tenure,
) -> Result<((Position, Committee), &'static str), Finding> {
    let fail = |reason| Finding::fail("TM-CERTIFICATE", reason);
    let (mut first, mut last) = (None, None);
    for encoded in &bundle.headers {
        let header =
            BatchHeader::decode(encoded.0).map_err(|_| fail("a batch header is malformed"))?;
        if last.is_some_and(|last| header.parent != BatchHeader::digest(last)) {
            return Err(fail("the headers are not a chain"));
        }
        if header.epoch != committee.epoch || header.height < since {
            return Err(other_committee());
        }
        // The last header of a term may name a successor, to whom no step leads from here.
        if header.next != committee.digest() && !header.height.ends_term() {
            return Err(other_committee());
        }
        last = Some(encoded.0);
        first = first.or(Some(header));
    }
    let first = first.ok_or_else(|| fail("there is no header"))?;
    let last = last.ok_or_else(|| fail("there is no header"))?;
    let certificate = ThresholdCertificate::parse(bundle.certificate)
        .map_err(|_| fail("the certificate is malformed"))?;
    let key = CommitteeKey::parse(&committee.certificate_key.0)
        .map_err(|_| fail("the committee's key is not a valid point"))?;
    certificate
        .verify(last, &Namespace::of(&network), &key)
        .map_err(|error| Finding::fail("TM-CERTIFICATE", alloc::format!("{error}")))?;
    let as_of = Position {
        height: first.height,
        time: first.time,
        size: first.size,
        root: first.root,
        header: BatchHeader::digest(bundle.headers[0].0),
        epoch: committee.epoch,
        committee: committee.digest(),
    };
    Ok(((as_of, committee), "the network's committee has certified this state of the log"))
}

/// Digests of all committees that a followed bundle leads through.
fn committees(genesis: &Genesis, bundle: &Bundle<'_>) -> Vec<Digest> {
    let later = bundle.handovers.0.iter().map(|handover| &handover.committee);
    core::iter::once(&genesis.committee).chain(later).map(Committee::digest).collect()
}

fn other_committee() -> Finding {
    let reason = "the header belongs to a committee that the bundle does not lead to";
    Finding::fail("TM-HANDOVER", reason)
}

fn batch(leaf: &ProvedLeaf<'_>, as_of: &Position) -> Result<(BatchLeaf, &'static str), Finding> {
    let fail = |reason| Finding::fail("TM-INCLUSION", reason);
    if leaf.index.size() != as_of.size {
        return Err(fail("the batch leaf is not the last one of the certified log"));
    }
    included(leaf, &merkle::leaf_hash(leaf.leaf), as_of.size, &as_of.root)?;
    match Leaf::decode(leaf.leaf) {
        Ok(Leaf::Batch(batch)) => Ok((batch, "the last leaf of the certified log fixes the state")),
        _ => Err(fail("the last leaf of the log is not a batch leaf")),
    }
}

/// Checks a leaf's inclusion path.
pub(super) fn included(
    leaf: &ProvedLeaf<'_>,
    hash: &Digest,
    size: TreeSize,
    root: &Digest,
) -> Result<(), Finding> {
    merkle::verify_inclusion(hash, leaf.index, size, leaf.path.iter(), root).map_err(|error| {
        Finding::fail(
            "TM-INCLUSION",
            alloc::format!("leaf {} is not in the log: {error}", leaf.index),
        )
    })
}

/// `None` when neither bundle nor reader speaks of freshness.
fn freshness(
    freshness: Option<&Freshness<'_>>,
    network: NetworkId,
    committee: &Committee,
    as_of: &Position,
    trust: &Trust<'_>,
) -> Option<Result<&'static str, Finding>> {
    let fail = |code, reason| Some(Err(Finding::fail(code, reason)));
    match (freshness, trust.nonce) {
        (None, None) => None,
        (None, Some(_)) => fail("TM-NOT-FRESH", "the bundle does not answer your nonce"),
        (Some(_), None) => Some(Err(Finding::unknown(
            "TM-NO-NONCE",
            "the bundle answers a nonce; give the one you chose to check it",
        ))),
        (Some(fresh), Some(nonce)) if fresh.nonce != nonce => {
            fail("TM-NOT-FRESH", "the bundle answers another nonce")
        }
        (Some(fresh), Some(_)) => Some(quorum(fresh, network, committee, as_of)),
    }
}

fn quorum(
    fresh: &Freshness<'_>,
    network: NetworkId,
    committee: &Committee,
    as_of: &Position,
) -> Result<&'static str, Finding> {
    let fail = |reason| Finding::fail("TM-NOT-FRESH", reason);
    if answers(fresh, network, committee, as_of).map_err(fail)? < usize::from(committee.threshold) {
        return Err(fail("fewer validators signed than the network asks"));
    }
    Ok("enough validators signed your nonce with this state of the log")
}

/// How many validators of `committee` signed a nonce with this state of the log; an error says what
/// is wrong with a signature.
pub fn answers(
    fresh: &Freshness<'_>,
    network: NetworkId,
    Committee { validators, .. }: &Committee,
    as_of: &Position,
) -> Result<usize, &'static str> {
    let message = Freshness::message(network, fresh.nonce, as_of.size, as_of.root);
    let message = SignedBytes::new([&message[..]]);
    let mut counted = Vec::new();
    for (place, signature) in &fresh.signatures {
        let Some(validator) = validators.get(usize::from(*place)) else {
            return Err("a signature is of no validator");
        };
        let verified = validator
            .log_key
            .check()
            .is_ok_and(|key| PureVerifier.verify(&key, &message, signature.0).is_ok());
        if !verified {
            return Err("a validator's signature does not verify");
        }
        if !counted.contains(&validator.log_key) {
            counted.push(validator.log_key);
        }
    }
    Ok(counted.len())
}
