//! What another network says of the log: a checkpoint of it that somebody recorded there.

use super::foundation::continued;
use super::{AsOf, Check, CheckResult, Finding, Trust, judge};
use alloc::borrow::Cow;
use alloc::format;
use touchmark_wire::bundle::{Anchor, Bundle, Claim};
use touchmark_wire::checkpoint::SignedCheckpoint;
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
    /// How much older than the log's own certified state the other network's may be, milliseconds;
    /// any age without it.
    pub age: Option<u64>,
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

/// The log that is to be anchored.
#[derive(Clone, Copy)]
pub(super) struct Log<'a> {
    pub(super) network: NetworkId,
    pub(super) origin: &'a str,
    pub(super) as_of: AsOf,
}

pub(super) const NAME: &str = "anchor";

/// `None` when neither bundle nor reader speaks of an anchor.
pub(super) fn examine(
    bundle: &Bundle<'_>,
    log: &Log<'_>,
    trusted: Option<&TrustedAnchor>,
) -> Option<Result<(Anchored, Check), Check>> {
    let judged = match (bundle.anchor, trusted) {
        (None, None) => return None,
        (Some(_), None) => {
            let reason = "another network is said to have recorded this log; name it to have that \
                          examined";
            let result = CheckResult::NotApplicable;
            let (name, reason) = (NAME.into(), reason.into());
            return Some(Err(Check { name, result, reason, code: None }));
        }
        (None, Some(_)) => Err(fail("the bundle shows no anchor")),
        (Some(anchor), Some(trusted)) => holds(bundle, &anchor, log, trusted),
    };
    Some(judged.map_err(|finding| finding.into_check(NAME)))
}

fn fail(reason: impl Into<Cow<'static, str>>) -> Finding {
    Finding::fail("TM-NOT-ANCHORED", reason)
}

fn holds(
    bundle: &Bundle<'_>,
    anchor: &Anchor<'_>,
    log: &Log<'_>,
    trusted: &TrustedAnchor,
) -> Result<(Anchored, Check), Finding> {
    if trusted.network == log.network {
        return Err(fail("a network says nothing more of its own log by recording it"));
    }
    let (anchored, root) = recorded(anchor.bundle, trusted, log.origin)?;
    let AsOf { size: now, root: now_root, time, .. } = log.as_of;
    continued((anchored.size, &root), (now, &now_root), anchor.path.iter())?;
    let older = time.0.saturating_sub(anchored.as_of.time.0);
    if trusted.age.is_some_and(|age| older > age) {
        let reason = format!(
            "what the other network says is {older} ms older than this log: it may have another last \
             word since"
        );
        return Err(fail(reason));
    }
    let newer = bundle.claims.iter().find_map(|claim| match claim {
        Claim::Record(leaf) if leaf.0 >= anchored.size.0 => Some(leaf),
        _ => None,
    });
    let Anchored { network, by, leaf, size, .. } = anchored;
    if let Some(newer) = newer {
        let reason = format!(
            "leaf {newer} is newer than the {size} leaves that network {network} has recorded"
        );
        return Err(Finding::unknown("TM-NOT-COVERED", reason));
    }
    let rest = if size == now {
        ""
    } else {
        "; of later leaves, and of the state since then, it says nothing"
    };
    let reason = format!(
        "network {network} has the checkpoint of the first {size} leaves as its leaf {leaf}, the last \
         word of {by} there; this log continues it{rest}"
    );
    Ok((anchored, Check::pass(NAME, reason)))
}

/// The checkpoint of the log called `origin` that a bundle of the other network proves to be
/// recorded there, on the engine's certificate, and its root; otherwise the check that fails.
pub fn anchored(
    bytes: &[u8],
    trusted: &TrustedAnchor,
    origin: &str,
) -> Result<(Anchored, Digest), Check> {
    recorded(bytes, trusted, origin).map_err(|finding| finding.into_check(NAME))
}

fn recorded(
    bytes: &[u8],
    trusted: &TrustedAnchor,
    origin: &str,
) -> Result<(Anchored, Digest), Finding> {
    let there = Trust { network: Some(trusted.network), ..Trust::default() };
    let verdict = judge(bytes, &there);
    if let Some(check) = verdict.failure() {
        let reason = format!("what the other network says is not proved: {}", check.reason);
        return Err(Finding { result: check.result, ..fail(reason) });
    }
    let (true, Some(as_of)) = (verdict.valid, verdict.as_of) else {
        return Err(fail("what the other network says is not proved"));
    };
    let bundle =
        Bundle::decode(bytes).map_err(|_| fail("what the other network says is no bundle"))?;
    let last = |leaf: &LeafIndex| bundle.claims.contains(&Claim::Latest(*leaf));
    let mut records = bundle.claims.iter().filter_map(|claim| match claim {
        Claim::Record(leaf) => Some(*leaf),
        _ => None,
    });
    let leaf = records.find(last).ok_or_else(|| {
        fail("the other network's bundle does not show a record that is its issuer's last word")
    })?;
    let found = bundle.leaf(leaf).and_then(|proved| recorded_note(proved.leaf));
    let (by, note) =
        found.ok_or_else(|| fail(format!("leaf {leaf} of the other network is no checkpoint")))?;
    let checkpoint = note.checkpoint();
    if checkpoint.origin() != origin {
        let reason = format!("leaf {leaf} of the other network is a checkpoint of another log");
        return Err(fail(reason));
    }
    if trusted.by.is_some_and(|trusted| trusted != by) {
        return Err(fail(format!("{by} recorded it, whose word you do not ask for")));
    }
    let (network, size) = (trusted.network, checkpoint.size);
    Ok((Anchored { network, by, leaf, size, as_of }, checkpoint.root))
}

/// Whose record of a log's checkpoint a leaf is, and the checkpoint as a signed note: a record in its
/// issuer's main chain with the note as text. Neither the note's lines nor the record's signature is
/// checked. Of an empty log there is nothing to say.
pub fn recorded_note(leaf: &[u8]) -> Option<(ThingId, SignedCheckpoint<'_>)> {
    let Ok(Leaf::Accepted(bytes)) = Leaf::decode(leaf) else { return None };
    let statement = Statement::parse(bytes).ok()?;
    let protected = statement.protected();
    let is_text = protected.content == Content::Inline(ContentFormat::TEXT);
    if protected.link.kind != StatementKind::RECORD || protected.link.channel.is_some() || !is_text
    {
        return None;
    }
    let note = SignedCheckpoint::parse(statement.payload()).ok()?;
    (note.checkpoint().size.0 > 0).then_some((protected.kid.thing, note))
}
