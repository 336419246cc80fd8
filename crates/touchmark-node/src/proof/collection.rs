//! Collects from the store what the claims of a bundle need.

use super::{Excess, ProofError, Question};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use touchmark_core::confidence;
use touchmark_core::entry::{Entry, KeyState, Purposes, Thing};
use touchmark_core::evidence;
use touchmark_core::refusal::Unreadable;
use touchmark_core::verdict::LEVELS;
use touchmark_core::view::{Held, Read, View as _};
use touchmark_store::Snapshot;
use touchmark_wire::bundle::{Claim, Hashes, ProvedLeaf};
use touchmark_wire::ids::{ChannelId, KeyNumber, LeafIndex, ThingId};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::registry::{EntryKind, StatementKind};
use touchmark_wire::state::StateKey;
use touchmark_wire::statement::{Signatures, Statement};

/// Most leaves of one history in a bundle.
const HISTORY: usize = 100_000;

/// Most ended keys that are looked at to find the one for a leaf of evidence.
const KEYS: usize = 1_024;

/// Bytes of a leaf's place, and of what its encoding adds.
const PLACE: usize = 20;

/// A leaf with its path as bytes.
pub(super) struct Proved {
    leaf: Vec<u8>,
    path: Vec<u8>,
}

impl Proved {
    pub(super) fn borrow(&self, index: LeafIndex) -> ProvedLeaf<'_> {
        let path = Hashes::new(&self.path).expect("the path was made of whole hashes");
        ProvedLeaf { index, leaf: &self.leaf, path }
    }

    fn size(&self) -> usize {
        self.leaf.len() + self.path.len() + PLACE
    }
}

/// What a bundle's claims need: leaves, and the state entries that their checks read.
pub(super) struct Collection<'a> {
    snapshot: &'a Snapshot,
    pub(super) leaves: BTreeMap<LeafIndex, Proved>,
    pub(super) keys: BTreeSet<StateKey>,
    pub(super) claims: Vec<Claim>,
    /// Bytes that leaves may still take.
    room: usize,
}

impl<'a> Collection<'a> {
    /// With at most `room` bytes of leaves.
    pub(super) fn new(snapshot: &'a Snapshot, room: usize) -> Self {
        let (leaves, keys, claims) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        Self { snapshot, leaves, keys, claims, room }
    }

    /// Collects what a question needs, and makes the claim of it.
    pub(super) fn answer(&mut self, question: &Question) -> Result<(), ProofError> {
        let claim = self.claim(question)?;
        self.claims.push(claim);
        Ok(())
    }

    fn claim(&mut self, question: &Question) -> Result<Claim, ProofError> {
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
            Question::Continues(size) => {
                let path = self.snapshot.consistency_path(size, self.snapshot.size())?;
                Claim::Continues(size, self.snapshot.root(size)?, path)
            }
        })
    }

    /// A leaf with its inclusion path at the newest size.
    pub(super) fn proved(&self, index: LeafIndex) -> Result<Proved, ProofError> {
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
        self.keep(index, proved)
    }

    /// Takes a leaf in, in place of the same one without its path.
    fn keep(&mut self, index: LeafIndex, proved: Proved) -> Result<(), ProofError> {
        let before = self.leaves.get(&index).map_or(0, Proved::size);
        self.take_room(proved.size().saturating_sub(before))?;
        self.leaves.insert(index, proved);
        Ok(())
    }

    /// Counts what is collected as it is: the sum of many long leaves is more than memory holds.
    fn take_room(&mut self, bytes: usize) -> Result<(), ProofError> {
        self.room = self.room.checked_sub(bytes).ok_or(Excess::Bytes)?;
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
            return Err(Excess::History(thing).into());
        }
        self.show(&indexes)?;
        Ok(indexes)
    }

    fn complete_channel(&mut self, channel: ChannelId) -> Result<Vec<LeafIndex>, ProofError> {
        self.channel(channel)?;
        let indexes = self.snapshot.complete_channel(channel, HISTORY + 1)?;
        if indexes.len() > HISTORY {
            return Err(Excess::Channel(channel).into());
        }
        self.show(&indexes)?;
        Ok(indexes)
    }

    /// Leaves that a running hash proves.
    fn show(&mut self, indexes: &[LeafIndex]) -> Result<(), ProofError> {
        // The claim lists them, however often it is made.
        self.take_room(size_of_val(indexes))?;
        for indexes in indexes.chunks(Snapshot::FETCHED) {
            self.snapshot.fetch(indexes);
            for index in indexes {
                if !self.leaves.contains_key(index) {
                    let leaf = self.snapshot.leaf(*index)?;
                    self.keep(*index, Proved { leaf, path: Vec::new() })?;
                }
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

    /// The key for evidence that counted at a position: the one with the highest number, as on
    /// admission. One that is valid now is shown by the thing's entry, any other by one entry more.
    ///
    /// Where none counted, evidence was read again after its key ended. Then all are shown that the
    /// thing had, and the first that came later: only so it is seen that none is hidden.
    fn evidence_key(&mut self, id: ThingId, position: LeafIndex) -> Result<(), ProofError> {
        let thing = self.thing(id)?.ok_or(ProofError::NoThing(id))?;
        let before = self.keys_before(id, &thing, position)?;
        let counts =
            |key: &KeyState| key.purposes.contains(Purposes::EVIDENCE) && key.is_valid_at(position);
        let mut ended = Vec::new();
        for number in (0..before).rev().map(KeyNumber) {
            let entry = thing.key(number).is_none().then(|| StateKey::closed_key(id, number));
            if self.key_state(id, &thing, number)?.is_some_and(|key| counts(&key)) {
                self.keys.extend(entry);
                return Ok(());
            }
            ended.extend(entry);
            if ended.len() == KEYS {
                return Err(Excess::Keys(id).into());
            }
        }
        self.keys.extend(ended);
        if before < thing.next_number.0 {
            self.key(id, KeyNumber(before))?;
        }
        Ok(())
    }

    /// A key of a thing, valid or ended.
    fn key_state(
        &self,
        id: ThingId,
        thing: &Thing,
        number: KeyNumber,
    ) -> Result<Option<KeyState>, ProofError> {
        match thing.key(number) {
            Some(key) => Ok(Some(key.clone())),
            None => Ok(self.snapshot.closed_key(id, number)?),
        }
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
            let from = self.key_state(id, thing, number)?.map(|key| key.from);
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
