//! Whether a network's log is what its rules make of it, and the same for everyone.
//!
//! [`replay`] executes a log from its leaves, as every validator should have: each leaf and each
//! state root must be what the rules say. All leaves lead to the root that the network certified, so
//! a deviation is not the fault of whoever shows the log: a quorum of validators signed it.
//!
//! [`compare`] looks at what others show. Two certified logs of which neither begins with the other
//! are a split view, and say themselves who signed them.

mod counts;
mod parallel;

pub use counts::Counts;

use crate::folder;
use crate::node::BATCH;
use crate::shown::{ShownError, Source, Tip, Tree};
use parallel::Parallel;
use std::path::Path;
use std::sync::Arc;
use touchmark_ledger::Deviation;
use touchmark_store::{Replay, ReplayFailure};
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::{LeafIndex, TreeSize};
use touchmark_wire::leaf::{BatchLeaf, Leaf};

/// Why a log cannot be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// What a source shows is not a certified log, or it does not answer.
    #[error(transparent)]
    Shown(#[from] ShownError),
    /// The store that holds the state meanwhile.
    #[error(transparent)]
    Store(#[from] touchmark_store::Error),
    /// This machine's fault.
    #[error("{0}")]
    Unable(String),
}

/// What executing a log again led to.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// What was executed, up to a deviation.
    pub counts: Counts,
    /// The last batch that is as the rules make it.
    pub last: Option<BatchLeaf>,
    /// The first leaf that is not what the rules make of it.
    pub deviation: Option<Deviation>,
}

/// Executes the log that `source` shows with the certified `tip`. The state is kept in `work`, a new
/// or empty folder, and of no use afterwards. `progress` is told how many leaves are done.
pub fn replay(
    source: &Source,
    tip: &Tip,
    genesis: &Genesis,
    work: &Path,
    mut progress: impl FnMut(TreeSize),
) -> Result<Replayed, AuditError> {
    let first = folder::first_batch(genesis);
    let mut replay = Replay::begin(work, genesis, &first, Arc::new(Parallel::default()))?;
    let mut tree = Tree::open(source, &tip.as_of)?;
    let mut replayed = Replayed { counts: Counts::default(), last: None, deviation: None };
    let mut batch: Vec<Vec<u8>> = Vec::new();
    for index in 0..tip.as_of.size.0.div_ceil(touchmark_api::tile::WIDTH) {
        let entries = tree.entries(index)?;
        let end = TreeSize(entries.first.0 + entries.leaves.len() as u64);
        for (at, leaf) in (entries.first.0..).map(LeafIndex).zip(entries.leaves) {
            let ended = match Leaf::decode(&leaf) {
                Ok(Leaf::Batch(ended)) => Some(ended),
                _ => None,
            };
            batch.push(leaf);
            let deviation = match ended {
                Some(_) => execute(&mut replay, &batch)?,
                None => endless(&batch, at),
            };
            if deviation.is_some() {
                return Ok(Replayed { deviation, ..replayed });
            }
            if ended.is_some() {
                for leaf in &batch {
                    replayed.counts.add(leaf);
                }
                replayed.last = ended;
                batch.clear();
            }
        }
        progress(end);
    }
    replayed.deviation = header(tip, replayed.last.as_ref());
    Ok(replayed)
}

/// Executes a batch; tells where it is not what the rules make of it.
fn execute(replay: &mut Replay, batch: &[Vec<u8>]) -> Result<Option<Deviation>, AuditError> {
    match replay.take(batch) {
        Ok(_) => Ok(None),
        Err(ReplayFailure::Deviation(deviation)) => Ok(Some(deviation)),
        Err(ReplayFailure::Store(error)) => Err(error.into()),
        Err(other) => Err(AuditError::Unable(other.to_string())),
    }
}

/// A batch that does not end where it must.
fn endless(batch: &[Vec<u8>], leaf: LeafIndex) -> Option<Deviation> {
    let limit = BATCH.leaves;
    (batch.len() >= limit).then(|| Deviation {
        leaf,
        logged: format!("{limit} leaves without a batch leaf"),
        rules: "that a batch has no more".to_owned(),
    })
}

/// The certified header speaks of the last batch, or of an empty one after it.
fn header(tip: &Tip, last: Option<&BatchLeaf>) -> Option<Deviation> {
    let last = last?;
    let header = tip.as_of;
    let is_later = header.height > last.height && header.time >= last.time;
    let is_same = (header.height, header.time) == (last.height, last.time);
    (!is_later && !is_same).then(|| Deviation {
        leaf: LeafIndex(header.size.0 - 1),
        logged: format!("batch {} at {} in the certified header", header.height, header.time),
        rules: format!("batch {} at {} or a later one", last.height, last.time),
    })
}

/// How what one source shows stands to what another shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// The same log.
    Same,
    /// The beginning of it.
    Behind,
    /// It goes on.
    Ahead,
    /// Another log, with so many leaves in common.
    Split(TreeSize),
}

/// Compares the certified log of `other` with that of `first`.
pub fn compare(first: (&Source, &Tip), other: (&Source, &Tip)) -> Result<Standing, ShownError> {
    let (one, two) = (first.1.as_of, other.1.as_of);
    if (one.size, one.root) == (two.size, two.root) {
        return Ok(Standing::Same);
    }
    let mut trees = (Tree::open(first.0, &one)?, Tree::open(other.0, &two)?);
    let until = one.size.min(two.size);
    if trees.0.root_at(until)? != trees.1.root_at(until)? {
        return Ok(Standing::Split(trees.0.common(&mut trees.1, until)?));
    }
    Ok(if two.size < one.size { Standing::Behind } else { Standing::Ahead })
}
