//! Batches that came from elsewhere, executed again leaf by leaf.
//!
//! A node that has the header compares everything with it. Whoever has the log alone finds in it
//! what the rules need: each batch ends with a leaf that says its height, its time and the root of
//! the state after it. Empty batches leave no leaf, so heights grow by more than one there.

use crate::execution::{Builder, Execution, ExecutionError};
use crate::view::{Layered, StateView};
use std::fmt;
use std::sync::Arc;
use touchmark_batch::{Batch, CheckError, Halt, Invalid};
use touchmark_core::admission::{self, Input, Submission, Verifier};
use touchmark_core::refusal::{Outcome, Refusal};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{Height, LeafIndex};
use touchmark_wire::leaf::{BatchLeaf, Leaf};
use touchmark_wire::registry::RefusalCode;

/// The first leaf that is not what the rules make of what was submitted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deviation {
    /// Where it is.
    pub leaf: LeafIndex,
    /// What the log says there, in a few words.
    pub logged: String,
    /// What the rules say.
    pub rules: String,
}

impl Deviation {
    pub(crate) fn new(leaf: LeafIndex, logged: &[u8], rules: impl Into<String>) -> Self {
        Self { leaf, logged: describe(logged), rules: rules.into() }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leaf {}: the log says {}, the rules say {}", self.leaf, self.logged, self.rules)
    }
}

/// Why leaves could not be executed again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReplayError {
    /// The log's fault.
    Deviation(Deviation),
    /// This node's: the state cannot be read.
    Unreadable,
    /// Not the log's: two computations here disagree, or there is nothing to execute.
    Unable(String),
}

impl From<ExecutionError> for ReplayError {
    fn from(error: ExecutionError) -> Self {
        match error {
            ExecutionError::Unreadable => Self::Unreadable,
            ExecutionError::Diverged(_) => Self::Unable(error.to_string()),
        }
    }
}

impl From<ReplayError> for CheckError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Deviation(deviation) => {
                Invalid(format!("a leaf is not what the rules make of it: {deviation}")).into()
            }
            ReplayError::Unreadable => Halt(ExecutionError::Unreadable.to_string()).into(),
            // Every node computes the same, so it is the batch that none may certify.
            ReplayError::Unable(why) => Invalid(why).into(),
        }
    }
}

/// Executes the next batch of a log as its leaves alone show it, the batch leaf last, on the state
/// that those before it led to.
///
/// The header of the batch that comes back is made here: it has size and root of the log, but it is
/// not the one that was certified, of which the log has only a part.
pub fn replay(
    view: &dyn StateView,
    verifier: &dyn Verifier,
    leaves: &[Vec<u8>],
) -> Result<(Batch, Execution), ReplayError> {
    let tip = view.tip();
    let first = LeafIndex(tip.frontier.size().0);
    let (last, rest) = leaves.split_last().ok_or_else(|| {
        ReplayError::Unable("a batch that left no leaf is not to be executed again".to_owned())
    })?;
    let at = LeafIndex(first.0 + rest.len() as u64);
    let deviates = |rules: String| ReplayError::Deviation(Deviation::new(at, last, rules));
    let Ok(Leaf::Batch(batch)) = Leaf::decode(last) else {
        return Err(deviates("a batch ends with a batch leaf".into()));
    };
    if batch.height <= tip.batch.height() || batch.time < tip.batch.time() {
        let (height, time) = (tip.batch.height(), tip.batch.time());
        let rules = format!("a batch comes after batch {height}, and not before its time {time}");
        return Err(deviates(rules));
    }
    let parent = parent(&tip.batch, &batch, tip.frontier.root());
    let mut builder = Builder::new(verifier, view, &[], &parent, batch.time);
    let inputs = inputs(first, rest.iter().map(Vec::as_slice))?;
    let start = Execution::default();
    let layered = Layered { base: view, layers: &[], top: &start };
    let admitted = admission::admit(inputs.clone(), &layered, verifier);
    let checked = admitted.into_iter().map(|admitted| admitted.ok().map(Arc::new)).collect();
    repeat(&mut builder, first, rest.iter().map(Vec::as_slice), inputs, checked)?;
    if rest.is_empty() {
        return Err(deviates("an empty batch leaves no leaf".into()));
    }
    let (rebuilt, execution) = builder.finish(&[])?;
    let own = rebuilt.leaves().last().expect("a batch with leaves ends with one");
    if own != last {
        return Err(deviates(describe(own)));
    }
    Ok((rebuilt, execution))
}

