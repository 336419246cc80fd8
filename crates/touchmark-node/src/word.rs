//! Validators' words for a client: what this node says when another validator asks, and what it
//! gathers from the others.
//!
//! A client knows one node, and believes a quorum. Every word is checked before it is handed on, so
//! a wrong one spoils nothing; that there are too few is for whoever reads them to say.

mod gathering;
mod joint;
mod shares;

use crate::attestation::{AttestationError, Attestor};
use crate::node::now;
use crate::proof::{ProofError, signed_receipt};
pub(crate) use gathering::{Council, State, receipts};
pub(crate) use shares::NoteShares;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use touchmark_batch::{Reply, Respondent, Unanswered};
use touchmark_core::appointment;
use touchmark_core::refusal::Unreadable;
use touchmark_keys::threshold::{Share, ThresholdError};
use touchmark_ledger::StateView as _;
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
    #[error("it is no question that this build knows")]
    Unknown,
    #[error("no batch ends with {0} leaves here")]
    NoBatch(TreeSize),
    #[error("with {0} leaves the log has another root here")]
    OtherRoot(TreeSize),
    #[error("{0} leaves were long ago")]
    Old(TreeSize),
    #[error("this node has had no batch for too long to say what is new")]
    Behind,
    #[error("this validator has no share of the note key of those who are in office")]
    NoShare,
    #[error("it gives no part of the signature: {0}")]
    NoPart(#[from] ThresholdError),
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
    shares: NoteShares,
    store: Arc<Store>,
    tip: watch::Receiver<(Height, TreeSize)>,
    /// Between two batches when there is nothing to write.
    idle: Duration,
}

impl Speaker {
    /// Signs with these keys what this store has.
    pub(crate) fn new(
        (attestor, shares): (Arc<Attestor>, NoteShares),
        store: Arc<Store>,
        tip: watch::Receiver<(Height, TreeSize)>,
        idle: Duration,
    ) -> Self {
        Self(Arc::new(Speech { attestor, shares, store, tip, idle }))
    }

    /// Its shares of note keys.
    pub(crate) fn note_shares(&self) -> &NoteShares {
        &self.0.shares
    }
}

impl Respondent for Speaker {
    fn answer(&self, asker: Digest, question: Vec<u8>) -> Reply {
        let speech = self.0.clone();
        Reply::new(async move {
            speech.reach(&question).await;
            // It reads the store.
            let said = tokio::task::spawn_blocking(move || speech.say(asker, &question));
            // An error means that the runtime is shutting down.
            said.await.map_err(|_| Unanswered)?.map_err(|silence| {
                tracing::debug!(%silence, "another validator is not answered");
                Unanswered
            })
        })
    }
}

impl Speech {
    /// Waits until the log is as long as a question says.
    async fn reach(&self, question: &[u8]) {
        let size = match Question::decode(question) {
            Ok(
                Question::Fresh(_, size, _)
                | Question::Cosigned(size, _)
                | Question::Commitment(size, _)
                | Question::Part(size, ..),
            ) => size,
            Ok(Question::Receipt(leaf)) => leaf.size(),
            Err(_) => return,
        };
        let mut tip = self.tip.clone();
        // An error means that the ledger is gone; then there is what there is.
        let _ = tip.wait_for(|(_, known)| *known >= size).await;
    }

    fn say(&self, asker: Digest, question: &[u8]) -> Result<Vec<u8>, Silence> {
        let question = Question::decode(question).map_err(|_| Silence::Unknown)?;
        let snapshot = self.store.snapshot();
        let attestor = &self.attestor;
        // Who was in office and is not any more has no place in it, and says nothing.
        let (validator, signed) = match question {
            Question::Fresh(nonce, size, root) => {
                stands(&snapshot, size, root, self.idle)?;
                let committee = in_office(&snapshot)?;
                let (place, signature) = attestor.fresh(&committee, nonce, size, root)?;
                (place, signature.to_vec())
            }
            Question::Cosigned(size, root) => {
                stands(&snapshot, size, root, self.idle)?;
                let committee = in_office(&snapshot)?;
                let (place, cosignature) = attestor.cosign(&committee, size, root, now())?;
                (place, cosignature.to_bytes().to_vec())
            }
            Question::Receipt(leaf) => {
                let committee = next_in_office(&snapshot)?;
                let receipt = signed_receipt(&snapshot, &committee, attestor, leaf)?;
                (attestor.validator(&committee)?, receipt)
            }
            Question::Commitment(size, root) => {
                let (place, body) = self.signs(&snapshot, size, root)?;
                let share = self.share(&snapshot, place)?;
                let commitment = self.shares.commit(share, asker, &body, Instant::now())?;
                (place, commitment.to_bytes().to_vec())
            }
            Question::Part(size, root, by) => {
                let (place, body) = self.signs(&snapshot, size, root)?;
                let share = self.share(&snapshot, place)?;
                let part = self.shares.part(share, asker, (&body, &by), Instant::now())?;
                (place, part.to_vec())
            }
        };
        Ok(Word { validator, signed: &signed }.encode_to_vec())
    }
}

impl Speech {
    /// What this validator signs with others as the log: the checkpoint of a state that its own log
    /// has been in. Which one of them makes no fork, so it may be an old one.
    fn signs(
        &self,
        snapshot: &Snapshot,
        size: TreeSize,
        root: Digest,
    ) -> Result<(u16, String), Silence> {
        ends(snapshot, size, root)?;
        let committee = in_office(snapshot)?;
        Ok((self.attestor.validator(&committee)?, self.attestor.body(size, root)?))
    }

    /// Its share of the key of those who are in office, where it has this place.
    fn share(&self, snapshot: &Snapshot, place: u16) -> Result<&Share, Silence> {
        let committee = in_office(snapshot)?;
        let share = self.shares.of(&committee).filter(|share| share.place() == place);
        share.ok_or(Silence::NoShare)
    }
}

/// Whether a batch of the log ends with this state.
fn ends(snapshot: &Snapshot, size: TreeSize, root: Digest) -> Result<(), Silence> {
    let batch = snapshot.batch_of_size(size)?.ok_or(Silence::NoBatch(size))?;
    if batch.header().root == root { Ok(()) } else { Err(Silence::OtherRoot(size)) }
}

/// Who certified the last batch.
pub(crate) fn in_office(snapshot: &Snapshot) -> Result<Arc<Committee>, Unreadable> {
    appointment::in_office(snapshot, snapshot.height())
}

/// Who certifies the next batch, and signs receipts, whoever certified the leaf's.
fn next_in_office(snapshot: &Snapshot) -> Result<Arc<Committee>, Unreadable> {
    appointment::in_office(snapshot, Height(snapshot.height().0.saturating_add(1)))
}

/// Whether this was the newest state of the log a moment ago. What a store has is certified; that
/// the store has the newest shows by the batches that come also when there is nothing to write.
fn stands(
    snapshot: &Snapshot,
    size: TreeSize,
    root: Digest,
    idle: Duration,
) -> Result<(), Silence> {
    let idle = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
    let is_old =
        |time: Timestamp, spare: u64| time.0.saturating_add(spare).saturating_add(MOMENT) < now().0;
    if is_old(snapshot.tip().batch.header().time, idle) {
        return Err(Silence::Behind);
    }
    ends(snapshot, size, root)?;
    if size < snapshot.size() {
        let next = snapshot.batch_of_leaf(LeafIndex(size.0))?;
        if is_old(next.header().time, 0) {
            return Err(Silence::Old(size));
        }
    }
    Ok(())
}
