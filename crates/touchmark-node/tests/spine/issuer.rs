//! A thing that makes statements, as a client would.

use std::collections::BTreeMap;
use touchmark_core::channel::opening::Opening;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::entry::Purposes;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{Algorithm, SignedBytes, Signer as _};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, KeyNumber, NetworkId, Sequence, StatementId, ThingId};
use touchmark_wire::registry::{ChannelKind, ContentFormat, StatementKind, ThingKind, Writers};
use touchmark_wire::statement::{Claims, Content, Draft, Link, Preimage};

pub(crate) struct Issuer {
    pub(crate) id: ThingId,
    pub(crate) key: SoftwareKey,
    sequence: u32,
    last: Digest,
    inception: Vec<u8>,
    network: NetworkId,
    /// Its chains in channels: place and id of the last statement.
    channels: BTreeMap<ChannelId, (u32, Digest)>,
}

impl Issuer {
    pub(crate) fn new(network: NetworkId, kind: ThingKind, algorithm: Algorithm) -> Self {
        Self::under(None, network, kind, algorithm)
    }

    /// One that names a controller, whether that knows it or not.
    pub(crate) fn under(
        controller: Option<ThingId>,
        network: NetworkId,
        kind: ThingKind,
        algorithm: Algorithm,
    ) -> Self {
        let key = SoftwareKey::generate(algorithm).unwrap();
        let inception = inception(kind, &key, Purposes::GENERAL, controller);
        let id = inception.id();
        let (last, inception) = (network.0, inception.encode_to_vec());
        Self { id, key, sequence: 0, last, inception, network, channels: BTreeMap::new() }
    }

    pub(crate) fn inception(&mut self) -> Vec<u8> {
        let payload = self.inception.clone();
        self.state(StatementKind::INCEPTION, ContentFormat::CBOR, &payload)
    }

    pub(crate) fn record(&mut self, data: &[u8]) -> Vec<u8> {
        self.state(StatementKind::RECORD, ContentFormat::OCTETS, data)
    }

    /// A record in the SCITT profile.
    pub(crate) fn declare(&mut self, subject: &str, data: &[u8]) -> Vec<u8> {
        let issuer = self.id.did(&self.network).to_string();
        let claims = Claims { issuer: &issuer, subject, issued_at: None };
        let content = Content::Inline(ContentFormat::OCTETS);
        self.state_with(Some(claims), StatementKind::RECORD, content, data)
    }

    pub(crate) fn act<T: minicbor::Encode<()>>(&mut self, kind: StatementKind, act: &T) -> Vec<u8> {
        self.state(kind, ContentFormat::CBOR, &codec::encode(act))
    }

    /// A record of which the log has the commitment only.
    pub(crate) fn commit(&mut self, preimage: &Preimage<'_>, format: ContentFormat) -> Vec<u8> {
        let commitment = preimage.commitment();
        self.state_as(StatementKind::RECORD, Content::Committed(format), &commitment.0)
    }

    /// The next entry of its chain in a channel.
    pub(crate) fn enter(&mut self, channel: ChannelId, data: &[u8]) -> Vec<u8> {
        let begin = (0, self.network.0);
        let last = self.channels.get(&channel).copied().unwrap_or(begin);
        self.enter_after(last, channel, data)
    }

    /// An entry after the statement of this place and id.
    pub(crate) fn enter_after(
        &mut self,
        (sequence, previous): (u32, Digest),
        channel: ChannelId,
        data: &[u8],
    ) -> Vec<u8> {
        let (kind, sequence) = (StatementKind::RECORD, sequence + 1);
        let draft = Draft {
            issuer: self.id,
            link: Link { kind, sequence: Sequence(sequence), previous, channel: Some(channel) },
            content: Content::Inline(ContentFormat::OCTETS),
            claims: None,
            payload: data,
        };
        let StatementId(id) = draft.id(KeyNumber(0), self.key.public_key().algorithm());
        self.channels.insert(channel, (sequence, id));
        draft.sign(KeyNumber(0), &self.key).unwrap()
    }

    /// Opens a channel; `n` tells it from others.
    pub(crate) fn open(&mut self, n: u8, writers: Writers) -> (ChannelId, Vec<u8>) {
        let kind = ChannelKind::PUBLIC;
        let name = ("name".to_owned(), format!("channel {n}"));
        let attributes = Some(BTreeMap::from([name]));
        let opening = Opening { nonce: vec![n; 16], kind, writers, attributes };
        (opening.id(self.id), self.act(StatementKind::CHANNEL, &opening))
    }

    pub(crate) fn state(
        &mut self,
        kind: StatementKind,
        format: ContentFormat,
        payload: &[u8],
    ) -> Vec<u8> {
        self.state_as(kind, Content::Inline(format), payload)
    }

    fn state_as(&mut self, kind: StatementKind, content: Content, payload: &[u8]) -> Vec<u8> {
        self.state_with(None, kind, content, payload)
    }

    fn state_with(
        &mut self,
        claims: Option<Claims<'_>>,
        kind: StatementKind,
        content: Content,
        payload: &[u8],
    ) -> Vec<u8> {
        self.sequence += 1;
        let draft = Draft {
            issuer: self.id,
            link: Link {
                kind,
                sequence: Sequence(self.sequence),
                previous: self.last,
                channel: None,
            },
            content,
            claims,
            payload,
        };
        let StatementId(id) = draft.id(KeyNumber(0), self.key.public_key().algorithm());
        self.last = id;
        draft.sign(KeyNumber(0), &self.key).unwrap()
    }
}

/// A card: a key that signs URLs.
pub(crate) struct Card {
    pub(crate) inception: Inception,
    key: SoftwareKey,
}

impl Card {
    pub(crate) fn new(controller: ThingId) -> Self {
        let key = SoftwareKey::generate(Algorithm::Es256).unwrap();
        let inception = inception(ThingKind::CARD, &key, Purposes::CARD, Some(controller));
        Self { inception, key }
    }

    pub(crate) fn id(&self) -> ThingId {
        self.inception.id()
    }

    /// Another key in place of the one before.
    pub(crate) fn renew(&mut self) -> NewKey {
        self.key = SoftwareKey::generate(Algorithm::Es256).unwrap();
        NewKey::new(*self.key.public_key().cose(), Purposes::CARD)
    }

    pub(crate) fn url(&self, counter: u32) -> Vec<u8> {
        let signed = format!("https://t.example/?i={}&c={counter:06X}&s=", self.id());
        self.sign_url(&signed).into_bytes()
    }

    /// A URL whose text up to the signature is given.
    pub(crate) fn sign_url(&self, signed: &str) -> String {
        let signature = self.key.sign(&SignedBytes::new([signed.as_bytes()])).unwrap();
        signature.iter().fold(signed.to_owned(), |url, byte| url + &format!("{byte:02X}"))
    }
}

fn inception(
    kind: ThingKind,
    key: &SoftwareKey,
    purposes: Purposes,
    controller: Option<ThingId>,
) -> Inception {
    Inception {
        kind,
        keys: vec![NewKey::new(*key.public_key().cose(), purposes)],
        threshold: 1,
        next: None,
        nonce: key.public_key().digest().0[..16].to_vec(),
        controller,
        owners: None,
        attributes: Some(BTreeMap::from([("label".to_owned(), "4711".to_owned())])),
    }
}
