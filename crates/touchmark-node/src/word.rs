//! Validators' words for a client: what this node says when another validator asks, and what it
//! gathers from the others.
//!
//! A client knows one node, and believes a quorum. Every word is checked before it is handed on, so
//! a wrong one spoils nothing; that there are too few is for whoever reads them to say.

mod gathering;

use crate::attestation::{AttestationError, Attestor};
use crate::node::now;
use crate::proof::{ProofError, signed_receipt};
pub(crate) use gathering::{Council, State, receipts};
use std::sync::Arc;
use tokio::sync::watch;
use touchmark_batch::{Reply, Respondent, Unanswered};
use touchmark_core::appointment;
use touchmark_core::refusal::Unreadable;
use touchmark_store::{Snapshot, Store};
use touchmark_wire::genesis::Committee;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, LeafIndex, Timestamp, TreeSize};
use touchmark_wire::word::{Question, Word};

/// How long ago a state may have been the newest for a validator to say that it is fresh,
/// milliseconds. Committees make many batches a second, and clocks may differ by two seconds.
const MOMENT: u64 = 5_000;

/// Why a validator says nothing.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error("no batch ends with {0} leaves here")]
    NoBatch(TreeSize),
    #[error("with {0} leaves the log has another root here")]
    OtherRoot(TreeSize),
    #[error("{0} leaves were long ago")]
    Old(TreeSize),
    #[error("the state cannot be read")]
    Unreadable,
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl From<Unreadable> for Silence {
    fn from(_: Unreadable) -> Self {
        Self::Unreadable
    }
}

impl From<touchmark_store::Error> for Silence {
    fn from(error: touchmark_store::Error) -> Self {
        Self::Proof(error.into())
    }
}

impl From<AttestationError> for Silence {
    fn from(error: AttestationError) -> Self {
        Self::Proof(error.into())
    }
}

/// Answers other validators.
pub(crate) struct Speaker(Arc<Speech>);

struct Speech {
    attestor: Arc<Attestor>,
    store: Arc<Store>,
    tip: watch::Receiver<(Height, TreeSize)>,
}

impl Speaker {
    /// Signs with these keys what this store has.
    pub(crate) fn new(
        attestor: Arc<Attestor>,
        store: Arc<Store>,
        tip: watch::Receiver<(Height, TreeSize)>,
    ) -> Self {
        Self(Arc::new(Speech { attestor, store, tip }))
    }
}

impl Respondent for Speaker {
    fn answer(&self, question: Vec<u8>) -> Reply {
        let speech = self.0.clone();
        Reply::new(async move {
            let question = Question::decode(&question).map_err(|_| Unanswered::Malformed)?;
            speech.reach(&question).await;
            speech.say(&question).map_err(|silence| {
                tracing::debug!(%silence, "another validator is not answered");
                Unanswered::Refused
            })
        })
    }
}

impl Speech {
    /// Waits until the log is as long as a question says.
    async fn reach(&self, question: &Question<'_>) {
        let size = match question {
            Question::Fresh(_, size, _) | Question::Cosigned(size, _) => *size,
            Question::Receipt(leaf) => leaf.size(),
        };
        let mut tip = self.tip.clone();
        // An error means that the ledger is gone; then there is what there is.
        let _ = tip.wait_for(|(_, known)| *known >= size).await;
    }

    fn say(&self, question: &Question<'_>) -> Result<Vec<u8>, Silence> {
        let snapshot = self.store.snapshot();
        let attestor = &self.attestor;
        // Who was in office and is not any more has no place in it, and says nothing.
        let (validator, signed) = match *question {
            Question::Fresh(nonce, size, root) => {
                stands(&snapshot, size, root, now())?;
                let committee = in_office(&snapshot)?;
                let (place, signature) = attestor.fresh(&committee, nonce, size, root)?;
                (place, signature.to_vec())
            }
            Question::Cosigned(size, root) => {
                stands(&snapshot, size, root, now())?;
                let committee = in_office(&snapshot)?;
                let (place, cosignature) = attestor.cosign(&committee, size, root, now())?;
                (place, cosignature.to_bytes().to_vec())
            }
            Question::Receipt(leaf) => {
                let committee = next_in_office(&snapshot)?;
                let receipt = signed_receipt(&snapshot, &committee, attestor, leaf)?;
                (attestor.validator(&committee)?, receipt)
            }
        };
        Ok(Word { validator, signed: &signed }.encode_to_vec())
    }
}

/// Who certified the last batch.
fn in_office(snapshot: &Snapshot) -> Result<Arc<Committee>, Unreadable> {
    appointment::in_office(snapshot, snapshot.height())
}

/// Who certifies the next batch, and signs receipts, whoever certified the leaf's.
fn next_in_office(snapshot: &Snapshot) -> Result<Arc<Committee>, Unreadable> {
    appointment::in_office(snapshot, Height(snapshot.height().0.saturating_add(1)))
}

/// Whether this was the newest state of the log a moment ago. What a store has is certified.
fn stands(
    snapshot: &Snapshot,
    size: TreeSize,
    root: Digest,
    now: Timestamp,
) -> Result<(), Silence> {
    let batch = snapshot.batch_of_size(size)?.ok_or(Silence::NoBatch(size))?;
    if batch.header().root != root {
        return Err(Silence::OtherRoot(size));
    }
    if size < snapshot.size() {
        let next = snapshot.batch_of_leaf(LeafIndex(size.0))?;
        if next.header().time.0.saturating_add(MOMENT) < now.0 {
            return Err(Silence::Old(size));
        }
    }
    Ok(())
}
