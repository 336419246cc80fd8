//! What only validators sign, asked of a source, checked, and passed on.

use super::{Follower, Following};
use crate::shown::cosigners;
use std::time::Duration;
use touchmark_api::client::{Client, ClientError};
use touchmark_core::appointment;
use touchmark_core::refusal::Unreadable;
use touchmark_core::verdict::{Trust, judge};
use touchmark_wire::algorithm::PureVerifier;
use touchmark_wire::bundle::Bundle;
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::genesis::Committee;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, LeafIndex, TreeSize};
use touchmark_wire::merkle;
use touchmark_wire::receipt::Receipt;

/// How long a log may take to become as long as a source's checkpoint.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a validator's word is not passed on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WordError {
    /// No source answers.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What it answers is not what a validator signed of this log.
    #[error("{url} gives a false {what}")]
    False {
        /// The source.
        url: String,
        /// Of what kind it was to be.
        what: &'static str,
    },
    /// This log is not as long yet as the source's.
    #[error("this node has not yet all that its source signs")]
    Behind,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] touchmark_store::Error),
    /// The state cannot be read.
    #[error("the state cannot be read")]
    Unreadable,
}

impl From<Unreadable> for WordError {
    fn from(_: Unreadable) -> Self {
        Self::Unreadable
    }
}

impl Follower {
    /// The newest checkpoint that a validator cosigned; the last one as long as nobody gives a newer.
    pub(crate) fn checkpoint(&self) -> Result<String, WordError> {
        let following = &self.following;
        let known = || following.note.lock().expect(super::NO_PANIC).clone();
        let own = following.store.snapshot().size();
        match known() {
            Some((size, note)) if size >= own => return Ok(note),
            _ => {}
        }
        let asked = following.ask(|client| following.checkpoint_of(client));
        if let Ok((size, note)) = &asked {
            let mut newest = following.note.lock().expect(super::NO_PANIC);
            if newest.as_ref().is_none_or(|(known, _)| size > known) {
                *newest = Some((*size, note.clone()));
            }
        }
        match known() {
            Some((_, note)) => Ok(note),
            None => asked.map(|(_, note)| note),
        }
    }

    /// A validator's receipt of a leaf that is here.
    pub(crate) fn receipt(&self, index: LeafIndex) -> Result<Vec<u8>, WordError> {
        let snapshot = self.following.store.snapshot();
        let hash = merkle::leaf_hash(&snapshot.leaf(index)?);
        // Whoever signs is in office now, whoever certified the batch.
        let next = Height(snapshot.height().0.saturating_add(1));
        let committee = appointment::in_office(snapshot.as_ref(), next)?;
        self.following.ask(|client| {
            let bytes = client.receipt(index)?;
            let is_right =
                |(size, root): (TreeSize, Digest)| snapshot.root(size).is_ok_and(|own| own == root);
            if receipted(&bytes, &hash, index, &committee).is_some_and(is_right) {
                return Ok(bytes);
            }
            Err(WordError::False { url: client.base().into(), what: "receipt" })
        })
    }

    /// A bundle with a validator's answer to a nonce, as the query asks for it.
    pub(crate) fn fresh(&self, query: &str, nonce: &[u8]) -> Result<Vec<u8>, WordError> {
        let network = self.following.genesis.network_id();
        self.following.ask(|client| {
            let bytes = client.proof_as_asked(query)?;
            // How many validators have to answer is up to whoever asks.
            let is_answer = |bundle: Bundle<'_>| {
                bundle.freshness.is_some_and(|freshness| freshness.nonce == nonce)
            };
            let verdict = judge(&bytes, &Trust { network: Some(network), nonce: Some(nonce) });
            let mut checks = verdict.checks.iter().filter(|check| check.name != "freshness");
            if checks.all(|check| check.result.holds())
                && Bundle::decode(&bytes).is_ok_and(is_answer)
            {
                return Ok(bytes);
            }
            Err(WordError::False { url: client.base().into(), what: "proof" })
        })
    }
}

impl Following {
    /// Asks one source after the other; the first failure counts, if none succeeds.
    fn ask<T>(&self, ask: impl Fn(&Client) -> Result<T, WordError>) -> Result<T, WordError> {
        let mut first = None;
        for _ in 0..self.sources.len() {
            let (turn, client) = self.sources.now();
            match ask(client) {
                // Nobody else has an answer to what is wrong with the question.
                Err(WordError::Client(ClientError::Refused(problem))) if problem.status == 400 => {
                    return Err(ClientError::Refused(problem).into());
                }
                Err(error) => {
                    self.sources.pass(turn);
                    first.get_or_insert(error);
                }
                answered => return answered,
            }
        }
        Err(first.unwrap_or(WordError::Unreadable))
    }

    fn checkpoint_of(&self, client: &Client) -> Result<(TreeSize, String), WordError> {
        let is_false = || WordError::False { url: client.base().into(), what: "checkpoint" };
        let note = client.checkpoint()?;
        let signed = SignedCheckpoint::parse(note.as_bytes()).map_err(|_| is_false())?;
        let shown = signed.checkpoint();
        if shown.origin() != self.genesis.origin {
            return Err(is_false());
        }
        if !self.reach(shown.size, PATIENCE) {
            return Err(WordError::Behind);
        }
        let snapshot = self.store.snapshot();
        let batch = snapshot.batch_of_size(shown.size)?.ok_or_else(is_false)?;
        let header = batch.header();
        let committee = appointment::in_office(snapshot.as_ref(), header.height)?;
        let mut cosigners = cosigners(&committee).into_iter();
        let cosigned = cosigners.any(|it| it.verify(&signed, &PureVerifier).is_ok());
        if header.root != shown.root || !cosigned {
            return Err(is_false());
        }
        let size = shown.size;
        Ok((size, note))
    }
}

/// Size and root of the log that a validator signed a receipt for.
fn receipted(
    bytes: &[u8],
    hash: &Digest,
    index: LeafIndex,
    committee: &Committee,
) -> Option<(TreeSize, Digest)> {
    let receipt = Receipt::decode(bytes).ok()?;
    let mut keys = committee.validators.iter().filter_map(|it| it.log_key.check().ok());
    let included = keys.find_map(|key| receipt.verify_inclusion(hash, &key, &PureVerifier).ok())?;
    (included.index == index).then_some((included.size, included.root))
}
