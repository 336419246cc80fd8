//! A network of one node whose batches come from the real ledger.

use crate::{CacheLimits, Error, Snapshot, Store};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use touchmark_batch::{Application as _, Batch, Halt, Proposal};
use touchmark_core::admission::OneByOne;
use touchmark_core::channel::access::Access;
use touchmark_core::channel::opening::Opening;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::update::Update;
use touchmark_core::entry::{Purposes, Rights};
use touchmark_core::refusal::Outcome;
use touchmark_keys::software::SoftwareKey;
use touchmark_ledger::{Ledger, LedgerLimits, StateView as _, genesis_batch};
use touchmark_testkit::committee::Panel;
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::codec;
use touchmark_wire::genesis::{Genesis, RULES_VERSION};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, KeyNumber, Sequence, StatementId, ThingId, Timestamp};
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::registry::{
    ChannelKind, ContentFormat, EvidenceFormat, StatementKind, ThingKind, Writers,
};
use touchmark_wire::statement::{Content, Draft, Link, Statement};

pub(super) const ORIGIN: &str = "example.org/log";
/// Who certifies at first.
pub(super) const OWNER: Panel<'_> = Panel { number: 0, validators: &[1] };
pub(super) const CONTEXT: &[u8] = b"context";

pub(super) fn genesis(origin: &str) -> Genesis {
    Genesis {
        rules: RULES_VERSION,
        origin: origin.to_owned(),
        committee: OWNER.committee(),
        time: Timestamp(1_000),
    }
}

pub(super) fn try_open(path: &Path, origin: &str, limits: CacheLimits) -> Result<Store, Error> {
    let genesis = genesis(origin);
    let first = Arc::new(genesis_batch(&genesis, CONTEXT));
    Store::open(path, &genesis, &first, limits)
}

/// A store with the ledger above it.
pub(super) struct Node {
    pub(super) store: Arc<Store>,
    pub(super) ledger: Ledger,
}

impl Node {
    pub(super) fn open(path: &Path) -> Self {
        Self::with_limits(path, CacheLimits::default())
    }

    pub(super) fn with_limits(path: &Path, limits: CacheLimits) -> Self {
        let store = Arc::new(try_open(path, ORIGIN, limits).unwrap());
        let genesis = genesis(ORIGIN);
        let ledger = Ledger::new(
            store.clone(),
            Arc::new(OneByOne),
            Arc::new(genesis_batch(&genesis, CONTEXT)),
            LedgerLimits::default(),
            Box::new(|_, _| {}),
        );
        let ledger = ledger.unwrap();
        Self { store, ledger }
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.store.snapshot()
    }

    /// Takes a batch that was made elsewhere.
    pub(super) fn deliver(&self, batch: Batch) {
        self.ledger.deliver(Arc::new(batch)).unwrap();
    }

    /// Submits, proposes and delivers one batch.
    pub(super) fn try_batch(
        &self,
        inputs: Vec<Vec<u8>>,
    ) -> Result<(Arc<Batch>, Vec<Outcome>), Halt> {
        let outcomes = Arc::new(Mutex::new(BTreeMap::new()));
        let mut places = 0..inputs.len();
        self.ledger.submit(inputs, |_| {
            let (place, outcomes) = (places.next(), outcomes.clone());
            Box::new(move |outcome| {
                outcomes.lock().unwrap().insert(place, outcome);
            })
        });
        let parent = self.store.snapshot().tip().batch.clone();
        let batch = self.ledger.propose(Proposal {
            context: CONTEXT,
            parent: &parent,
            ancestry: &[],
            now: Timestamp(parent.time().0 + 1),
            body_limit: 16 << 20,
        });
        let batch = Arc::new(batch.expect("the ledger proposes"));
        self.ledger.deliver(batch.clone())?;
        let outcomes = std::mem::take(&mut *outcomes.lock().unwrap());
        Ok((batch, outcomes.into_values().collect()))
    }

    /// As [`Self::try_batch`], all of it accepted.
    pub(super) fn batch(&self, inputs: Vec<Vec<u8>>) -> Arc<Batch> {
        let (batch, outcomes) = self.try_batch(inputs).unwrap();
        let accepted = |outcome: &Outcome| matches!(outcome, Outcome::Accepted(_));
        assert!(outcomes.iter().all(accepted), "{outcomes:?}");
        batch
    }
}

/// A thing with its key and chain.
pub(super) struct Actor {
    pub(super) id: ThingId,
    key: SoftwareKey,
    sequence: u32,
    last: Digest,
    /// Its chains in channels: place and id of the last statement.
    channels: BTreeMap<ChannelId, (u32, Digest)>,
}

impl Actor {
    /// A thing that is to present itself; the statement does that.
    pub(super) fn new(
        seed: u64,
        kind: ThingKind,
        controller: Option<ThingId>,
        attributes: &[(&str, &str)],
    ) -> (Self, Vec<u8>) {
        let inception = Self::inception(seed, kind, controller, attributes);
        let last = genesis(ORIGIN).network_id().0;
        let channels = BTreeMap::new();
        let mut actor = Self { id: inception.id(), key: key(seed), sequence: 0, last, channels };
        let statement = actor.state(StatementKind::INCEPTION, &inception.encode_to_vec());
        (actor, statement)
    }

