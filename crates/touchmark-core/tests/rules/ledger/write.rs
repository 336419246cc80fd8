//! Writing statements and evidence.

use super::{Ledger, Seen};
use std::fmt::Write as _;
use touchmark_core::channel::access::Access;
use touchmark_core::channel::opening::Opening;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::accreditation::Accredit;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::prerotation::NextKeys;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::entry::{Purposes, Rights};
use touchmark_core::evidence::{CardPayload, WrappedEvidence};
use touchmark_core::group::{Group, GroupAction};
use touchmark_core::view::{Read as _, View as _};
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{Algorithm, CoseKey, SignedBytes, Signer};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, KeyNumber, Sequence, ThingId};
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::registry::{
    ChannelKind, ContentFormat, EvidenceFormat, StatementKind, Status, ThingKind, Writers,
};
use touchmark_wire::statement::{Content, Draft, Kid, Link};

/// The test's own private key `n`; several algorithms take turns.
pub(crate) fn key(n: u8) -> SoftwareKey {
    let algorithm = Algorithm::ALL[usize::from(n) % 3];
    SoftwareKey::from_seed(algorithm, &[n + 1; 32]).unwrap()
}

/// The public half of key `n`.
pub(crate) fn public(n: u8) -> CoseKey {
    *key(n).public_key().cose()
}

/// Key `n` for records and control.
pub(crate) fn general(n: u8) -> NewKey {
    NewKey::new(public(n), Purposes::GENERAL)
}

/// Key `n` for `purposes`.
pub(crate) fn for_purposes(n: u8, purposes: Purposes) -> NewKey {
    NewKey::new(public(n), purposes)
}

/// A device with key `n` that nobody controls.
pub(crate) fn device(n: u8) -> Inception {
    Inception {
        kind: ThingKind::DEVICE,
        keys: vec![general(n)],
        threshold: 1,
        next: None,
        nonce: vec![n; 16],
        controller: None,
        owners: None,
        attributes: None,
    }
}

/// A device with key `n` under a controller.
pub(crate) fn controlled(n: u8, controller: ThingId) -> Inception {
    Inception { controller: Some(controller), ..device(n) }
}

/// A card with key `n` under a controller.
pub(crate) fn card(n: u8, controller: ThingId) -> Inception {
    Inception {
        kind: ThingKind::CARD,
        keys: vec![for_purposes(n, Purposes::CARD)],
        ..controlled(n, controller)
    }
}

/// A device with pre-rotation: key `n` now, key `next` afterwards.
pub(crate) fn prerotated(n: u8, next: u8, controller: Option<ThingId>) -> Inception {
    Inception { next: Some(committed(1, &[next])), controller, ..device(n) }
}

/// A commitment to general keys.
pub(crate) fn committed(threshold: u16, keys: &[u8]) -> NextKeys {
    NextKeys::new(threshold, &keys.iter().map(|n| general(*n)).collect::<Vec<_>>())
}

/// An exchange of keys that changes nothing yet.
pub(crate) fn rotation(thing: ThingId) -> Rotation {
    Rotation { thing, add: Vec::new(), close: Vec::new(), next: None, threshold: None }
}

/// A change of status; `keys` come with it where there are any.
pub(crate) fn status(thing: ThingId, status: Status, keys: &[NewKey]) -> SetStatus {
    let keys = (!keys.is_empty()).then(|| keys.to_vec());
    SetStatus { thing, status, reason: None, keys }
}

pub(crate) fn accredit(thing: ThingId, roles: &[&str]) -> Accredit {
    Accredit { thing, roles: roles.iter().map(ToString::to_string).collect() }
}

/// A public channel; `n` tells it from others.
pub(crate) fn opening(n: u8, writers: Writers) -> Opening {
    let kind = ChannelKind::PUBLIC;
    Opening { nonce: vec![n; 16], kind, writers, attributes: None }
}

/// Gives a thing the right to write.
pub(crate) fn grant(channel: ChannelId, thing: ThingId) -> Access {
    Access::of(channel, thing, Rights::WRITE)
}

/// Takes the right to write back.
pub(crate) fn withdraw(channel: ChannelId, thing: ThingId) -> Access {
    Access::of(channel, thing, Rights::NONE)
}

pub(crate) fn group(actions: &[(ThingId, StatementKind, Vec<u8>)]) -> Group {
    let action = |(actor, kind, payload): &(ThingId, StatementKind, Vec<u8>)| GroupAction {
        actor: *actor,
        kind: *kind,
        payload: payload.clone(),
    };
    Group(actions.iter().map(action).collect())
}

pub(crate) fn encoded<T: minicbor::Encode<()>>(payload: &T) -> Vec<u8> {
    codec::encode(payload)
}

/// A statement in the making, next in its issuer's chain; tests change what they want wrong.
#[derive(Clone)]
pub(crate) struct Writing {
    pub(crate) issuer: ThingId,
    pub(crate) link: Link,
    pub(crate) content: Content,
    pub(crate) payload: Vec<u8>,
}

