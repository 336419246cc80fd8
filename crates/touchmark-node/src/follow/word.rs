//! What only validators sign, asked of a source, checked, and passed on.

use super::{Follower, Following};
use crate::shown::{committee, cosigned, receipted};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;
use touchmark_api::client::{Client, ClientError};
use touchmark_core::appointment;
use touchmark_core::refusal::Unreadable;
use touchmark_core::verdict::{Accepted, AsOf, CertificateKind, Trust, answers, judge};
use touchmark_store::Snapshot;
use touchmark_wire::bundle::{Bundle, Claim};
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::genesis::Committee;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, LeafIndex, TreeSize};
use touchmark_wire::receipt::Included;

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
    /// No source has the word of a quorum.
    #[error("no source gives as many signatures as the network asks")]
    Fewer,
    /// It gives nothing newer than what is here.
    #[error("no source gives a checkpoint of the log as it is here")]
    Old,
    /// Too many ask at the same time.
    #[error("too many ask for what only validators sign")]
    Busy,
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
        let asked = following.ask(|client| {
            let (size, note) = following.checkpoint_of(client)?;
            // Somebody else may have a newer one.
            if size < own { Err(WordError::Old) } else { Ok((size, note)) }
        });
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
        let checking = Checking::of(&self.following, index)?;
        self.following.ask(|client| {
            let bytes = client.receipt(index)?;
            if checking.is_right(&bytes) { Ok(bytes) } else { Err(false_receipt(client)) }
        })
    }

    /// Receipts of a leaf that is here, of as many validators as a source gives.
    pub(crate) fn receipts(&self, index: LeafIndex) -> Result<Vec<Vec<u8>>, WordError> {
        let checking = Checking::of(&self.following, index)?;
        self.following.ask(|client| {
            let mut receipts = client.receipts(index)?;
            // One may be by a validator that is not in office any more.
            receipts.retain(|bytes| checking.is_right(bytes));
            if receipts.is_empty() { Err(false_receipt(client)) } else { Ok(receipts) }
        })
    }

    /// A bundle that validators signed: the one that `query` asks for, with the claims of `own`, a
    /// bundle of this node for the same questions. One with the word of a quorum is looked for;
    /// whether fewer answers to a nonce are enough is up to whoever asks.
    pub(crate) fn proof(
        &self,
        query: &str,
        asked: &Asked<'_>,
        own: &[u8],
    ) -> Result<Vec<u8>, WordError> {
        let following = &self.following;
        let size = following.store.snapshot().size();
        let own = Bundle::decode(own).map_err(|_| WordError::Unreadable)?;
        let fewer = RefCell::new(None);
        let found = following.ask(|client| {
            let bytes = client.proof_as_asked(query)?;
            let is_false = || WordError::False { url: client.base().into(), what: "proof" };
            let Some((as_of, quorum)) = following.answered(&bytes, asked, &own.claims) else {
                let is_short = following.is_short(&bytes, asked);
                return Err(if is_short { WordError::Fewer } else { is_false() });
            };
            if as_of.size < size {
                return Err(is_false());
            }
            if !following.reach(as_of.size, PATIENCE) {
                return Err(WordError::Behind);
            }
            if following.store.snapshot().root(as_of.size)? != as_of.root {
                return Err(is_false());
            }
            match quorum {
                Quorum::Whole => Ok(bytes),
                Quorum::Fewer => {
                    fewer.borrow_mut().get_or_insert(bytes);
                    Err(WordError::Fewer)
                }
            }
        });
        match fewer.into_inner() {
            Some(bytes) if found.is_err() => Ok(bytes),
            _ => found,
        }
    }
}

