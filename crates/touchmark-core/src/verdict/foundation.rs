//! From the network's root of trust to a certified log and state.

use super::anchor::{self, Anchored, Log};
use super::certificate::{Certified, certified, committees, kind, quorum};
use super::{AsOf, CertificateKind, Check, Finding, Trust};
use alloc::vec::Vec;
use core::cmp::Ordering;
use touchmark_wire::bundle::{Bundle, Claim, ProvedLeaf};
use touchmark_wire::genesis::{Genesis, RULES_VERSION};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{NetworkId, TreeSize};
use touchmark_wire::leaf::{BatchLeaf, Leaf};
use touchmark_wire::merkle;
use touchmark_wire::ratchet::Position;
use touchmark_wire::trie::TrieProof;

/// What claims can build on.
#[derive(Default)]
pub(super) struct Foundation<'a> {
    pub(super) network: Option<NetworkId>,
    pub(super) certificate: Option<CertificateKind>,
    pub(super) as_of: Option<AsOf>,
    pub(super) position: Option<Position>,
    /// From genesis' committee to the one that certified.
    pub(super) committees: Vec<Digest>,
    pub(super) anchored: Option<Anchored>,
    pub(super) state: Option<TrieProof<'a>>,
}

/// Checks network, certificate, batch, state, freshness, what was seen before and the anchor, in this
/// order.
pub(super) fn examine<'a>(
    bundle: &Bundle<'a>,
    trust: &Trust<'_>,
    checks: &mut Vec<Check>,
) -> Foundation<'a> {
    let mut foundation = Foundation::default();
    let kind = kind(bundle, trust.certificates);
    let Some(genesis) = note(checks, "network", network(bundle, trust)) else {
        let missing = [kind.check(), "log", "state", "freshness"];
        checks.extend(missing.map(Check::not_run));
        checks.extend(not_compared(trust).map(Check::not_run));
        foundation.network = Genesis::decode(bundle.genesis).ok().map(|it| it.network_id());
        return foundation;
    };
    let network = genesis.network_id();
    foundation.network = Some(network);
    let Some(certified) = note(checks, kind.check(), certified(bundle, &genesis, kind)) else {
        checks.extend(["log", "state", "freshness"].map(Check::not_run));
        checks.extend(not_compared(trust).map(Check::not_run));
        return foundation;
    };
    foundation.certificate = Some(certified.kind);
    foundation.position = certified.position;
    foundation.as_of = certified.position.map(AsOf::from);
    foundation.committees = committees(&genesis, bundle);
    match note(checks, "log", batch(&bundle.batch, &certified)) {
        Some(BatchLeaf { height, time, state_root }) => {
            let Certified { size, root, .. } = certified;
            foundation.as_of.get_or_insert(AsOf { height, time, size, root });
            let state = TrieProof::verify(bundle.state, &state_root).map_err(|error| {
                Finding::fail("TM-STATE-PROOF", alloc::format!("the state proof fails: {error}"))
            });
            let passed =
                state.map(|state| (state, "the entries shown are part of the certified state"));
            foundation.state = note(checks, "state", passed);
        }
        None => checks.push(Check::not_run("state")),
    }
    match freshness(bundle, network, &certified, trust) {
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
    let log = (certified.size, &certified.root);
    if let Some(seen) = trust.seen {
        note(checks, "seen before", continues(bundle, seen, log).map(|reason| ((), reason)));
    }
    let Some(as_of) = foundation.as_of else {
        checks.extend(trust.anchor.map(|_| Check::not_run(anchor::NAME)));
        return foundation;
    };
    let log = Log { network, origin: &genesis.origin, as_of };
    match anchor::examine(bundle, &log, trust.anchor.as_ref()) {
        Some(Ok((anchored, check))) => {
            foundation.anchored = Some(anchored);
            checks.push(check);
        }
        Some(Err(check)) => checks.push(check),
        None => {}
    }
    foundation
}

