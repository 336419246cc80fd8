//! Writes statements in the order in which they are accepted, and describes each.

#![allow(clippy::needless_pass_by_value, reason = "the table of vectors gives what it makes")]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use touchmark_core::channel::opening::Opening;
use touchmark_core::evidence::{self, CardPayload};
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{Algorithm, CoseKey, SignedBytes, Signer};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, KeyNumber, NetworkId, Sequence, ThingId};
use touchmark_wire::leaf::{BareEvidence, Leaf, Mark};
use touchmark_wire::merkle;
use touchmark_wire::registry::{ContentFormat, EvidenceFormat, StatementKind};
use touchmark_wire::statement::{Claims, Content, Draft, Kid, Link, Signatures, Statement};

/// Private keys of the vectors; the seed is 32 times the number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    P256 = 1,
    Ed25519 = 2,
    K256 = 3,
    BoardA = 4,
    BoardB = 5,
    BoardC = 6,
    Card = 7,
    LostCard = 8,
    Next = 9,
    AfterNext = 10,
    Stranger = 11,
}

impl Key {
    const ALL: [Self; 11] = [
        Self::P256,
        Self::Ed25519,
        Self::K256,
        Self::BoardA,
        Self::BoardB,
        Self::BoardC,
        Self::Card,
        Self::LostCard,
        Self::Next,
        Self::AfterNext,
        Self::Stranger,
    ];

    fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 | Self::BoardA | Self::Card | Self::Next | Self::Stranger => {
                Algorithm::Es256
            }
            Self::Ed25519 | Self::BoardB | Self::LostCard | Self::AfterNext => Algorithm::Ed25519,
            Self::K256 | Self::BoardC => Algorithm::Es256k,
        }
    }

    pub(super) fn private(self) -> SoftwareKey {
        SoftwareKey::from_seed(self.algorithm(), &[self as u8; 32])
            .expect("a small number is in the range of every curve")
    }

    pub(super) fn public(self) -> CoseKey {
        *self.private().public_key().cose()
    }

    /// Every key with its seed and COSE_Key.
    pub(super) fn table() -> Value {
        let row = |key: &Self| {
            json!({
                "algorithm": key.algorithm().name(),
                "seed": hex(&[*key as u8; 32]),
                "cose_key": hex(&codec::encode(&key.public())),
            })
        };
        Self::ALL.iter().map(row).collect()
    }
}

/// Issuer, kind and payload of a statement.
pub(super) type Said = (ThingId, StatementKind, Vec<u8>);

/// Statements in the order in which they are accepted.
#[derive(Clone)]
pub(super) struct Writer {
    network: NetworkId,
    heads: BTreeMap<(ThingId, Option<ChannelId>), (Sequence, Digest)>,
    /// Where the next statements are made.
    channel: Option<ChannelId>,
    cases: Vec<Value>,
}

impl Writer {
    pub(super) fn new(network: NetworkId) -> Self {
        Self { network, heads: BTreeMap::new(), channel: None, cases: Vec::new() }
    }

    pub(super) fn into_cases(self) -> Vec<Value> {
        self.cases
    }

    /// The next statements are made in this channel, or in main chains.
    pub(super) fn inside(&mut self, channel: Option<ChannelId>) -> &mut Self {
        self.channel = channel;
        self
    }

    /// The link of an issuer's next statement.
    pub(super) fn link(&self, issuer: ThingId, kind: StatementKind) -> Link {
        self.link_in(self.channel, issuer, kind)
    }

    /// The link of an issuer's next statement in one of its chains.
    pub(super) fn link_in(
        &self,
        channel: Option<ChannelId>,
        issuer: ThingId,
        kind: StatementKind,
    ) -> Link {
        let head = self.heads.get(&(issuer, channel)).copied();
        let (sequence, previous) = head.unwrap_or((Sequence(0), self.network.0));
        Link { kind, sequence: Sequence(sequence.0 + 1), previous, channel }
    }

    /// Adds a statement with one signer and a CBOR payload.
    pub(super) fn one(&mut self, name: &str, statement: Said, signer: (u32, Key)) {
        self.formatted(name, statement, signer, Content::Inline(ContentFormat::CBOR));
    }

    /// Adds a statement with one signer.
    pub(super) fn formatted(
        &mut self,
        name: &str,
        (issuer, kind, payload): Said,
        (number, key): (u32, Key),
        content: Content,
    ) {
        let link = self.link(issuer, kind);
        let draft = Draft { issuer, link, content, claims: None, payload: &payload };
        let bytes = signed(&draft, number, key);
        self.statement(name, bytes, &[key]);
    }

    /// Adds a statement with CWT claims.
    pub(super) fn scitt(
        &mut self,
        name: &str,
        (issuer, kind, payload): Said,
        (number, key): (u32, Key),
    ) {
        let did = did(self.network, issuer);
        let claims = Claims { issuer: &did, subject: "T1/7", issued_at: Some(1_750_000_000) };
        let content = Content::Inline(ContentFormat::CBOR);
        let link = self.link(issuer, kind);
        let draft = Draft { issuer, link, content, claims: Some(claims), payload: &payload };
        let bytes = signed(&draft, number, key);
        self.statement(name, bytes, &[key]);
    }

