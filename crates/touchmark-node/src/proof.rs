//! Bundles: collects from the store what a claim needs, and the engine's certificate.

use crate::attestation::AttestationError;
use crate::node::Node;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use touchmark_core::confidence;
use touchmark_core::entry::{Entry, KeyState, Purposes, Thing};
use touchmark_core::evidence;
use touchmark_core::refusal::Unreadable;
use touchmark_core::verdict::LEVELS;
use touchmark_core::view::{Held, Read, View as _};
use touchmark_ledger::StateView as _;
use touchmark_store::Snapshot;
use touchmark_wire::bundle::{Bundle, Bytes, Claim, Freshness, Hashes, ProvedLeaf};
use touchmark_wire::ids::{ChannelId, KeyNumber, LeafIndex, ThingId};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::registry::{EntryKind, StatementKind};
use touchmark_wire::state::StateKey;
use touchmark_wire::statement::{Signatures, Statement};

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
    /// More leaves than a bundle holds.
    #[error("{0} has a longer history than a bundle holds")]
    TooMany(ThingId),
    /// More leaves than a bundle holds.
    #[error("the channel {0} has more entries than a bundle holds")]
    LongChannel(ChannelId),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] touchmark_store::Error),
    /// The state cannot be read.
    #[error("the state cannot be read")]
    Unreadable,
    /// The node's keys failed.
    #[error(transparent)]
    Attestation(#[from] AttestationError),
}

impl From<Unreadable> for ProofError {
    fn from(_: Unreadable) -> Self {
        Self::Unreadable
    }
}

/// Most leaves of one history in a bundle.
const HISTORY: usize = 100_000;

/// Proves `questions` in one bundle, as of the newest batch; `nonce` asks for a fresh answer.
pub async fn prove(
    node: &Node,
    questions: &[Question],
    nonce: Option<&[u8]>,
) -> Result<Vec<u8>, ProofError> {
    let snapshot = node.store.snapshot();
    let tip = snapshot.tip().batch.clone();
    let finality = node.finality(tip.height()).await.ok_or(ProofError::NotCertified)?;
    let mut collection = Collection::new(&snapshot);
    let claims = questions
        .iter()
        .map(|question| collection.answer(question))
        .collect::<Result<Vec<_>, _>>()?;

    let (size, root) = (tip.size(), tip.header().root);
    let batch_leaf = LeafIndex(size.0.checked_sub(1).ok_or(ProofError::NotCertified)?);
    let batch = collection.proved(batch_leaf)?;
    let keys: Vec<_> = collection.keys.iter().copied().collect();
    let state = snapshot.prove(&keys)?;
    let fresh = nonce.map(|nonce| node.attestor.fresh(nonce, size, root)).transpose()?;
    let genesis = node.genesis.encode_to_vec();
    let bundle = Bundle {
        version: Bundle::VERSION,
        genesis: &genesis,
        headers: finality.headers.iter().map(|header| Bytes(header)).collect(),
        certificate: &finality.certificate,
        batch: batch.borrow(batch_leaf),
        state: &state,
        leaves: collection.leaves.iter().map(|(index, leaf)| leaf.borrow(*index)).collect(),
        claims,
        freshness: nonce.zip(fresh.as_ref()).map(|(nonce, (place, signature))| Freshness {
            nonce,
            signatures: vec![(*place, Bytes(signature))],
        }),
        note: None,
    };
    Ok(bundle.encode_to_vec())
}

/// A leaf with its path as bytes.
#[derive(Default)]
struct Proved {
    leaf: Vec<u8>,
    path: Vec<u8>,
}

impl Proved {
    fn borrow(&self, index: LeafIndex) -> ProvedLeaf<'_> {
        let path = Hashes::new(&self.path).expect("the path was made of whole hashes");
        ProvedLeaf { index, leaf: &self.leaf, path }
    }
}

/// What a bundle's claims need: leaves, and the state entries that their checks read.
struct Collection<'a> {
    snapshot: &'a Snapshot,
    leaves: BTreeMap<LeafIndex, Proved>,
    keys: BTreeSet<StateKey>,
}

