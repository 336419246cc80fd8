//! Executing a batch: the rules on each submission in order, then the state trie, the log's root
//! and the header.

use crate::growth::{self, Node};
use crate::trie::{self, Page, PagePath};
use crate::view::{Layered, StateView};
use std::collections::BTreeMap;
use std::sync::Arc;
use touchmark_batch::{Batch, BatchLimits};
use touchmark_core::admission::{self, Input, Submission, Verifier};
use touchmark_core::appointment;
use touchmark_core::entry::Entry;
use touchmark_core::event::Event;
use touchmark_core::refusal::{Outcome, Unreadable};
use touchmark_core::rules::{self, Decision, Effect};
use touchmark_core::view::{InChannel, Position};
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{
    ChannelId, EvidenceId, Height, LeafIndex, Sequence, StatementId, ThingId, Timestamp,
};
use touchmark_wire::leaf::{BatchLeaf, Leaf};
use touchmark_wire::merkle::{self, Frontier};
use touchmark_wire::registry::RefusalCode;
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::TrieProof;

/// Everything that follows from a batch.
#[derive(Debug, Default)]
pub struct Execution {
    /// New values of state entries.
    pub entries: BTreeMap<StateKey, Arc<Entry>>,
    /// The same, encoded, in key order.
    pub values: Vec<(StateKey, Vec<u8>)>,
    /// Pages of the state trie that changed.
    pub pages: BTreeMap<PagePath, Arc<Page>>,
    /// Places of chains that are taken.
    pub places: BTreeMap<(ThingId, Option<ChannelId>, Sequence), (LeafIndex, StatementId)>,
    /// Evidence that is first seen.
    pub evidence: BTreeMap<EvidenceId, LeafIndex>,
    /// What each leaf says happened, in log order; the batch leaf has no events.
    pub happened: Vec<Happened>,
    /// What to tell the submitters, by the hash of what they submitted.
    pub outcomes: Vec<(Digest, Outcome)>,
    /// Subtrees of the log that are complete now, at multiples of 8 levels.
    pub nodes: Vec<Node>,
    /// The log after the batch.
    pub frontier: Frontier,
    /// Root of the state after the batch.
    pub state_root: Digest,
}

/// The events of one leaf.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Happened {
    /// The leaf.
    pub leaf: LeafIndex,
    /// Statement id or evidence id.
    pub submission: Digest,
    /// What happened; an event's address is the leaf and its place in this list.
    pub events: Vec<Event>,
    /// The things whose histories the leaf is in.
    pub about: Vec<ThingId>,
    /// The things among whose mentions it is.
    pub mentioned: Vec<ThingId>,
    /// The channel that the leaf is about or in.
    pub channel: Option<InChannel>,
}

/// Why a batch cannot be executed; never the fault of one submission.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecutionError {
    #[error("the state cannot be read")]
    Unreadable,
    #[error("two computations of the {0} disagree; nothing is signed")]
    Diverged(&'static str),
}

impl From<Unreadable> for ExecutionError {
    fn from(_: Unreadable) -> Self {
        Self::Unreadable
    }
}

/// A batch in the making.
pub(crate) struct Builder<'a> {
    verifier: &'a dyn Verifier,
    base: &'a dyn StateView,
    layers: &'a [Arc<Execution>],
    parent: &'a Batch,
    before: Frontier,
    time: Timestamp,
    body: Vec<u8>,
    /// Where in the body the last leaf begins.
    last_leaf: usize,
    leaf_hashes: Vec<Digest>,
    execution: Execution,
}

impl<'a> Builder<'a> {
    /// Nothing executed yet, on the finalized state `base` and the executed batches above it.
    pub(crate) fn new(
        verifier: &'a dyn Verifier,
        base: &'a dyn StateView,
        layers: &'a [Arc<Execution>],
        parent: &'a Batch,
        time: Timestamp,
    ) -> Self {
        let (before, state_root) = match layers.last() {
            Some(layer) => (layer.frontier.clone(), layer.state_root),
            None => (base.tip().frontier.clone(), base.tip().state_root),
        };
        let execution = Execution { frontier: before.clone(), state_root, ..Execution::default() };
        let (body, last_leaf, leaf_hashes) = (Vec::new(), 0, Vec::new());
        Self {
            verifier,
            base,
            layers,
            parent,
            before,
            time,
            body,
            last_leaf,
            leaf_hashes,
            execution,
        }
    }

