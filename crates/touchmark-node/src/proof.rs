//! Bundles: what a claim needs, with the engine's certificate; and receipts.

mod certification;
mod collection;

use crate::anchor::{Anchor, ShownAnchor};
use crate::attestation::{AttestationError, Attestor};
use crate::follow::{Asked, Follower, WordError};
use crate::node::{Node, now};
use crate::word;
pub(crate) use certification::Certification;
use collection::Collection;
use std::collections::BTreeMap;
use std::sync::Arc;
use touchmark_core::appointment;
use touchmark_core::refusal::Unreadable;
use touchmark_core::verdict::CertificateKind;
use touchmark_ledger::StateView as _;
use touchmark_store::Snapshot;
use touchmark_wire::bundle::{Bundle, Bytes, Freshness};
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::ids::{ChannelId, LeafIndex, ThingId, TreeSize};

/// What to prove.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// A leaf is in the log and rightly signed.
    Record(LeafIndex),
    /// All that is in a thing's history.
    Complete(ThingId),
    /// A thing's status and keys now.
    Status(ThingId),
    /// A thing's status and keys for a leaf at a position.
    StatusAt(ThingId, LeafIndex),
    /// No thing has this id.
    Absent(ThingId),
    /// A leaf is the last statement of its issuer.
    Latest(LeafIndex),
    /// The first thing vouches for the second.
    Accredited(ThingId, ThingId),
    /// All that others say of a thing.
    Mentioned(ThingId),
    /// Author and policy of a channel, and whether it is closed.
    Channel(ChannelId),
    /// All there is about and in a channel.
    CompleteChannel(ChannelId),
    /// A thing may write into a channel.
    Writer(ChannelId, ThingId),
    /// The log begins with the one that had so many leaves.
    Continues(TreeSize),
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Nothing is certified yet, or the engine is over.
    #[error("no certificate is available now")]
    NotCertified,
    /// A thing that was asked for has no history.
    #[error("{0} is not registered")]
    NoThing(ThingId),
    /// More than a bundle holds.
    #[error(transparent)]
    TooMany(#[from] Excess),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] touchmark_store::Error),
    /// The engine's part of a folder cannot be read.
    #[error(transparent)]
    Engine(#[from] touchmark_engine::Error),
    /// The state cannot be read.
    #[error("the state cannot be read")]
    Unreadable,
    /// What others sign is not to be had.
    #[error(transparent)]
    Word(#[from] WordError),
    /// The node's keys failed.
    #[error(transparent)]
    Attestation(#[from] AttestationError),
}

/// What is more than a bundle holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Excess {
    /// The leaves of a history.
    #[error("{0} has a longer history than a bundle holds")]
    History(ThingId),
    /// The leaves of a channel's history.
    #[error("the channel {0} has a longer history than a bundle holds")]
    Channel(ChannelId),
    /// What was asked for, in bytes.
    #[error("this is more bytes than a bundle holds: ask for less at once")]
    Bytes,
    /// The ended keys among which the one for evidence may be.
    #[error("{0} had too many keys to find the one that signed this evidence")]
    Keys(ThingId),
}

impl From<Unreadable> for ProofError {
    fn from(_: Unreadable) -> Self {
        Self::Unreadable
    }
}

/// Bytes of a bundle that are kept for all but leaves: headers, certificate, state, claims.
const RESERVE: usize = 8 << 20;

/// What a bundle shall prove, and what validators shall sign for it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The claims.
    pub questions: &'a [Question],
    /// A client's nonce.
    pub nonce: Option<&'a [u8]>,
    /// What stands for the committee's word.
    pub certificate: CertificateKind,
    /// Whether to add what another network says of the log, if the node has it.
    pub anchored: bool,
}

impl Wanted<'_> {
    /// What the node has of another network's word on a log of this size, if that is wanted.
    fn anchor(&self, node: &Node, size: TreeSize) -> Option<Arc<Anchor>> {
        node.anchorage().of(size).filter(|_| self.anchored)
    }
}

/// Proves `questions` in one bundle, as of the newest batch; `nonce` asks for a fresh answer.
pub async fn prove(
    node: &Node,
    questions: &[Question],
    nonce: Option<&[u8]>,
) -> Result<Vec<u8>, ProofError> {
    prove_within(node, questions, nonce, Bundle::LIMIT - RESERVE).await
}

/// As [`prove`], with at most `room` bytes of leaves, paths and lists of leaves.
pub async fn prove_within(
    node: &Node,
    questions: &[Question],
    nonce: Option<&[u8]>,
    room: usize,
) -> Result<Vec<u8>, ProofError> {
    let certificate = CertificateKind::Engine;
    prove_wanted(node, &Wanted { questions, nonce, certificate, anchored: true }, room).await
}

