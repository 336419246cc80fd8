//! What another network says of the log: a checkpoint of it that somebody recorded there.

use super::foundation::continued;
use super::{Accepted, AsOf, Check, CheckResult, Finding, Trust, judge};
use alloc::format;
use touchmark_wire::bundle::{Bundle, Claim};
use touchmark_wire::checkpoint::{Checkpoint, SignedCheckpoint};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, NetworkId, ThingId, TreeSize};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::registry::{ContentFormat, StatementKind};
use touchmark_wire::statement::{Content, Statement};

/// Whose word on the log counts, besides its own network's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrustedAnchor {
    /// The network in which checkpoints are recorded.
    pub network: NetworkId,
    /// Who records them. Whoever else does may record those of another log; without it the verdict
    /// only says who it was.
    pub by: Option<ThingId>,
}

/// A checkpoint that another network has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Anchored {
    /// The other network.
    pub network: NetworkId,
    /// Who recorded it.
    pub by: ThingId,
    /// Where it is in that network's log.
    pub leaf: LeafIndex,
    /// How many leaves the log had that was recorded.
    pub size: TreeSize,
    /// The certified state of the other network's log in which it was the last word of `by`.
    pub as_of: AsOf,
}

const NAME: &str = "anchor";

/// `None` when neither bundle nor reader speaks of an anchor.
pub(super) fn examine(
    bundle: &Bundle<'_>,
    origin: &str,
    log: (TreeSize, &Digest),
    trust: &Trust<'_>,
) -> Option<Result<(Anchored, Check), Check>> {
    match (bundle.anchor, trust.anchor) {
        (None, None) => None,
        (Some(_), None) => Some(Err(Check {
            name: NAME.into(),
            result: CheckResult::NotApplicable,
            reason:
                "another network is said to have recorded this log; name it to have that examined"
                    .into(),
            code: None,
        })),
        (None, Some(_)) => {
            let finding = Finding::fail("TM-NOT-ANCHORED", "the bundle shows no anchor");
            Some(Err(finding.into_check(NAME)))
        }
        (Some(anchor), Some(trusted)) => {
            let judged =
                recorded(anchor.bundle, &trusted, origin, trust.certificates).and_then(|found| {
                    let (anchored, root) = found;
                    continued((anchored.size, &root), log, anchor.path.iter())?;
                    Ok(anchored)
                });
            Some(judged.map(pass).map_err(|finding| finding.into_check(NAME)))
        }
    }
}

fn pass(anchored: Anchored) -> (Anchored, Check) {
    let Anchored { network, by, leaf, size, .. } = anchored;
    let reason = format!(
        "network {network} has the checkpoint of the first {size} leaves as its leaf {leaf}, the last \
         word of {by} there; this log continues it"
    );
    (anchored, Check::pass(NAME, reason))
}

/// The checkpoint of the log called `origin` that a bundle of the other network proves to be
/// recorded there, and its root; otherwise the check that fails.
pub fn anchored(
    bytes: &[u8],
    trusted: &TrustedAnchor,
    origin: &str,
    certificates: Accepted,
) -> Result<(Anchored, Digest), Check> {
    recorded(bytes, trusted, origin, certificates).map_err(|finding| finding.into_check(NAME))
}

fn recorded(
    bytes: &[u8],
    trusted: &TrustedAnchor,
    origin: &str,
    certificates: Accepted,
) -> Result<(Anchored, Digest), Finding> {
    let fail = |reason| Finding::fail("TM-NOT-ANCHORED", reason);
    let there = Trust { network: Some(trusted.network), certificates, ..Trust::default() };
    let verdict = judge(bytes, &there);
    if let Some(check) = verdict.checks.iter().find(|check| !check.result.holds()) {
        let reason = format!("what the other network says is not proved: {}", check.reason);
        return Err(Finding {
            result: check.result,
            code: "TM-NOT-ANCHORED",
            reason: reason.into(),
        });
    }
    let (true, Some(as_of)) = (verdict.valid, verdict.as_of) else {
        return Err(fail("what the other network says is not proved".into()));
    };
    let bundle = Bundle::decode(bytes)
        .map_err(|_| fail("what the other network says is no bundle".into()))?;
    let last = |leaf: &LeafIndex| bundle.claims.contains(&Claim::Latest(*leaf));
    let records = bundle.claims.iter().filter_map(|claim| match claim {
        Claim::Record(leaf) => Some(*leaf),
        _ => None,
    });
    let leaf = records.clone().find(last).ok_or_else(|| {
        fail(
            "the other network's bundle does not show a record that is its issuer's last word"
                .into(),
        )
    })?;
    let found = bundle.leaf(leaf).and_then(|proved| recorded_checkpoint(proved.leaf));
    let (by, checkpoint) =
        found.ok_or_else(|| fail(format!("leaf {leaf} of the other network is no checkpoint")))?;
    if checkpoint.origin() != origin {
        return Err(fail(format!(
            "leaf {leaf} of the other network is a checkpoint of another log"
        )));
    }
    if trusted.by.is_some_and(|trusted| trusted != by) {
        return Err(fail(format!("{by} recorded it, whose word you do not ask for")));
    }
    let anchored = Anchored { network: trusted.network, by, leaf, size: checkpoint.size, as_of };
    Ok((anchored, checkpoint.root))
}

/// Whose record of a log's checkpoint a leaf is, and that checkpoint: a record in its issuer's main
/// chain with a signed note as text. Neither the note's lines nor the record's signature is checked.
pub fn recorded_checkpoint(leaf: &[u8]) -> Option<(ThingId, Checkpoint<'_>)> {
    let Ok(Leaf::Accepted(bytes)) = Leaf::decode(leaf) else { return None };
    let statement = Statement::parse(bytes).ok()?;
    let protected = statement.protected();
    let is_text = protected.content == Content::Inline(ContentFormat::TEXT);
    if protected.link.kind != StatementKind::RECORD || protected.link.channel.is_some() || !is_text
    {
        return None;
    }
    let note = SignedCheckpoint::parse(statement.payload()).ok()?;
    Some((protected.kid.thing, *note.checkpoint()))
}
