//! Members that lie: in what their ledger says, or in how their engine talks.

use crate::deviation::Deviation;
use crate::run::LIMITS;
use std::collections::BTreeSet;
use std::sync::Arc;
use touchmark_batch::{
    Application as _, Batch, BatchLimits, CheckError, Invalid, Member, Proposal,
};
use touchmark_core::admission::{Check, Verifier};
use touchmark_ledger::Ledger;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{Height, Timestamp, TreeSize};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::merkle;

/// What a dishonest member does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lie {
    /// Proposes batches with another root of the state.
    StateRoot,
    /// Proposes headers with another root of the log.
    LogRoot,
    /// Proposes batches of an hour later.
    Future,
    /// Proposes batches that are older than their parents.
    Past,
    /// Takes statements with a bad signature, executes and proposes them.
    Forged,
    /// Proposes batches over the limits.
    Oversized,
    /// Refuses every batch, and says of every one of its own that it is good.
    Refusing,
    /// Proposes and does not send the batch.
    Withholding,
    /// Talks to these only.
    Partial(BTreeSet<Member>),
    /// Repeats old votes and other messages, its own and others'.
    Repeating,
    /// Sends noise now and then.
    Noisy,
    /// Signs votes that contradict each other.
    Contradicting,
    /// Leads and votes twice under one key: once for these, once for the others.
    Twins(BTreeSet<Member>),
}

impl Lie {
    /// Bounds of the batches that its engine lets pass.
    pub(crate) const WIDE: BatchLimits =
        BatchLimits { body: 3 * LIMITS.body, leaves: 4 * LIMITS.leaves };

    /// Of each kind one; `others` are the members that it divides, where it does.
    pub fn all(others: &BTreeSet<Member>) -> Vec<Self> {
        vec![
            Self::StateRoot,
            Self::LogRoot,
            Self::Future,
            Self::Past,
            Self::Forged,
            Self::Oversized,
            Self::Refusing,
            Self::Withholding,
            Self::Partial(others.clone()),
            Self::Repeating,
            Self::Noisy,
            Self::Contradicting,
            Self::Twins(others.clone()),
        ]
    }
}

/// Accepts every signature.
#[derive(Clone, Copy, Debug)]
pub struct Credulous;

impl Verifier for Credulous {
    fn verify(&self, checks: &[Check<'_>]) -> Vec<bool> {
        vec![true; checks.len()]
    }
}

/// A ledger that lies to the others.
pub struct Liar {
    ledger: Arc<Ledger>,
    lie: Lie,
}

impl Liar {
    /// `ledger` knows the truth.
    pub fn new(ledger: Arc<Ledger>, lie: Lie) -> Self {
        Self { ledger, lie }
    }

    /// The log before the batch that is proposed.
    fn frontier(&self, proposal: &Proposal<'_>) -> merkle::Frontier {
        let tip = self.ledger.snapshot().tip();
        let mut frontier = tip.frontier.clone();
        let above = proposal.ancestry.iter().filter(|batch| batch.height() > tip.batch.height());
        for hash in above.flat_map(|batch| batch.leaf_hashes()) {
            frontier.append(*hash);
        }
        frontier
    }

    /// The batch with these leaves instead of its own, and every hash over them right.
    fn with_leaves(&self, proposal: &Proposal<'_>, batch: &Batch, leaves: &[Vec<u8>]) -> Batch {
        let mut frontier = self.frontier(proposal);
        let hashes: Vec<_> = leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
        for hash in &hashes {
            frontier.append(*hash);
        }
        let header = BatchHeader {
            data_root: BatchHeader::data_root(&hashes),
            size: TreeSize(frontier.size().0),
            root: frontier.root(),
            ..batch.header()
        };
        rebuilt(&header, leaves)
    }
}

fn leaves_of(batch: &Batch) -> Vec<Vec<u8>> {
    batch.leaves().map(<[u8]>::to_vec).collect()
}

fn rebuilt(header: &BatchHeader<'_>, leaves: &[Vec<u8>]) -> Batch {
    let mut body = Vec::new();
    for leaf in leaves {
        let length = u16::try_from(leaf.len()).expect("no liar makes a longer leaf");
        body.extend(length.to_be_bytes());
        body.extend(leaf);
    }
    Batch::from_parts(codec::encode(header), body, Lie::WIDE).expect("its parts fit each other")
}

/// Other leaves for the limits to refuse: too long together, or too many.
fn junk(height: Height) -> Vec<Vec<u8>> {
    if height.0.is_multiple_of(2) {
        vec![vec![7; LIMITS.body / 2]; 3]
    } else {
        vec![vec![7]; LIMITS.leaves + 1]
    }
}

impl Deviation for Liar {
    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn propose(&self, proposal: Proposal<'_>) -> Option<Batch> {
        const HOUR: u64 = 3_600_000;
        let shift = match self.lie {
            Lie::Future => HOUR,
            // The second of two twins, so that its batches always differ.
            Lie::Twins(_) => 1,
            _ => 0,
        };
        let now = Timestamp(proposal.now.0 + shift);
        let batch = self.ledger.propose(Proposal { now, ..proposal })?;
        let mut leaves = leaves_of(&batch);
        Some(match self.lie {
            Lie::StateRoot => match leaves.last().map(|leaf| Leaf::decode(leaf)) {
                Some(Ok(Leaf::Batch(mut closing))) => {
                    closing.state_root = Digest([13; 32]);
                    *leaves.last_mut()? = Leaf::Batch(closing).encode_to_vec();
                    self.with_leaves(&proposal, &batch, &leaves)
                }
                _ => batch,
            },
            Lie::LogRoot => {
                rebuilt(&BatchHeader { root: Digest([13; 32]), ..batch.header() }, &leaves)
            }
            Lie::Past => {
                let time = Timestamp(proposal.parent.time().0.saturating_sub(1));
                rebuilt(&BatchHeader { time, ..batch.header() }, &leaves)
            }
            Lie::Oversized => {
                leaves.extend(junk(batch.height()));
                self.with_leaves(&proposal, &batch, &leaves)
            }
            _ => batch,
        })
    }

    fn check(&self, ancestry: &[Arc<Batch>], batch: &Batch) -> Result<(), CheckError> {
        if self.lie == Lie::Refusing {
            return Err(Invalid("it says so".to_owned()).into());
        }
        self.ledger.check(ancestry, batch)
    }
}
