//! A thing with its key and its chain.

use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::entry::Purposes;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, NetworkId, Sequence, StatementId, ThingId};
use touchmark_wire::registry::{ContentFormat, StatementKind, ThingKind};
use touchmark_wire::statement::{Content, Draft, Link};

pub(crate) struct Writer {
    id: ThingId,
    key: SoftwareKey,
    algorithm: Algorithm,
    inception: Vec<u8>,
    sequence: u32,
    last: Digest,
}

impl Writer {
    pub(crate) fn new(
        network: NetworkId,
        algorithm: Algorithm,
        kind: ThingKind,
        number: usize,
    ) -> Self {
        let key = key(algorithm, &[b"touchmark ingest", &number.to_be_bytes()]);
        let inception = Inception {
            kind,
            keys: vec![NewKey::new(*key.public_key().cose(), Purposes::GENERAL)],
            threshold: 1,
            next: None,
            nonce: vec![0; 16],
            controller: None,
            owners: None,
            attributes: None,
        };
        let id = inception.id();
        let inception = inception.encode_to_vec();
        Self { id, key, algorithm, inception, sequence: 0, last: network.0 }
    }

    pub(crate) const fn id(&self) -> ThingId {
        self.id
    }

    /// Statements that it has made.
    pub(crate) const fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Its first statement.
    pub(crate) fn present(&mut self) -> Vec<u8> {
        let inception = self.inception.clone();
        self.state(StatementKind::INCEPTION, ContentFormat::CBOR, &inception)
    }

    /// Its next statement.
    pub(crate) fn state(
        &mut self,
        kind: StatementKind,
        format: ContentFormat,
        payload: &[u8],
    ) -> Vec<u8> {
        self.sequence += 1;
        let sequence = Sequence(self.sequence);
        let draft = Draft {
            issuer: self.id,
            link: Link { kind, sequence, previous: self.last, channel: None },
            content: Content::Inline(format),
            claims: None,
            payload,
        };
        let StatementId(id) = draft.id(KeyNumber(0), self.algorithm);
        self.last = id;
        draft.sign(KeyNumber(0), &self.key).expect("a software key signs")
    }
}

/// The key that follows from a text.
pub(crate) fn key(algorithm: Algorithm, text: &[&[u8]]) -> SoftwareKey {
    let mut seed = Digest::of(text).0;
    // Below the order of both curves.
    seed[0] &= 0x7f;
    SoftwareKey::from_seed(algorithm, &seed).expect("the seed is a valid scalar")
}
