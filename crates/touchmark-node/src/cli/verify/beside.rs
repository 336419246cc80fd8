//! What a reader asks beside its network's own word: that the log continues the one that it kept, and
//! that another network has it.

use super::Verify;
use super::verdict::{failed, passed, undecided};
use crate::anchor::trusted;
use crate::cli::failure::{Failure, Fault};
use crate::cli::input;
use crate::cli::session::Session;
use std::cmp::Ordering;
use std::path::Path;
use touchmark_core::verdict::{Check, TrustedAnchor};
use touchmark_wire::bundle::Bundle;
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::TreeSize;
use touchmark_wire::merkle;

/// What it asks.
pub(super) struct Beside {
    pub(super) anchor: Option<TrustedAnchor>,
    /// The log as it was kept.
    kept: Option<Log>,
}

/// A log at a moment, as a file has it; nothing of it is checked.
struct Log {
    origin: String,
    size: TreeSize,
    root: Digest,
}

const SEEN: &str = "seen before";

impl Beside {
    pub(super) fn of(session: &mut Session<'_, '_>, verify: &Verify) -> Result<Self, Failure> {
        let age = u64::try_from(verify.anchor_age.as_millis()).ok();
        let anchor = verify.anchor.as_deref().map(|text| {
            let trusted = trusted(text).map(|trusted| TrustedAnchor { age, ..trusted });
            trusted.ok_or_else(|| {
                Failure::new(Fault::Usage, format!("`{text}` names no anchor"))
                    .because("it is a network's id, 64 hexadecimal digits, or that with `:` and a thing's id")
                    .hint("`touchmark network status` of the log's node shows its anchor")
            })
        });
        let kept = verify.continues.as_deref().map(|path| Log::read(session, path));
        Ok(Self { anchor: anchor.transpose()?, kept: kept.transpose()? })
    }

    /// What the bundle's log must continue; the check that fails where another log was kept.
    pub(super) fn of_bundle(&self, bytes: &[u8]) -> (Option<(TreeSize, Digest)>, Option<Check>) {
        let Some(kept) = &self.kept else { return (None, None) };
        let genesis = Bundle::decode(bytes).ok().and_then(|it| Genesis::decode(it.genesis).ok());
        match genesis.filter(|genesis| genesis.origin != kept.origin) {
            Some(other) => (None, Some(kept.is_of_another(&other.origin))),
            None => (Some((kept.size, kept.root)), None),
        }
    }

    /// What a checkpoint alone can show of it.
    pub(super) fn of_note(&self, note: &SignedCheckpoint<'_>) -> Vec<Check> {
        let now = note.checkpoint();
        let kept = self.kept.as_ref().map(|kept| {
            if now.origin() != kept.origin {
                return kept.is_of_another(now.origin());
            }
            match merkle::order((kept.size, &kept.root), (now.size, &now.root)) {
                Some(Ordering::Equal) => passed(SEEN, "it is the log that you saw before"),
                None => failed(SEEN, Fault::LogSplit.code(), "you saw another log of this size"),
                Some(Ordering::Greater) => failed(
                    SEEN,
                    Fault::LogRolledBack.code(),
                    "you saw more leaves of the log before",
                ),
                Some(Ordering::Less) => only_bundles(),
            }
        });
        kept.into_iter().chain(self.no_anchor()).collect()
    }

    /// Receipts show nothing of it.
    pub(super) fn of_receipts(&self) -> Vec<Check> {
        self.kept.iter().map(|_| only_bundles()).chain(self.no_anchor()).collect()
    }

    fn no_anchor(&self) -> Option<Check> {
        let reason = "only a bundle can show what another network has";
        self.anchor.map(|_| failed("anchor", "TM-NOT-ANCHORED", reason))
    }
}

fn only_bundles() -> Check {
    let reason = "only a bundle can show that it continues a log (`proof fetch --continues`)";
    undecided(SEEN, "TM-NOT-COVERED", reason)
}

impl Log {
    fn read(session: &mut Session<'_, '_>, path: &Path) -> Result<Self, Failure> {
        let bytes = session.read(path)?;
        let found = input::decodings(&bytes).iter().find_map(|decoding| {
            let bytes = &decoding.bytes;
            Self::of_note(bytes).or_else(|| Self::of_bundle(&Bundle::decode(bytes).ok()?))
        });
        let unfit = |what: &str| {
            Failure::new(Fault::Malformed, format!("{} {what}", path.display()))
                .hint("keep what `touchmark proof checkpoint` or `proof fetch` wrote")
        };
        let found = found.ok_or_else(|| unfit("is neither a checkpoint nor a bundle"))?;
        if found.size.0 == 0 {
            return Err(unfit("is of an empty log, which every log continues"));
        }
        Ok(found)
    }

    fn of_note(bytes: &[u8]) -> Option<Self> {
        let note = SignedCheckpoint::parse(bytes).ok()?;
        let log = note.checkpoint();
        Some(Self { origin: log.origin().to_owned(), size: log.size, root: log.root })
    }

    fn of_bundle(bundle: &Bundle<'_>) -> Option<Self> {
        let Some(header) = bundle.headers.first() else {
            return Self::of_note(bundle.note?.as_bytes());
        };
        let (header, genesis) =
            (BatchHeader::decode(header.0).ok()?, Genesis::decode(bundle.genesis).ok()?);
        Some(Self { origin: genesis.origin, size: header.size, root: header.root })
    }

    fn is_of_another(&self, origin: &str) -> Check {
        let reason = format!("you kept a log called {}, this is {origin}", self.origin);
        failed(SEEN, "TM-WRONG-NETWORK", reason)
    }
}