impl<'a> Collection<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, leaves: BTreeMap::new(), keys: BTreeSet::new() }
    }

    fn answer(&mut self, question: &Question) -> Result<Claim, ProofError> {
        Ok(match *question {
            Question::Record(leaf) => {
                self.record(leaf)?;
                Claim::Record(leaf)
            }
            Question::Complete(thing) => {
                let leaves = self.snapshot.complete_history(thing, HISTORY + 1)?;
                Claim::Complete(thing, self.list(thing, leaves)?)
            }
            Question::Mentioned(thing) => {
                let leaves = self.snapshot.mentions(thing, HISTORY + 1)?;
                Claim::Mentioned(thing, self.list(thing, leaves)?)
            }
            Question::Status(thing) => {
                self.authority(thing)?;
                Claim::Status(thing)
            }
            Question::StatusAt(thing, leaf) => {
                self.authority(thing)?;
                Claim::StatusAt(thing, leaf)
            }
            Question::Absent(thing) => {
                self.keys.insert(StateKey::thing(thing, EntryKind::THING));
                Claim::Absent(thing)
            }
            Question::Latest(leaf) => {
                self.record(leaf)?;
                Claim::Latest(leaf)
            }
            Question::Accredited(by, thing) => {
                self.keys.insert(StateKey::accreditation(by, thing));
                Claim::Accredited(by, thing)
            }
            Question::Channel(channel) => {
                self.channel(channel)?;
                Claim::Channel(channel)
            }
            Question::CompleteChannel(channel) => {
                Claim::CompleteChannel(channel, self.complete_channel(channel)?)
            }
            Question::Writer(channel, thing) => {
                self.channel(channel)?;
                self.authority(thing)?;
                self.keys.insert(StateKey::channel_chain(channel, thing));
                Claim::Writer(channel, thing)
            }
        })
    }

    /// A leaf with its inclusion path at the newest size.
    fn proved(&self, index: LeafIndex) -> Result<Proved, ProofError> {
        let size = self.snapshot.size();
        let leaf = self.snapshot.leaf(index)?;
        let path = self.snapshot.inclusion_path(index, size)?;
        Ok(Proved { leaf, path: path.iter().flat_map(|hash| hash.0).collect() })
    }

    fn record(&mut self, index: LeafIndex) -> Result<(), ProofError> {
        let proved = self.proved(index)?;
        for (thing, number) in signers(&proved.leaf) {
            self.authority(thing)?;
            self.keys.insert(StateKey::thing(thing, EntryKind::HEAD));
            match number {
                Some(number) => self.key(thing, number)?,
                None => self.evidence_key(thing, index)?,
            }
        }
        if let Some((channel, issuer)) = entry(&proved.leaf) {
            self.keys.insert(StateKey::channel_chain(channel, issuer));
        }
        let reader = Recorder { snapshot: self.snapshot, keys: RefCell::default() };
        confidence::of_leaf(index, &proved.leaf, &reader)?;
        self.keys.extend(reader.keys.into_inner());
        self.leaves.insert(index, proved);
        Ok(())
    }

    /// Shows the leaves that one of a thing's running hashes is of.
    fn list(
        &mut self,
        thing: ThingId,
        indexes: Vec<LeafIndex>,
    ) -> Result<Vec<LeafIndex>, ProofError> {
        self.authority(thing)?;
        self.keys.insert(StateKey::thing(thing, EntryKind::HEAD));
        if indexes.len() > HISTORY {
            return Err(ProofError::TooMany(thing));
        }
        self.show(&indexes)?;
        Ok(indexes)
    }

    fn complete_channel(&mut self, channel: ChannelId) -> Result<Vec<LeafIndex>, ProofError> {
        self.channel(channel)?;
        let indexes = self.snapshot.complete_channel(channel, HISTORY + 1)?;
        if indexes.len() > HISTORY {
            return Err(ProofError::LongChannel(channel));
        }
        self.show(&indexes)?;
        Ok(indexes)
    }

    /// Leaves that a running hash proves.
    fn show(&mut self, indexes: &[LeafIndex]) -> Result<(), ProofError> {
        for index in indexes {
            if !self.leaves.contains_key(index) {
                let leaf = self.snapshot.leaf(*index)?;
                self.leaves.insert(*index, Proved { leaf, path: Vec::new() });
            }
        }
        Ok(())
    }

    /// The entry of a channel, and those of its author and of who is above it.
    fn channel(&mut self, id: ChannelId) -> Result<(), ProofError> {
        self.keys.insert(StateKey::channel(id, EntryKind::CHANNEL));
        match self.snapshot.channel(id)? {
            Some(channel) => self.authority(channel.author),
            None => Ok(()),
        }
    }

    /// The entries of a thing and of those above it, as far as a verdict follows them.
    fn authority(&mut self, id: ThingId) -> Result<(), ProofError> {
        let mut above = id;
        for _ in 0..LEVELS {
            self.keys.insert(StateKey::thing(above, EntryKind::THING));
            let thing = self.thing(above)?.filter(|thing| thing.confirmed.is_some());
            match thing.and_then(|thing| thing.controller) {
                Some(controller) => above = controller,
                None => break,
            }
        }
        Ok(())
    }

    fn thing(&self, id: ThingId) -> Result<Option<Held<Thing>>, ProofError> {
        Ok(self.snapshot.thing(id)?)
    }

    /// A key that is no longer valid has an entry of its own.
    fn key(&mut self, id: ThingId, number: KeyNumber) -> Result<(), ProofError> {
        let thing = self.thing(id)?.ok_or(ProofError::NoThing(id))?;
        if thing.key(number).is_none() {
            self.keys.insert(StateKey::closed_key(id, number));
        }
        Ok(())
    }

    /// The key for evidence that counted at a position; where none did, the last before. One that
    /// is valid now is shown by the thing's entry, any other by one entry more.
    fn evidence_key(&mut self, id: ThingId, position: LeafIndex) -> Result<(), ProofError> {
        let thing = self.thing(id)?.ok_or(ProofError::NoThing(id))?;
        let signs = |key: &KeyState| key.purposes.contains(Purposes::EVIDENCE);
        if thing.keys.iter().any(|key| signs(key) && key.is_valid_at(position)) {
            return Ok(());
        }
        let mut last = None;
        for number in (0..self.keys_before(id, &thing, position)?).rev().map(KeyNumber) {
            let Some(key) = self.snapshot.closed_key(id, number)?.filter(signs) else { continue };
            if key.is_valid_at(position) {
                self.keys.insert(StateKey::closed_key(id, number));
                return Ok(());
            }
            last = last.or(Some(number));
        }
        self.keys.extend(last.map(|number| StateKey::closed_key(id, number)));
        Ok(())
    }

    /// How many keys a thing had been given before a position. Numbers ascend with leaves, so this
    /// reads a few of them only, however many keys came since.
    fn keys_before(
        &self,
        id: ThingId,
        thing: &Thing,
        position: LeafIndex,
    ) -> Result<u32, ProofError> {
        let (mut low, mut high) = (0, thing.next_number.0);
        while low < high {
            let middle = low + (high - low) / 2;
            let number = KeyNumber(middle);
            let from = match thing.key(number) {
                Some(key) => Some(key.from),
                None => self.snapshot.closed_key(id, number)?.map(|key| key.from),
            };
            if from.is_some_and(|from| from < position) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

/// Notes which entries are read: they are the ones that a reader of the bundle will need.
struct Recorder<'a> {
    snapshot: &'a Snapshot,
    keys: RefCell<BTreeSet<StateKey>>,
}

impl Read for Recorder<'_> {
    fn read(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        self.keys.borrow_mut().insert(*key);
        self.snapshot.entry(key)
    }
}

