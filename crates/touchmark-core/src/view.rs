//! How rules read the state, and the draft of changes they write.

use crate::entry::{
    Accreditation, Appointed, Attributes, Channel, ChannelChain, Counter, Entry, Head, KeyState,
    Thing,
};
use crate::event::Event;
use crate::refusal::Unreadable;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;
use touchmark_wire::genesis::Committee;
use touchmark_wire::ids::{
    ChannelId, EvidenceId, Height, KeyNumber, LeafIndex, NetworkId, Sequence, StatementId, ThingId,
    Timestamp,
};
use touchmark_wire::registry::{EntryKind, EvidenceFormat};
use touchmark_wire::state::StateKey;

/// The state before a statement, as the log so far determines it.
pub trait View {
    /// The network.
    fn network(&self) -> NetworkId;

    /// The committee of the genesis document: in force until another one was appointed.
    fn genesis_committee(&self) -> Result<Arc<Committee>, Unreadable>;

    /// The entry at `key`.
    fn entry(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable>;

    /// Which statement stands at a place of a chain, and where in the log.
    fn statement_at(
        &self,
        issuer: ThingId,
        channel: Option<ChannelId>,
        sequence: Sequence,
    ) -> Result<Option<(LeafIndex, StatementId)>, Unreadable>;

    /// Where evidence is first in the log.
    fn evidence(&self, id: EvidenceId) -> Result<Option<LeafIndex>, Unreadable>;
}

/// Typed reading, on everything that can read entries.
pub trait Read {
    /// The entry at `key`.
    fn read(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable>;

    /// A thing.
    fn thing(&self, id: ThingId) -> Result<Option<Held<Thing>>, Unreadable> {
        let entry = self.read(&StateKey::thing(id, EntryKind::THING))?;
        Ok(entry.and_then(Held::thing))
    }

    /// A thing's chain and history.
    fn head(&self, id: ThingId) -> Result<Option<Head>, Unreadable> {
        Ok(match self.read(&StateKey::thing(id, EntryKind::HEAD))?.as_deref() {
            Some(Entry::Head(head)) => Some(head.clone()),
            _ => None,
        })
    }

    /// A thing's attributes; none are an empty map.
    fn attributes(&self, id: ThingId) -> Result<Attributes, Unreadable> {
        Ok(match self.read(&StateKey::thing(id, EntryKind::ATTRIBUTES))?.as_deref() {
            Some(Entry::Attributes(attributes)) => attributes.clone(),
            _ => Attributes::default(),
        })
    }

    /// A key that is no longer valid.
    fn closed_key(&self, id: ThingId, number: KeyNumber) -> Result<Option<KeyState>, Unreadable> {
        Ok(match self.read(&StateKey::closed_key(id, number))?.as_deref() {
            Some(Entry::ClosedKey(key)) => Some(key.clone()),
            _ => None,
        })
    }

    /// A usage counter.
    fn counter(&self, id: ThingId, format: EvidenceFormat) -> Result<Option<Counter>, Unreadable> {
        Ok(match self.read(&StateKey::counter(id, format))?.as_deref() {
            Some(Entry::Counter(counter)) => Some(counter.clone()),
            _ => None,
        })
    }

    /// A channel.
    fn channel(&self, id: ChannelId) -> Result<Option<Channel>, Unreadable> {
        Ok(match self.read(&StateKey::channel(id, EntryKind::CHANNEL))?.as_deref() {
            Some(Entry::Channel(channel)) => Some(channel.clone()),
            _ => None,
        })
    }

    /// A channel's attributes; none are an empty map.
    fn channel_attributes(&self, id: ChannelId) -> Result<Attributes, Unreadable> {
        Ok(match self.read(&StateKey::channel(id, EntryKind::ATTRIBUTES))?.as_deref() {
            Some(Entry::Attributes(attributes)) => attributes.clone(),
            _ => Attributes::default(),
        })
    }

    /// A thing's rights and chain in a channel.
    fn channel_chain(
        &self,
        channel: ChannelId,
        thing: ThingId,
    ) -> Result<Option<ChannelChain>, Unreadable> {
        Ok(match self.read(&StateKey::channel_chain(channel, thing))?.as_deref() {
            Some(Entry::ChannelChain(chain)) => Some(chain.clone()),
            _ => None,
        })
    }

    /// The committee at this key, if one was appointed.
    fn appointed(&self, key: &StateKey) -> Result<Option<Held<Appointed>>, Unreadable> {
        Ok(self.read(key)?.and_then(Held::appointed))
    }

    /// What `controller` says of `thing`.
    fn accreditation(
        &self,
        controller: ThingId,
        thing: ThingId,
    ) -> Result<Option<Accreditation>, Unreadable> {
        Ok(match self.read(&StateKey::accreditation(controller, thing))?.as_deref() {
            Some(Entry::Accreditation(accreditation)) => Some(accreditation.clone()),
            _ => None,
        })
    }
}

/// What an entry holds, read where it is: looking at a thing copies nothing.
#[derive(Clone, Debug)]
pub struct Held<T> {
    entry: Arc<Entry>,
    inside: fn(&Entry) -> Option<&T>,
}

impl<T> Held<T> {
    fn of(entry: Arc<Entry>, inside: fn(&Entry) -> Option<&T>) -> Option<Self> {
        inside(&entry)?;
        Some(Self { entry, inside })
    }
}

impl Held<Thing> {
    /// The thing that an entry is.
    pub(crate) fn thing(entry: Arc<Entry>) -> Option<Self> {
        Self::of(entry, |entry| match entry {
            Entry::Thing(thing) => Some(thing),
            _ => None,
        })
    }
}

impl Held<Appointed> {
    fn appointed(entry: Arc<Entry>) -> Option<Self> {
        Self::of(entry, |entry| match entry {
            Entry::Committee(appointed) => Some(appointed),
            _ => None,
        })
    }
}

impl<T: Clone> Held<T> {
    /// A copy, to be changed.
    pub fn copied(&self) -> T {
        T::clone(self)
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        (self.inside)(&self.entry).expect("it was there when it was taken hold of")
    }
}

impl<T: PartialEq> PartialEq for Held<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<V: View + ?Sized> Read for V {
    fn read(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        self.entry(key)
    }
}

/// Where a leaf will stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// Index of the leaf.
    pub leaf: LeafIndex,
    /// Number of its batch.
    pub height: Height,
    /// Time of its batch.
    pub time: Timestamp,
}

/// The channel that a leaf is about or in, and how it counts there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InChannel {
    /// In the channel's history.
    History(ChannelId),
    /// Among its mentions: somebody says it who may not write there.
    Mention(ChannelId),
}