impl Following {
    /// Asks one source after the other; the first failure counts, if none succeeds.
    fn ask<T>(&self, ask: impl Fn(&Client) -> Result<T, WordError>) -> Result<T, WordError> {
        let mut first = None;
        for client in self.sources.all() {
            match ask(client) {
                Ok(answer) => return Ok(answer),
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        Err(first.unwrap_or(WordError::Unreadable))
    }

    /// The state of the log of which a bundle proves these claims, on the certificate that was asked
    /// for, and how many validators answered the nonce: at least one, if there is one.
    fn answered(
        &self,
        bytes: &[u8],
        asked: &Asked<'_>,
        claims: &[Claim],
    ) -> Option<(AsOf, Quorum)> {
        let network = self.genesis.network_id();
        let certificates = Accepted::Only(asked.certificate);
        let nonce = asked.nonce;
        let trust = Trust { network: Some(network), nonce, certificates, ..Trust::default() };
        let verdict = judge(bytes, &trust);
        let bundle = Bundle::decode(bytes).ok()?;
        let as_of = verdict.as_of?;
        // Its log may have gone on, so lists and paths may be longer; that they are right, the
        // verdict says.
        if !bundle.claims.iter().map(Claim::question).eq(claims.iter().map(Claim::question)) {
            return None;
        }
        if verdict.valid {
            return Some((as_of, Quorum::Whole));
        }
        let fresh = bundle.freshness.as_ref().filter(|fresh| Some(fresh.nonce) == asked.nonce)?;
        let committee = committee(&bundle, &self.genesis);
        let count = answers(fresh, network, committee, as_of.size, as_of.root).ok()?;
        let mut others = verdict.checks.iter().filter(|check| check.name != "freshness");
        let proved = others.all(|check| check.result.holds());
        (count > 0 && proved).then_some((as_of, Quorum::Fewer))
    }

    /// Whether a bundle that was to be cosigned lacks cosignatures: its source had no more.
    fn is_short(&self, bytes: &[u8], asked: &Asked<'_>) -> bool {
        let few = |bundle: &Bundle<'_>| {
            let note = SignedCheckpoint::parse(bundle.note?.as_bytes()).ok()?;
            let committee = committee(bundle, &self.genesis);
            let count = cosigned(&note, committee).ok()?.len();
            (count < usize::from(committee.threshold)).then_some(())
        };
        asked.certificate == CertificateKind::Cosigned
            && Bundle::decode(bytes).is_ok_and(|bundle| few(&bundle).is_some())
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
        let cosigned = cosigned(&signed, &committee).is_ok_and(|by| !by.is_empty());
        if header.root != shown.root || !cosigned {
            return Err(is_false());
        }
        let size = shown.size;
        Ok((size, note))
    }
}

/// What validators shall sign in a bundle.
pub(crate) struct Asked<'a> {
    pub(crate) nonce: Option<&'a [u8]>,
    pub(crate) certificate: CertificateKind,
}

/// How many validators signed what a reader asked for.
enum Quorum {
    /// As many as their committee's word takes.
    Whole,
    Fewer,
}

/// Checks receipts of a leaf that is here.
struct Checking {
    snapshot: Arc<Snapshot>,
    index: LeafIndex,
    hash: Digest,
    /// Who may sign now.
    committees: Vec<Arc<Committee>>,
}

impl Checking {
    fn of(following: &Following, index: LeafIndex) -> Result<Self, WordError> {
        let snapshot = following.store.snapshot();
        let hash = snapshot.leaf_hash(index)?;
        // Whoever signs is in office now, whoever certified the batch; at the end of a term the
        // source may be a little further.
        let next = Height(snapshot.height().0.saturating_add(1));
        let mut committees = vec![appointment::in_office(snapshot.as_ref(), next)?];
        let waiting = appointment::waiting(snapshot.as_ref(), next)?;
        committees.extend(waiting.map(|appointed| Arc::new(appointed.committee)));
        Ok(Self { snapshot, index, hash, committees })
    }

    /// Whether a validator signed this of the log as it is here.
    fn is_right(&self, bytes: &[u8]) -> bool {
        let is_own = |Included { index, size, root }| {
            index == self.index && self.snapshot.root(size).is_ok_and(|own| own == root)
        };
        let mut validators = self.committees.iter().flat_map(|it| &it.validators);
        validators.any(|by| receipted(bytes, &self.hash, by).is_some_and(is_own))
    }
}

fn false_receipt(client: &Client) -> WordError {
    WordError::False { url: client.base().into(), what: "receipt" }
}