/// Whose keys a leaf's signatures are checked under; without a number, a thing's evidence keys.
fn signers(leaf: &[u8]) -> Vec<(ThingId, Option<KeyNumber>)> {
    let Ok(leaf) = Leaf::decode(leaf) else {
        return Vec::new();
    };
    if let Leaf::Evidence(bare) = leaf {
        let inner = evidence::parse(bare.format, bare.bytes);
        return inner.map(|inner| (inner.thing, None)).into_iter().collect();
    }
    let Some(statement) = leaf.statement().and_then(|bytes| Statement::parse(bytes).ok()) else {
        return Vec::new();
    };
    let protected = statement.protected();
    let mut signers = match statement.signatures() {
        Signatures::One(_) => vec![(protected.kid.thing, protected.kid.key)],
        Signatures::Many(many) => {
            many.iter().map(|signer| (signer.kid().thing, signer.kid().key)).collect()
        }
    };
    if protected.link.kind == StatementKind::EVIDENCE {
        let limit = touchmark_wire::limits::STATEMENT;
        let wrapped: Result<evidence::WrappedEvidence<'_>, _> =
            touchmark_wire::codec::decode(statement.payload(), limit);
        let inner = wrapped.map(|wrapped| evidence::parse(wrapped.format, wrapped.bytes));
        if let Ok(Ok(inner)) = inner {
            signers.push((inner.thing, None));
        }
    }
    signers
}

/// The channel that a leaf's statement is in, and its issuer.
fn entry(leaf: &[u8]) -> Option<(ChannelId, ThingId)> {
    let statement = Statement::parse(Leaf::decode(leaf).ok()?.statement()?).ok()?;
    Some((statement.protected().link.channel?, statement.protected().kid.thing))
}

/// The receipt of a leaf, at the size of its own batch: always the same bytes.
pub fn receipt(node: &Node, index: LeafIndex) -> Result<Vec<u8>, ProofError> {
    let snapshot = node.store.snapshot();
    let batch = snapshot.batch_of_leaf(index)?;
    let (size, root) = (batch.header().size, batch.header().root);
    let path = snapshot.inclusion_path(index, size)?;
    Ok(node.attestor.receipt(index, size, &path, &root)?)
}