impl InChannel {
    /// Which channel.
    pub const fn channel(self) -> ChannelId {
        match self {
            Self::History(channel) | Self::Mention(channel) => channel,
        }
    }
}

/// What a finished draft leaves.
#[derive(Debug)]
pub struct Changes {
    /// New values of state entries, in key order.
    pub entries: Vec<(StateKey, Arc<Entry>)>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// The things whose histories the leaf is in.
    pub about: Vec<ThingId>,
    /// The things among whose mentions it is.
    pub mentioned: Vec<ThingId>,
    /// The channel that it is about or in.
    pub channel: Option<InChannel>,
}

/// The changes of one leaf while its rule runs; dropped when the rule denies.
pub struct Draft<'v> {
    view: &'v dyn View,
    /// Where the leaf will stand.
    pub position: Position,
    changes: BTreeMap<StateKey, Arc<Entry>>,
    events: Vec<Event>,
    about: Vec<ThingId>,
    mentioned: Vec<ThingId>,
    channel: Option<InChannel>,
}

impl<'v> Draft<'v> {
    /// Nothing changed yet.
    pub fn new(view: &'v dyn View, position: Position) -> Self {
        let (events, about, mentioned) = (Vec::new(), Vec::new(), Vec::new());
        let (changes, channel) = (BTreeMap::new(), None);
        Self { view, position, changes, events, about, mentioned, channel }
    }