    fn view(&self) -> Layered<'_> {
        Layered { base: self.base, layers: self.layers, top: &self.execution }
    }

    /// Runs the rules on one submission. `Some` says that it leaves no leaf, and why.
    ///
    /// It may have been admitted on an older state than that of its place. Where that made a
    /// difference it is admitted anew: each node executes a batch with the same results.
    pub(crate) fn execute(
        &mut self,
        submission: &Submission,
    ) -> Result<Option<Outcome>, ExecutionError> {
        match self.decide(submission)? {
            Decision::Outdated => self.admit_and_execute(submission.leaf_bytes().to_vec()),
            decision => Ok(self.take(submission, decision)),
        }
    }

    /// Admits a submission on the state of its place, then as [`Self::execute`].
    pub(crate) fn admit_and_execute(
        &mut self,
        bytes: Input,
    ) -> Result<Option<Outcome>, ExecutionError> {
        match admission::admit(vec![bytes], &self.view(), self.verifier).remove(0) {
            Ok(submission) => {
                let decision = self.decide(&submission)?;
                Ok(self.take(&submission, decision))
            }
            Err(refusal) if refusal.code == RefusalCode::STORAGE => Err(ExecutionError::Unreadable),
            Err(refusal) => Ok(Some(Outcome::Refused(refusal))),
        }
    }

    fn decide(&self, submission: &Submission) -> Result<Decision, Unreadable> {
        let position = Position { leaf: self.next_leaf(), height: self.height(), time: self.time };
        rules::decide(&self.view(), submission, position)
    }

    fn height(&self) -> Height {
        Height(self.parent.height().0 + 1)
    }

    fn next_leaf(&self) -> LeafIndex {
        LeafIndex(self.execution.frontier.size().0)
    }

    /// Appends what is to be appended, else says what to tell.
    fn take(&mut self, submission: &Submission, decision: Decision) -> Option<Outcome> {
        match decision {
            Decision::Append(effect) => {
                self.append(self.next_leaf(), submission, *effect);
                None
            }
            decision => Some(decision.into_outcome()),
        }
    }

    /// What to tell about a submission that leaves no leaf. It may rest on batches that are not
    /// final yet, so it is told when this batch is.
    pub(crate) fn answer(&mut self, submission: Digest, outcome: Outcome) {
        self.execution.outcomes.push((submission, outcome));
    }

    fn append(&mut self, leaf: LeafIndex, submission: &Submission, effect: Effect) {
        self.push_leaf(&effect.leaf, effect.leaf_hash);
        let execution = &mut self.execution;
        execution.entries.extend(effect.changes);
        if let Some(place) = effect.place {
            let key = (place.issuer, place.channel, place.sequence);
            execution.places.insert(key, (leaf, place.id));
        }
        if let Some(evidence) = effect.evidence {
            execution.evidence.insert(evidence, leaf);
        }
        execution.happened.push(Happened {
            leaf,
            submission: submission.id(),
            events: effect.events,
            about: effect.about,
            mentioned: effect.mentioned,
            channel: effect.channel,
        });
        execution.outcomes.push((submission.leaf_hash(), effect.outcome));
    }

    fn push_leaf(&mut self, leaf: &[u8], leaf_hash: Digest) {
        let length = u16::try_from(leaf.len())
            .expect("limits::STATEMENT leaves room for every wrapping within limits::LEAF");
        self.body.extend_from_slice(&length.to_be_bytes());
        self.last_leaf = self.body.len();
        self.body.extend_from_slice(leaf);
        self.leaf_hashes.push(leaf_hash);
        self.execution.frontier.append(leaf_hash);
    }

    /// The leaf that was appended last.
    pub(crate) fn last_leaf(&self) -> Option<&[u8]> {
        (!self.leaf_hashes.is_empty()).then(|| &self.body[self.last_leaf..])
    }

    /// Bytes of the body so far.
    pub(crate) fn body_len(&self) -> usize {
        self.body.len()
    }

    /// Leaves so far.
    pub(crate) fn leaf_count(&self) -> usize {
        self.leaf_hashes.len()
    }

    /// Closes the batch. Who certifies it and the next one follows from the state after it.
    pub(crate) fn finish(mut self, context: &[u8]) -> Result<(Batch, Execution), ExecutionError> {
        let height = self.height();
        let present = appointment::in_office(&self.view(), height)?;
        let next = appointment::in_office(&self.view(), Height(height.0 + 1))?;
        if !self.leaf_hashes.is_empty() {
            self.update_state()?;
            let state_root = self.execution.state_root;
            let leaf = Leaf::Batch(BatchLeaf { height, time: self.time, state_root });
            let leaf = leaf.encode_to_vec();
            self.push_leaf(&leaf, merkle::leaf_hash(&leaf));
        }
        let (root, nodes) = growth::grow(&self.before, &self.leaf_hashes);
        if root != self.execution.frontier.root() {
            return Err(ExecutionError::Diverged("log's root"));
        }
        self.execution.nodes = nodes;
        let header = BatchHeader {
            context,
            parent: self.parent.digest(),
            height,
            time: self.time,
            epoch: present.epoch,
            data_root: BatchHeader::data_root(&self.leaf_hashes),
            size: self.execution.frontier.size(),
            root,
            next: next.digest(),
        };
        let encoded = touchmark_wire::codec::encode(&header);
        let batch = Batch::with_leaf_hashes(encoded, self.body, self.leaf_hashes)
            .expect("the builder writes headers within their limits over its own leaves");
        Ok((batch, self.execution))
    }

    /// Brings the trie up to date, then proves every changed entry in it with the verifier's code:
    /// the second way to the root.
    fn update_state(&mut self) -> Result<(), ExecutionError> {
        let values: Vec<(StateKey, Vec<u8>)> = self
            .execution
            .entries
            .iter()
            .map(|(key, entry)| (*key, entry.encode_to_vec()))
            .collect();
        let hashes: Vec<_> = values
            .iter()
            .map(|(key, value)| (*key, touchmark_wire::trie::leaf_hash(key, value)))
            .collect();
        let updated = trie::update(&self.view(), &hashes)?;
        self.execution.pages = updated.pages;
        self.execution.state_root = updated.root;
        self.execution.values = values;

        let keys: Vec<_> = hashes.iter().map(|(key, _)| *key).collect();
        let values = &self.execution.values;
        let value = |key: &StateKey| {
            let place = values.binary_search_by_key(key, |(known, _)| *known);
            place.map(|place| values[place].1.clone()).map_err(|_| Unreadable)
        };
        let nodes = trie::prove(&self.view(), &value, &keys)?;
        if TrieProof::root(&nodes) != Ok(updated.root) {
            return Err(ExecutionError::Diverged("state's root"));
        }
        Ok(())
    }
}

/// The batch of height 0.
pub fn genesis_batch(genesis: &touchmark_wire::genesis::Genesis, context: &[u8]) -> Batch {
    let header = BatchHeader {
        context,
        parent: genesis.network_id().0,
        height: Height(0),
        time: genesis.time,
        epoch: genesis.committee.epoch,
        data_root: BatchHeader::data_root(&[]),
        size: touchmark_wire::ids::TreeSize(0),
        root: merkle::empty_root(),
        next: genesis.committee.digest(),
    };
    let limits = BatchLimits { body: 0, leaves: 0 };
    Batch::from_parts(touchmark_wire::codec::encode(&header), Vec::new(), limits)
        .expect("a header with a bounded context over no leaves is within its limits")
}