impl Writing {
    fn draft(&self) -> Draft<'_> {
        Draft {
            issuer: self.issuer,
            link: self.link,
            content: self.content,
            claims: None,
            payload: &self.payload,
        }
    }

    /// Signed by private key `n` as key `number` of the issuer.
    pub(crate) fn signed(&self, number: u32, n: u8) -> Vec<u8> {
        self.draft().sign(KeyNumber(number), &key(n)).unwrap()
    }

    /// Signed by several: thing, key number, private key.
    pub(crate) fn signed_by(&self, signers: &[(ThingId, u32, u8)]) -> Vec<u8> {
        let keys: Vec<_> = signers.iter().map(|(.., n)| key(*n)).collect();
        let signers: Vec<(Kid, &dyn Signer)> = signers
            .iter()
            .zip(&keys)
            .map(|((thing, number, _), key)| {
                (Kid::new(*thing, KeyNumber(*number)), key as &dyn Signer)
            })
            .collect();
        self.draft().sign_many(&signers).unwrap()
    }

    /// The same, as another kind.
    pub(crate) fn of_kind(mut self, kind: StatementKind) -> Self {
        self.link.kind = kind;
        self
    }

    pub(crate) fn at(mut self, sequence: u32, previous: Digest) -> Self {
        (self.link.sequence, self.link.previous) = (Sequence(sequence), previous);
        self
    }
}

impl Ledger {
    /// The next statement of `issuer`.
    pub(crate) fn next(&self, issuer: ThingId, kind: StatementKind, payload: Vec<u8>) -> Writing {
        let head = self.head_of(issuer);
        let sequence = Sequence(head.chain.sequence.0 + 1);
        let link = Link { kind, sequence, previous: head.chain.last, channel: None };
        let content = Content::Inline(ContentFormat::CBOR);
        Writing { issuer, link, content, payload }
    }

    /// The next record of `issuer`.
    pub(crate) fn record(&self, issuer: ThingId, text: &str) -> Writing {
        let content = Content::Inline(ContentFormat::TEXT);
        Writing { content, ..self.next(issuer, StatementKind::RECORD, text.into()) }
    }

    /// The next entry of `issuer` in a channel, which need not be there.
    pub(crate) fn entry_in(&self, channel: ChannelId, issuer: ThingId, text: &str) -> Writing {
        let chain = self.channel_chain(channel, issuer).unwrap();
        let (sequence, previous) =
            chain.map_or((0, self.origin()), |it| (it.chain.sequence.0, it.chain.last));
        let mut writing = self.record(issuer, text).at(sequence + 1, previous);
        writing.link.channel = Some(channel);
        writing
    }

    /// Opens a channel that is there afterwards; returns its id.
    pub(crate) fn open(&mut self, (author, n): (ThingId, u8), opening: &Opening) -> ChannelId {
        assert_eq!(self.state((author, n), StatementKind::CHANNEL, opening), Seen::Accepted);
        opening.id(author)
    }

    /// States with key 0 of the issuer, private key `n`.
    pub(crate) fn state(
        &mut self,
        (issuer, n): (ThingId, u8),
        kind: StatementKind,
        payload: &impl minicbor::Encode<()>,
    ) -> Seen {
        self.state_as((issuer, 0, n), kind, payload)
    }

    /// States with key `number` of the issuer, private key `n`.
    pub(crate) fn state_as(
        &mut self,
        (issuer, number, n): (ThingId, u32, u8),
        kind: StatementKind,
        payload: &impl minicbor::Encode<()>,
    ) -> Seen {
        let statement = self.next(issuer, kind, encoded(payload)).signed(number, n);
        self.see(&statement)
    }

    /// Presents a thing, signed by its only key `n`.
    pub(crate) fn incept(&mut self, inception: &Inception, n: u8) -> Seen {
        self.state((inception.id(), n), StatementKind::INCEPTION, inception)
    }

    /// A thing that is there; returns its id.
    pub(crate) fn with(&mut self, inception: &Inception, n: u8) -> ThingId {
        assert_eq!(self.incept(inception, n), Seen::Accepted);
        inception.id()
    }

    /// The first link of every chain.
    pub(crate) fn origin(&self) -> Digest {
        self.network().0
    }
}

/// The text that a card with private key `n` presents.
pub(crate) fn card_url(thing: ThingId, counter: u32, n: u8) -> String {
    sign_url(&format!("https://touch.example/t?p=1&i={thing}&c={counter:08x}&s="), n)
}

/// `text` with the hexadecimal signature of key `n` behind it.
pub(crate) fn sign_url(text: &str, n: u8) -> String {
    let signature = key(n).sign(&SignedBytes::new([text.as_bytes()])).unwrap();
    text.to_string() + &hex(&signature)
}

/// n − s for the order n of P-256: from (r, s) anyone makes (r, n − s), as valid.
pub(crate) fn negated(s: &[u8]) -> [u8; 32] {
    let order = unhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let mut difference = [0; 32];
    let mut borrow = 0i16;
    for at in (0..32).rev() {
        let digit = i16::from(order[at]) - i16::from(s[at]) - borrow;
        borrow = i16::from(digit < 0);
        difference[at] = digit.rem_euclid(256) as u8;
    }
    difference
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02X}").unwrap();
        text
    })
}

/// Evidence of payload signing.
pub(crate) fn card_payload(
    thing: ThingId,
    counter: u64,
    payload: &[u8],
    card_data: Option<&[u8]>,
    n: u8,
) -> Vec<u8> {
    let format = ContentFormat::SENML_CBOR;
    let hash = |data: &[u8]| Digest::of(&[data]);
    let message = CardPayload::message(thing, counter, format, hash(payload), card_data.map(hash));
    let signature = key(n).sign(&SignedBytes::new([&message])).unwrap();
    encoded(&CardPayload { thing, counter, format, payload, card_data, signature: &signature })
}

/// Evidence without a wrapping statement.
pub(crate) fn bare(format: EvidenceFormat, bytes: &[u8]) -> Vec<u8> {
    Leaf::Evidence(BareEvidence { format, bytes, mark: None }).encode_to_vec()
}

/// A reader's payload around evidence.
pub(crate) fn wrapped(format: EvidenceFormat, bytes: &[u8]) -> Vec<u8> {
    encoded(&WrappedEvidence { format, bytes, context: None })
}