/// The checks that a reader asks for and that need the certified log.
fn not_compared(trust: &Trust<'_>) -> impl Iterator<Item = &'static str> {
    let seen = trust.seen.map(|_| "seen before");
    seen.into_iter().chain(trust.anchor.map(|_| anchor::NAME))
}

/// Whether the log begins with the one that the reader saw before. That a claim about it holds is
/// checked where all claims are.
fn continues(
    bundle: &Bundle<'_>,
    (size, root): (TreeSize, Digest),
    (now, now_root): (TreeSize, &Digest),
) -> Result<&'static str, Finding> {
    match merkle::order((size, &root), (now, now_root)) {
        None => Err(Finding::fail(
            "TM-LOG-SPLIT",
            alloc::format!("you saw another log of {size} leaves: the network shows two"),
        )),
        Some(Ordering::Equal) => Ok("it is the log that you saw before"),
        Some(Ordering::Greater) => Err(Finding::fail(
            "TM-LOG-ROLLED-BACK",
            alloc::format!("you saw {size} leaves of the log before, this has {now}"),
        )),
        Some(Ordering::Less) => continued_since(bundle, (size, root), (now, now_root)),
    }
}

/// What the bundle claims of the log that the reader saw. Only a path that leads from another root
/// says that there are two.
fn continued_since(
    bundle: &Bundle<'_>,
    (size, root): (TreeSize, Digest),
    log: (TreeSize, &Digest),
) -> Result<&'static str, Finding> {
    let claims = || {
        bundle.claims.iter().filter_map(|claim| match claim {
            Claim::Continues(old, old_root, path) if *old == size => Some((old_root, path)),
            _ => None,
        })
    };
    if claims().any(|(old_root, _)| *old_root == root) {
        return Ok("the bundle claims to continue the log that you saw before");
    }
    let Some((other, path)) = claims().next() else {
        let reason =
            alloc::format!("the bundle does not say that it continues the log of {size} leaves");
        return Err(Finding::unknown("TM-NOT-COVERED", reason));
    };
    continued((size, other), log, path.iter().copied())?;
    let reason = "the log continues one of that size with another root than you saw: the network \
                  shows two";
    Err(Finding::fail("TM-LOG-SPLIT", reason))
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
    if genesis.rules > RULES_VERSION {
        let needed = genesis.rules;
        let reason = alloc::format!("the network has rules of version {needed}, newer than these");
        return Err(Finding::unknown("TM-RULES", reason));
    }
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

fn batch(
    leaf: &ProvedLeaf<'_>,
    certified: &Certified,
) -> Result<(BatchLeaf, &'static str), Finding> {
    let fail = |reason| Finding::fail("TM-INCLUSION", reason);
    if leaf.index.size() != certified.size {
        return Err(fail("the batch leaf is not the last one of the certified log"));
    }
    included(leaf, &merkle::leaf_hash(leaf.leaf), certified.size, &certified.root)?;
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

/// Checks a consistency path.
pub(super) fn continued(
    (old, old_root): (TreeSize, &Digest),
    (new, new_root): (TreeSize, &Digest),
    path: impl IntoIterator<Item = Digest>,
) -> Result<(), Finding> {
    merkle::verify_consistency(old, old_root, new, new_root, path).map_err(|error| {
        let reason = alloc::format!(
            "nothing shows that the log of {new} leaves begins with that of {old}: {error}"
        );
        Finding::fail("TM-INCONSISTENT", reason)
    })
}

/// `None` when neither bundle nor reader speaks of freshness.
fn freshness(
    bundle: &Bundle<'_>,
    network: NetworkId,
    certified: &Certified,
    trust: &Trust<'_>,
) -> Option<Result<&'static str, Finding>> {
    let fail = |code, reason| Some(Err(Finding::fail(code, reason)));
    match (&bundle.freshness, trust.nonce) {
        (None, None) => None,
        (None, Some(_)) => fail("TM-NOT-FRESH", "the bundle does not answer your nonce"),
        (Some(_), None) => Some(Err(Finding::unknown(
            "TM-NO-NONCE",
            "the bundle answers a nonce; give the one you chose to check it",
        ))),
        (Some(fresh), Some(nonce)) if fresh.nonce != nonce => {
            fail("TM-NOT-FRESH", "the bundle answers another nonce")
        }
        (Some(fresh), Some(_)) => Some(quorum(fresh, network, certified)),
    }
}