/// As [`prove_within`], on whatever certificate is wanted. What other validators sign is waited for
/// a second at most; what is missing then is missing in the bundle.
async fn prove_wanted(
    node: &Node,
    wanted: &Wanted<'_>,
    room: usize,
) -> Result<Vec<u8>, ProofError> {
    let validator = || node.attestor().ok_or(AttestationError::NotValidator);
    let (snapshot, note) = match wanted.certificate {
        CertificateKind::Engine => (node.store.snapshot(), None),
        CertificateKind::Cosigned => {
            let (snapshot, note) = node.council().note(node, validator()?).await?;
            (snapshot, Some(note))
        }
    };
    let tip = snapshot.tip().batch.clone();
    let certification = node.certification(&snapshot).await?;
    let committee = certification.committee(&node.genesis);
    let state = word::State { committee, size: tip.size(), root: tip.header().root };
    let fresh = match wanted.nonce {
        None => None,
        Some(nonce) => {
            let signatures = state.fresh(node, validator()?, nonce).await?;
            Some(Fresh { nonce: nonce.to_vec(), signatures })
        }
    };
    let genesis = node.genesis.encode_to_vec();
    let anchor = wanted.anchor(node, tip.size());
    let frame = Frame { genesis, certification, size: tip.size(), fresh, note, anchor };
    let questions = wanted.questions.to_vec();
    // A long history is many reads: they would keep other requests waiting.
    let assembled = tokio::task::spawn_blocking(move || {
        let mut collection = Collection::new(&snapshot, room);
        for question in &questions {
            collection.answer(question)?;
        }
        assemble(&frame, &snapshot, collection)
    });
    assembled.await.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // The runtime is going down, and the engine with it.
        Err(_) => Err(ProofError::NotCertified),
    })
}

/// Proves the batch that `snapshot` ends with, and nothing beside it: what the network certified is
/// this log with this state.
pub(crate) fn of_tip(
    genesis: &Genesis,
    snapshot: &Snapshot,
    certification: Certification,
) -> Result<Vec<u8>, ProofError> {
    let (genesis, size) = (genesis.encode_to_vec(), snapshot.size());
    let mut collection = Collection::new(snapshot, Bundle::LIMIT - RESERVE);
    collection.answer(&Question::Record(batch_leaf(size)?))?;
    let frame = Frame { genesis, certification, size, fresh: None, note: None, anchor: None };
    assemble(&frame, snapshot, collection)
}

/// The last leaf of a log, which fixes the state.
fn batch_leaf(size: TreeSize) -> Result<LeafIndex, ProofError> {
    size.0.checked_sub(1).map(LeafIndex).ok_or(ProofError::NotCertified)
}

/// What a bundle has around its leaves and entries.
struct Frame {
    genesis: Vec<u8>,
    certification: Certification,
    size: TreeSize,
    fresh: Option<Fresh>,
    /// The cosigned checkpoint, instead of the engine's certificate.
    note: Option<String>,
    /// What another network says of the log.
    anchor: Option<Arc<Anchor>>,
}

/// The signed answers to a nonce.
struct Fresh {
    nonce: Vec<u8>,
    /// By the validators' places in the committee.
    signatures: BTreeMap<u16, Vec<u8>>,
}

fn assemble(
    frame: &Frame,
    snapshot: &Snapshot,
    collection: Collection<'_>,
) -> Result<Vec<u8>, ProofError> {
    let batch_leaf = batch_leaf(frame.size)?;
    let batch = collection.proved(batch_leaf)?;
    let keys: Vec<_> = collection.keys.iter().copied().collect();
    let state = snapshot.prove(&keys)?;
    let anchor = frame.anchor.as_deref().and_then(|anchor| anchor.shown(snapshot, frame.size));
    let finality = Some(&frame.certification.batch).filter(|_| frame.note.is_none());
    let headers = finality.map(|it| it.headers.iter().map(|header| Bytes(header)).collect());
    let bundle = Bundle {
        version: Bundle::VERSION,
        genesis: &frame.genesis,
        headers: headers.unwrap_or_default(),
        certificate: finality.map(|it| &it.certificate[..]),
        batch: batch.borrow(batch_leaf),
        state: &state,
        leaves: collection.leaves.iter().map(|(index, leaf)| leaf.borrow(*index)).collect(),
        claims: collection.claims,
        freshness: frame.fresh.as_ref().map(|fresh| Freshness {
            nonce: &fresh.nonce,
            signatures: fresh.signatures.iter().map(|(place, it)| (*place, Bytes(it))).collect(),
        }),
        note: frame.note.as_deref(),
        handovers: frame.certification.handovers()?,
        anchor: anchor.as_ref().map(ShownAnchor::borrow),
    };
    let mut bytes = bundle.encode_to_vec();
    if bytes.len() > Bundle::LIMIT {
        bytes = Bundle { anchor: None, ..bundle }.encode_to_vec();
    }
    // The reserve is an estimate, and nobody could read a longer bundle.
    if bytes.len() > Bundle::LIMIT {
        return Err(Excess::Bytes.into());
    }
    Ok(bytes)
}

