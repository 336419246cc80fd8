//! Who writes: an identity with a chain, one statement after the other.

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _};
use std::collections::BTreeSet;
use touchmark_batch::Member;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::entry::Purposes;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::codec;
use touchmark_wire::ids::{KeyNumber, NetworkId, Sequence, ThingId, Timestamp};
use touchmark_wire::registry::{ContentFormat, StatementKind, ThingKind};
use touchmark_wire::statement::{Content, Draft, Link, Statement};

/// A device that writes.
pub(crate) struct Issuer {
    id: ThingId,
    inception: Inception,
    rng: StdRng,
    key: SoftwareKey,
    number: KeyNumber,
    link: Link,
    /// What it has submitted and not seen logged.
    pub(crate) pending: Option<Pending>,
    /// When it says something next.
    pub(crate) due: Timestamp,
}

/// When a submitter that heard nothing asks somebody else, milliseconds.
const UNANSWERED: u64 = 4_000;

/// A statement on its way.
pub(crate) struct Pending {
    pub(crate) bytes: Vec<u8>,
    /// Whom it was given to, since it was given to anybody last.
    pub(crate) asked: BTreeSet<Member>,
    pub(crate) since: Timestamp,
    /// The key that signs from then on.
    rotates: Option<SoftwareKey>,
}

impl Pending {
    /// Whether it is to be given to somebody now.
    pub(crate) fn is_to_be_given(&self, now: Timestamp) -> bool {
        let unanswered = now.0 >= self.since.0 + UNANSWERED;
        unanswered || (self.asked.is_empty() && now >= self.since)
    }
}

impl Issuer {
    /// A new device; its first statement creates it.
    pub(crate) fn new(network: NetworkId, mut rng: StdRng, due: Timestamp) -> Self {
        let key = new_key(&mut rng);
        let mut nonce = vec![0; 16];
        rng.fill_bytes(&mut nonce);
        let inception = Inception {
            kind: ThingKind::DEVICE,
            keys: vec![general(&key)],
            threshold: 1,
            next: None,
            nonce,
            controller: None,
            owners: None,
            attributes: None,
        };
        let kind = StatementKind::INCEPTION;
        let link = Link { kind, sequence: Sequence(1), previous: network.0, channel: None };
        let id = inception.id();
        Self { id, inception, rng, key, number: KeyNumber(0), link, pending: None, due }
    }

    /// The device.
    pub(crate) const fn id(&self) -> ThingId {
        self.id
    }

    /// Signs its next statement; `other` is a device over which it has no power.
    pub(crate) fn speak(&mut self, other: ThingId, now: Timestamp) {
        let content = self.content(other);
        self.sign(content, now);
    }

    /// Whether it exists, so that it may say what others gave it.
    pub(crate) fn is_known(&self) -> bool {
        self.link.sequence > Sequence(1)
    }

    /// Signs the appointment of the next committee.
    pub(crate) fn appoint(&mut self, payload: Vec<u8>, now: Timestamp) {
        self.sign((StatementKind::APPOINT, payload, None), now);
    }

    fn sign(
        &mut self,
        (kind, payload, rotates): (StatementKind, Vec<u8>, Option<SoftwareKey>),
        now: Timestamp,
    ) {
        let link = Link { kind, ..self.link };
        let content = Content::Inline(ContentFormat::CBOR);
        let draft = Draft { issuer: self.id, link, content, claims: None, payload: &payload };
        let bytes = draft.sign(self.number, &self.key).expect("a software key signs");
        self.pending = Some(Pending { bytes, asked: BTreeSet::new(), since: now, rotates });
    }

    fn content(&mut self, other: ThingId) -> (StatementKind, Vec<u8>, Option<SoftwareKey>) {
        if self.link.sequence == Sequence(1) {
            return (StatementKind::INCEPTION, self.inception.encode_to_vec(), None);
        }
        match self.rng.random_range(0..10) {
            0 => {
                let key = new_key(&mut self.rng);
                let rotation = rotation(self.id, &key, vec![self.number]);
                (StatementKind::ROTATE, codec::encode(&rotation), Some(key))
            }
            // Denied: the other one is not its to govern.
            1 => {
                let rotation = rotation(other, &self.key, Vec::new());
                (StatementKind::ROTATE, codec::encode(&rotation), None)
            }
            2 => {
                let card = Inception {
                    kind: ThingKind::CARD,
                    keys: vec![NewKey::new(
                        *new_key(&mut self.rng).public_key().cose(),
                        Purposes::CARD,
                    )],
                    nonce: self.rng.random::<[u8; 16]>().to_vec(),
                    controller: Some(self.id),
                    ..self.inception.clone()
                };
                (StatementKind::REGISTER, card.encode_to_vec(), None)
            }
            _ => {
                let mut payload = vec![0; self.rng.random_range(1..300)];
                self.rng.fill_bytes(&mut payload);
                (StatementKind::RECORD, payload, None)
            }
        }
    }

    /// Its statement is in the log: the next one builds on it.
    pub(crate) fn logged(&mut self, now: Timestamp) {
        let Some(pending) = self.pending.take() else { return };
        let statement = Statement::parse(&pending.bytes).expect("it was signed here");
        self.link.previous = statement.id().0;
        self.link.sequence.0 += 1;
        if let Some(key) = pending.rotates {
            self.key = key;
            self.number.0 += 1;
        }
        self.due = Timestamp(now.0 + self.rng.random_range(20..700));
    }

    /// A statement in its name that another key signed.
    pub(crate) fn forged(&mut self) -> Vec<u8> {
        let payload = self.rng.random::<[u8; 24]>();
        let link = Link { kind: StatementKind::RECORD, ..self.link };
        let content = Content::Inline(ContentFormat::CBOR);
        let draft = Draft { issuer: self.id, link, content, claims: None, payload: &payload };
        draft.sign(self.number, &new_key(&mut self.rng)).expect("a software key signs")
    }
}

fn new_key(rng: &mut StdRng) -> SoftwareKey {
    let algorithm = if rng.random_ratio(1, 4) { Algorithm::Es256 } else { Algorithm::Ed25519 };
    SoftwareKey::from_seed(algorithm, &rng.random()).expect("a random seed is a key")
}

fn general(key: &SoftwareKey) -> NewKey {
    NewKey::new(*key.public_key().cose(), Purposes::GENERAL)
}

fn rotation(thing: ThingId, add: &SoftwareKey, close: Vec<KeyNumber>) -> Rotation {
    Rotation { thing, add: vec![general(add)], close, next: None, threshold: None }
}