/// The batch before `batch`: the last that left leaves, or an empty one that came after it.
fn parent(last: &Arc<Batch>, batch: &BatchLeaf, root: Digest) -> Arc<Batch> {
    if batch.height.0 == last.height().0 + 1 {
        return last.clone();
    }
    let header = BatchHeader {
        context: &[],
        parent: last.digest(),
        height: Height(batch.height.0 - 1),
        time: last.time(),
        epoch: last.epoch(),
        data_root: BatchHeader::data_root(&[]),
        size: last.size(),
        root,
        // Nobody looks at it: who certifies is in the state.
        next: last.header().next,
    };
    let empty = Batch::with_leaf_hashes(codec::encode(&header), Vec::new(), Vec::new());
    Arc::new(empty.expect("a header without context over no leaves is within its limits"))
}

/// What leaves were made from; the first of them is at `first`.
pub(crate) fn inputs<'l>(
    first: LeafIndex,
    leaves: impl Iterator<Item = &'l [u8]>,
) -> Result<Vec<Input>, ReplayError> {
    (first.0..)
        .zip(leaves)
        .map(|(at, leaf)| {
            submitted(leaf).map_err(|refusal| {
                let rules = format!("nothing can be submitted as it: {refusal}");
                ReplayError::Deviation(Deviation::new(LeafIndex(at), leaf, rules))
            })
        })
        .collect()
}

/// Executes what leaves were made from and compares every leaf. `checked` are the inputs that could
/// be admitted before; what cannot be on the state before the batch may be so at its own place.
pub(crate) fn repeat<'l>(
    builder: &mut Builder<'_>,
    first: LeafIndex,
    leaves: impl Iterator<Item = &'l [u8]>,
    inputs: Vec<Input>,
    checked: Vec<Option<Arc<Submission>>>,
) -> Result<(), ReplayError> {
    for (at, ((leaf, input), checked)) in (first.0..).zip(leaves.zip(inputs).zip(checked)) {
        let skipped = match checked {
            Some(submission) => builder.execute(&submission)?,
            None => builder.admit_and_execute(input)?,
        };
        let rules = match skipped {
            None if builder.last_leaf() == Some(leaf) => continue,
            None => builder.last_leaf().map(describe).unwrap_or_default(),
            Some(outcome) => told(&outcome),
        };
        return Err(ReplayError::Deviation(Deviation::new(LeafIndex(at), leaf, rules)));
    }
    Ok(())
}

/// The submission that a leaf was made from.
fn submitted(leaf: &[u8]) -> Result<Input, Refusal> {
    Ok(match Leaf::decode(leaf)? {
        Leaf::Denied { statement, .. } | Leaf::Fork { second: statement, .. } => statement.to_vec(),
        Leaf::Sighting { leaf, .. } => leaf.to_vec(),
        Leaf::Accepted(_) | Leaf::Evidence(_) | Leaf::Batch(_) => leaf.to_vec(),
    })
}

/// A leaf in a few words.
fn describe(leaf: &[u8]) -> String {
    match Leaf::decode(leaf) {
        Ok(Leaf::Accepted(_)) => "an accepted statement".to_owned(),
        Ok(Leaf::Denied { code, .. }) => format!("a denied statement ({})", RefusalCode(code)),
        Ok(Leaf::Fork { first, .. }) => format!("a fork of the chain with leaf {first}"),
        Ok(Leaf::Evidence(_)) => "evidence that counts".to_owned(),
        Ok(Leaf::Sighting { code, .. }) => format!("a sighting ({})", RefusalCode(code)),
        Ok(Leaf::Batch(BatchLeaf { height, time, state_root })) => {
            format!("batch {height} at {time} with the state root {state_root}")
        }
        Err(malformed) => format!("no leaf ({malformed})"),
    }
}

/// What the rules tell of what leaves no leaf.
fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(refusal) => format!("that it leaves no leaf ({refusal})"),
        Outcome::Known(leaf) => format!("that leaf {leaf} has it already"),
        other => format!("{other:?}"),
    }
}