    /// Adds a statement with several signers.
    pub(super) fn several(
        &mut self,
        name: &str,
        (issuer, kind, payload): Said,
        signers: &[(ThingId, u32, Key)],
    ) {
        let content = Content::Inline(ContentFormat::CBOR);
        let link = self.link(issuer, kind);
        let draft = Draft { issuer, link, content, claims: None, payload: &payload };
        let mut sorted = signers.to_vec();
        sorted.sort_by_key(|(thing, number, _)| (*thing, *number));
        let keys: Vec<_> = sorted.iter().map(|(.., key)| *key).collect();
        self.statement(name, signed_by_all(&draft, signers), &keys);
    }

    /// Adds bare evidence.
    pub(super) fn bare(&mut self, name: &str, bytes: Vec<u8>) {
        let leaf_hash = merkle::leaf_hash(&bytes);
        let Ok(Leaf::Evidence(evidence)) = Leaf::decode(&bytes) else {
            panic!("{name} is not bare evidence")
        };
        let inner = evidence::parse(evidence.format, evidence.bytes).expect("the format is known");
        let id = inner.id(evidence.format);
        self.cases.push(json!({
            "name": name,
            "bytes": hex(&bytes),
            "id": hex(&id.0.0),
            "leaf_hash": hex(&leaf_hash.0),
        }));
    }

    /// `keys` are the signers', in the order of the encoding.
    fn statement(&mut self, name: &str, bytes: Vec<u8>, keys: &[Key]) {
        let statement = Statement::parse(&bytes).expect("what is built is parsed");
        let header = statement.protected();
        let kids: Vec<Kid> = match statement.signatures() {
            Signatures::One(_) => vec![header.kid],
            Signatures::Many(signers) => signers.iter().map(|signer| signer.kid()).collect(),
        };
        let signers: Vec<_> = kids
            .iter()
            .zip(keys)
            .map(|(kid, key)| {
                json!({
                    "thing": kid.thing.to_string(),
                    "number": kid.key.map(|number| number.0),
                    "cose_key": hex(&codec::encode(&key.public())),
                })
            })
            .collect();
        let chain = (header.kid.thing, header.link.channel);
        self.heads.insert(chain, (header.link.sequence, statement.id().0));
        let opened = (header.link.kind == StatementKind::CHANNEL)
            .then(|| Opening::id_of(header.kid.thing, statement.payload()));
        let mut case = json!({
            "name": name,
            "bytes": hex(&bytes),
            "id": statement.id().to_string(),
            "issuer": header.kid.thing.to_string(),
            "kind": header.link.kind.to_string(),
            "sequence": header.link.sequence.0,
            "payload": hex(statement.payload()),
            "signers": signers,
            "leaf_hash": hex(&merkle::leaf_hash(&bytes).0),
        });
        if let Some(channel) = header.link.channel.or(opened) {
            case["channel"] = channel.to_string().into();
        }
        self.cases.push(case);
    }
}

pub(super) fn signed(draft: &Draft<'_>, number: u32, key: Key) -> Vec<u8> {
    draft.sign(KeyNumber(number), &key.private()).expect("a key in memory signs")
}

pub(super) fn signed_by_all(draft: &Draft<'_>, signers: &[(ThingId, u32, Key)]) -> Vec<u8> {
    let keys: Vec<_> = signers.iter().map(|(.., key)| key.private()).collect();
    let signers: Vec<(Kid, &dyn Signer)> = signers
        .iter()
        .zip(&keys)
        .map(|((thing, number, _), key)| (Kid::new(*thing, KeyNumber(*number)), key as &dyn Signer))
        .collect();
    draft.sign_many(&signers).expect("keys in memory sign")
}

/// `did:touchmark:<first 10 bytes of the network id>:<thing>`.
pub(super) fn did(network: NetworkId, thing: ThingId) -> String {
    // Base32 works in groups of 5 bytes, so 10 bytes are the first 16 characters of any longer id.
    let start = ThingId::from_digest(&network.0).to_string();
    format!("did:touchmark:{}:{thing}", &start[..16])
}

/// The URL that a card presents.
pub(super) fn card_url(card: ThingId, counter: u32, key: Key) -> Vec<u8> {
    let text = format!("https://touch.example/t?i={card}&c={counter:08x}&s=");
    let message = SignedBytes::new([text.as_bytes()]);
    let signature = key.private().sign(&message).expect("a key in memory signs");
    (text + &hex(&signature).to_uppercase()).into_bytes()
}

/// What a reader collected, signed by a card.
pub(super) fn card_payload(
    card: ThingId,
    counter: u64,
    payload: &[u8],
    card_data: Option<&[u8]>,
    key: Key,
) -> Vec<u8> {
    let format = ContentFormat::OCTETS;
    let hash = |data: &[u8]| Digest::of(&[data]);
    let message = CardPayload::message(card, counter, format, hash(payload), card_data.map(hash));
    let signature =
        key.private().sign(&SignedBytes::new([&message])).expect("a key in memory signs");
    let thing = card;
    codec::encode(&CardPayload {
        thing,
        counter,
        format,
        payload,
        card_data,
        signature: &signature,
    })
}

pub(super) fn bare(format: EvidenceFormat, bytes: &[u8]) -> Vec<u8> {
    Leaf::Evidence(BareEvidence { format, bytes, mark: None }).encode_to_vec()
}

/// Bare evidence with a mark of whoever brings it.
pub(super) fn marked(format: EvidenceFormat, bytes: &[u8], mark: Mark) -> Vec<u8> {
    Leaf::Evidence(BareEvidence { format, bytes, mark: Some(mark) }).encode_to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