    /// How a thing is presented.
    pub(super) fn inception(
        seed: u64,
        kind: ThingKind,
        controller: Option<ThingId>,
        attributes: &[(&str, &str)],
    ) -> Inception {
        let attributes = owned(attributes);
        Inception {
            kind,
            keys: vec![NewKey::new(*key(seed).public_key().cose(), Purposes(1 | 2 | 4 | 8))],
            threshold: 1,
            next: None,
            nonce: vec![3; 16],
            controller,
            owners: None,
            attributes: (!attributes.is_empty()).then_some(attributes),
        }
    }

    pub(super) fn device(seed: u64) -> (Self, Vec<u8>) {
        Self::new(seed, ThingKind::DEVICE, None, &[])
    }

    /// The actor as the store knows it after a restart.
    pub(super) fn resume(seed: u64, snapshot: &Snapshot) -> Self {
        use touchmark_core::view::Read as _;
        let (mut actor, _) = Self::device(seed);
        let head = snapshot.head(actor.id).unwrap().unwrap();
        (actor.sequence, actor.last) = (head.chain.sequence.0, head.chain.last);
        actor
    }

    /// The next statement of its chain.
    pub(super) fn state(&mut self, kind: StatementKind, payload: &[u8]) -> Vec<u8> {
        self.sequence += 1;
        let link =
            Link { kind, sequence: Sequence(self.sequence), previous: self.last, channel: None };
        let content = Content::Inline(ContentFormat::CBOR);
        let draft = Draft { issuer: self.id, link, content, claims: None, payload };
        let statement = draft.sign(KeyNumber(0), &self.key).unwrap();
        self.last = statement_id(&statement).0;
        statement
    }

    /// The next entry of its chain in a channel.
    pub(super) fn enter(&mut self, channel: ChannelId, payload: &[u8]) -> Vec<u8> {
        let origin = (0, genesis(ORIGIN).network_id().0);
        let (sequence, previous) = self.channels.get(&channel).copied().unwrap_or(origin);
        let (kind, sequence) = (StatementKind::RECORD, sequence + 1);
        let link = Link { kind, sequence: Sequence(sequence), previous, channel: Some(channel) };
        let content = Content::Inline(ContentFormat::CBOR);
        let draft = Draft { issuer: self.id, link, content, claims: None, payload };
        let statement = draft.sign(KeyNumber(0), &self.key).unwrap();
        self.channels.insert(channel, (sequence, statement_id(&statement).0));
        statement
    }

    /// Opens a channel; `n` tells it from others.
    pub(super) fn open(&mut self, n: u8) -> (ChannelId, Vec<u8>) {
        let (kind, writers) = (ChannelKind::PUBLIC, Writers::GRANTED);
        let opening = Opening { nonce: vec![n; 16], kind, writers, attributes: None };
        let id = opening.id(self.id);
        (id, self.state(StatementKind::CHANNEL, &opening.encode_to_vec()))
    }

    /// Sets a thing's rights in a channel.
    pub(super) fn access(&mut self, channel: ChannelId, thing: ThingId, rights: Rights) -> Vec<u8> {
        let access = Access::of(channel, thing, rights);
        self.state(StatementKind::ACCESS, &codec::encode(&access))
    }

    pub(super) fn record(&mut self, data: &[u8]) -> Vec<u8> {
        self.state(StatementKind::RECORD, data)
    }

    pub(super) fn update(&mut self, set: &[(&str, &str)], remove: &[&str]) -> Vec<u8> {
        let remove = remove.iter().map(|name| (*name).to_owned()).collect();
        let update = Update { thing: self.id, set: owned(set), remove };
        self.state(StatementKind::UPDATE, &codec::encode(&update))
    }

    /// A card's URL, bare.
    pub(super) fn tap(&self, counter: u32) -> Vec<u8> {
        use touchmark_wire::algorithm::SignedBytes;
        let text = format!("https://example.org/?i={}&c={counter:08x}&s=", self.id);
        let signature = self.key.sign(&SignedBytes::new([text.as_bytes()])).unwrap();
        let (first, second) = signature.split_first_chunk::<32>().unwrap();
        let second = second.try_into().unwrap();
        let signature = format!("{}{}", Digest(*first), Digest(second)).to_uppercase();
        let url = text + &signature;
        let format = EvidenceFormat::CARD_URL;
        Leaf::Evidence(BareEvidence { format, bytes: url.as_bytes(), mark: None }).encode_to_vec()
    }
}

fn key(seed: u64) -> SoftwareKey {
    let mut bytes = [1; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    SoftwareKey::from_seed(Algorithm::Ed25519, &bytes).unwrap()
}

pub(super) fn statement_id(statement: &[u8]) -> StatementId {
    Statement::parse(statement).unwrap().id()
}

fn owned(attributes: &[(&str, &str)]) -> BTreeMap<String, String> {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Numbers that a seed decides.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