/// A validator's receipt of a leaf, at the size of its own batch.
pub async fn receipt(node: &Arc<Node>, index: LeafIndex) -> Result<Vec<u8>, ProofError> {
    match node.attestor() {
        // Whoever signs is in office now, whoever certified the batch.
        Some(attestor) => {
            let committee = node.committee().ok_or(ProofError::Unreadable)?;
            signed_receipt(&node.store.snapshot(), &committee, attestor, index)
        }
        None => passed_on(node, move |follower| follower.receipt(index)).await,
    }
}

/// Receipts of a leaf by so many validators that one of them is honest.
pub(crate) async fn receipts(
    node: &Arc<Node>,
    index: LeafIndex,
) -> Result<Vec<Vec<u8>>, ProofError> {
    match node.attestor() {
        Some(attestor) => word::receipts(node, attestor, index).await,
        None => passed_on(node, move |follower| follower.receipts(index)).await,
    }
}

/// The newest checkpoint of the log as it is here, cosigned by a validator; who follows has perhaps
/// a somewhat older one.
pub(crate) async fn checkpoint(node: &Arc<Node>) -> Result<String, ProofError> {
    let Some(attestor) = node.attestor() else {
        return passed_on(node, Follower::checkpoint).await;
    };
    let snapshot = node.store.snapshot();
    let tip = snapshot.tip().batch.clone();
    // A mirror shows the certificate of the same committee beside it.
    let committee = appointment::in_office(snapshot.as_ref(), tip.height())?;
    let note = attestor.checkpoint(&committee, tip.size(), tip.header().root, now())?;
    Ok(node.witnesses().cosigned(note))
}

/// As [`prove`], with whatever validators shall sign; `query` is the question as it was asked.
pub(crate) async fn prove_asked(
    node: &Arc<Node>,
    wanted: &Wanted<'_>,
    query: &str,
) -> Result<Vec<u8>, ProofError> {
    let room = Bundle::LIMIT - RESERVE;
    let is_signed = wanted.nonce.is_some() || wanted.certificate == CertificateKind::Cosigned;
    if node.attestor().is_some() || !is_signed {
        return prove_wanted(node, wanted, room).await;
    }
    let own = prove(node, wanted.questions, None).await?;
    let nonce = wanted.nonce.map(<[u8]>::to_vec);
    let (query, certificate) = (query.to_owned(), wanted.certificate);
    let bundle = passed_on(node, move |follower| {
        follower.proof(&query, &Asked { nonce: nonce.as_deref(), certificate }, &own)
    });
    Ok(with_own_anchor(node, wanted, bundle.await?))
}

/// A bundle that was passed on, with what this node knows of another network's word, in the place of
/// what its source says of it.
fn with_own_anchor(node: &Node, wanted: &Wanted<'_>, bytes: Vec<u8>) -> Vec<u8> {
    let Ok(bundle) = Bundle::decode(&bytes) else { return bytes };
    let size = bundle.batch.index.size();
    let anchor = wanted.anchor(node, size);
    let snapshot = node.store.snapshot();
    let shown = anchor.as_ref().and_then(|anchor| anchor.shown(&snapshot, size));
    Bundle { anchor: shown.as_ref().map(ShownAnchor::borrow), ..bundle }.encode_to_vec()
}

/// What a node that signs nothing asks others for.
async fn passed_on<T: Send + 'static>(
    node: &Arc<Node>,
    ask: impl FnOnce(&Follower) -> Result<T, WordError> + Send + 'static,
) -> Result<T, ProofError> {
    let follower = node.follower().ok_or(AttestationError::NotValidator)?;
    let place = follower.place().ok_or(WordError::Busy)?;
    let node = node.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let _held_to_the_end = place;
        let follower = node.follower().ok_or(AttestationError::NotValidator)?;
        Ok(ask(follower)?)
    });
    asked.await.unwrap_or(Err(ProofError::NotCertified))
}

/// Always the same bytes.
pub(crate) fn signed_receipt(
    snapshot: &Snapshot,
    committee: &Committee,
    attestor: &Attestor,
    index: LeafIndex,
) -> Result<Vec<u8>, ProofError> {
    let batch = snapshot.batch_of_leaf(index)?;
    let (size, root) = (batch.header().size, batch.header().root);
    let path = snapshot.inclusion_path(index, size)?;
    Ok(attestor.receipt(committee, index, size, &path, &root)?)
}