    /// The view below the draft.
    pub fn view(&self) -> &'v dyn View {
        self.view
    }

    /// Writes a thing.
    pub fn set_thing(&mut self, id: ThingId, thing: Thing) {
        self.set(StateKey::thing(id, EntryKind::THING), Entry::Thing(thing));
    }

    /// Writes a chain and history.
    pub fn set_head(&mut self, id: ThingId, head: Head) {
        self.set(StateKey::thing(id, EntryKind::HEAD), Entry::Head(head));
    }

    /// Writes a channel.
    pub fn set_channel(&mut self, id: ChannelId, channel: Channel) {
        self.set(StateKey::channel(id, EntryKind::CHANNEL), Entry::Channel(channel));
    }

    /// Writes any entry.
    pub fn set(&mut self, key: StateKey, entry: Entry) {
        self.changes.insert(key, Arc::new(entry));
    }

    /// Says what happened.
    pub fn happened(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The leaf is about `thing`, so it goes into its history.
    pub fn concerns(&mut self, thing: ThingId) {
        if !self.about.contains(&thing) {
            self.about.push(thing);
        }
    }

    /// The leaf speaks of `thing`, by the word of somebody without standing there: it is counted
    /// apart from the history, unless it is in that for another reason.
    pub fn mentions(&mut self, thing: ThingId) {
        if !self.mentioned.contains(&thing) {
            self.mentioned.push(thing);
        }
    }

    /// The leaf is about or in a channel.
    pub fn stands(&mut self, place: InChannel) {
        self.channel = Some(place);
    }

    /// The channel that the leaf is about or in.
    pub const fn place(&self) -> Option<InChannel> {
        self.channel
    }

    /// Ends the draft.
    pub fn finish(self) -> Changes {
        Changes {
            entries: self.changes.into_iter().collect(),
            events: self.events,
            about: self.about,
            mentioned: self.mentioned,
            channel: self.channel,
        }
    }

    /// Takes the leaf into the histories of everything it concerns, and the mentions of others.
    pub fn extend_histories(
        &mut self,
        leaf_hash: &touchmark_wire::hash::Digest,
    ) -> Result<(), Unreadable> {
        let Self { about, mentioned, .. } = self;
        mentioned.retain(|id| !about.contains(id));
        for place in 0..self.about.len() {
            self.extend(self.about[place], |head, leaf| head.history.extend(leaf, leaf_hash))?;
        }
        for place in 0..self.mentioned.len() {
            self.extend(self.mentioned[place], |head, leaf| head.mentions.extend(leaf, leaf_hash))?;
        }
        if let Some(place) = self.channel {
            let mut channel = self.channel(place.channel())?.ok_or(Unreadable)?;
            match place {
                InChannel::History(_) => channel.history.extend(self.position.leaf, leaf_hash),
                InChannel::Mention(_) => channel.mentions.extend(self.position.leaf, leaf_hash),
            }
            self.set_channel(place.channel(), channel);
        }
        Ok(())
    }

    fn extend(
        &mut self,
        id: ThingId,
        with: impl Fn(&mut Head, LeafIndex),
    ) -> Result<(), Unreadable> {
        let mut head = self.head(id)?.unwrap_or_else(|| Head::new(self.view.network()));
        with(&mut head, self.position.leaf);
        self.set_head(id, head);
        Ok(())
    }
}

impl Read for Draft<'_> {
    fn read(&self, key: &StateKey) -> Result<Option<Arc<Entry>>, Unreadable> {
        match self.changes.get(key) {
            Some(entry) => Ok(Some(entry.clone())),
            None => self.view.entry(key),
        }
    }
}
