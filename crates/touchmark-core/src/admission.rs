//! From bytes to a [`Submission`]: parse, find the keys, check the signatures. Runs before the
//! rules, in parallel and in batches; the rules then only compare keys with the state.

mod keys;

pub use crate::appointment::VerifiedAppointment;

use crate::appointment::Proposed;
use crate::chain;
use crate::evidence::{self, Inner, WrappedEvidence};
use crate::refusal::{Refusal, Unreadable};
use crate::rules::{Action, ChainPlace};
use crate::view::View;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;
use keys::{Brought, Keys};
use touchmark_wire::algorithm::{
    CoseKey, PublicKey, PureVerifier, SignatureError, SignatureVerifier, SignedBytes,
};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{EvidenceId, KeyNumber, StatementId, ThingId};
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::limits;
use touchmark_wire::merkle;
use touchmark_wire::registry::{EvidenceFormat, RefusalCode, StatementKind};
use touchmark_wire::statement::{Content, Kid, Link, Signatures, Statement};

/// What may be submitted, with its signatures checked; only [`admit`] makes one.
#[derive(Clone, Debug)]
pub enum Submission {
    /// A statement.
    Statement(Box<VerifiedStatement>),
    /// Evidence without a wrapping statement.
    Evidence(VerifiedEvidence),
}

impl Submission {
    /// The leaf it becomes when it is accepted.
    pub fn leaf_bytes(&self) -> &[u8] {
        match self {
            Self::Statement(statement) => &statement.bytes,
            Self::Evidence(evidence) => &evidence.leaf,
        }
    }

    /// Statement id or evidence id: the same submission has the same one.
    pub fn id(&self) -> Digest {
        match self {
            Self::Statement(statement) => statement.id.0,
            Self::Evidence(evidence) => evidence.id.0,
        }
    }

    /// RFC 9162 hash of [`Self::leaf_bytes`]: the same bytes have the same one. Under one id there may
    /// be several, with other signatures.
    pub const fn leaf_hash(&self) -> Digest {
        match self {
            Self::Statement(statement) => statement.leaf_hash,
            Self::Evidence(evidence) => evidence.leaf_hash,
        }
    }

    /// Whether [`admit`] would find the same keys in `view`, so that what it verified is what counts
    /// there.
    pub(crate) fn holds(&self, view: &dyn View) -> Result<bool, Unreadable> {
        let mut keys = Keys::new(view);
        match self {
            Self::Statement(statement) => statement.holds(&mut keys),
            Self::Evidence(evidence) => {
                readable(keys.evidence_key(evidence.thing)).map(|key| key == Ok(evidence.key))
            }
        }
    }
}

/// A key that signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signed {
    /// Whose key.
    pub thing: ThingId,
    /// Its number.
    pub number: KeyNumber,
    /// The key that the signature was checked under.
    pub key: CoseKey,
}

/// A statement all of whose signatures verify under the keys beside them.
#[derive(Clone, Debug)]
pub struct VerifiedStatement {
    bytes: Vec<u8>,
    payload: Range<usize>,
    /// Its id.
    pub(crate) id: StatementId,
    /// RFC 9162 hash of the leaf that it is when accepted.
    pub(crate) leaf_hash: Digest,
    /// Who states.
    pub(crate) issuer: ThingId,
    /// Place in a chain.
    pub(crate) link: Link,
    /// How the payload stands in it.
    pub(crate) content: Content,
    /// Who signed.
    pub(crate) signers: Vec<Signed>,
    /// For wrapped evidence: whether the inner signature verifies.
    pub(crate) evidence: Option<Result<VerifiedEvidence, Refusal>>,
    /// For wrapped evidence: the key that its signature was checked under, if one was found.
    evidence_key: Option<CoseKey>,
    /// For an appointment: whether enough validators approved.
    pub(crate) appointment: Option<Result<VerifiedAppointment, Refusal>>,
    /// For an appointment: digest of the committee under which approvals were checked, if there was
    /// one.
    approved_by: Option<Digest>,
}

impl VerifiedStatement {
    /// The encoded statement.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.payload.clone()]
    }

    /// Its id.
    pub const fn id(&self) -> StatementId {
        self.id
    }

    /// Who states.
    pub const fn issuer(&self) -> ThingId {
        self.issuer
    }

    /// Place in a chain.
    pub const fn link(&self) -> &Link {
        &self.link
    }

    /// Whether the keys that it was checked under are the ones to check it under now.
    fn holds(&self, keys: &mut Keys<'_>) -> Result<bool, Unreadable> {
        let mut brought = None;
        if keys::brings_keys(self.link.kind) {
            let parsed = Statement::parse(&self.bytes).map_err(Refusal::from);
            match readable(parsed.and_then(|parsed| keys.introduce(&parsed)))? {
                Ok(own) => brought = own,
                Err(_) => return Ok(false),
            }
        }
        for signer in &self.signers {
            let kid = Kid::new(signer.thing, signer.number);
            if readable(keys.find(kid, brought.as_deref()))? != Ok(signer.key) {
                return Ok(false);
            }
        }
        if self.appointment.is_some() {
            let now = readable(Proposed::read(self.payload(), keys.view))?;
            return Ok(now.ok().map(|proposed| proposed.by()) == self.approved_by);
        }
        let Some(evidence) = &self.evidence else { return Ok(true) };
        let now = readable(parse_wrapped(self.payload(), keys))?;
        // Without a key, then and now, the evidence was refused for the same reason or not.
        let same_refusal = match (evidence, &now) {
            (Err(then), Err(now)) => then == now,
            _ => true,
        };
        Ok(key_of(&now) == self.evidence_key && same_refusal)
    }

    pub(crate) fn place(&self) -> ChainPlace {
        ChainPlace {
            issuer: self.issuer,
            channel: self.link.channel,
            sequence: self.link.sequence,
            id: self.id,
        }
    }

    pub(crate) fn action(&self) -> Action<'_> {
        Action {
            actor: self.issuer,
            kind: self.link.kind,
            payload: self.payload(),
            signers: &self.signers,
            evidence: self.evidence.as_ref(),
            appointment: self.appointment.as_ref(),
        }
    }
}

/// Evidence whose inner signature verifies under the key beside it.
#[derive(Clone, Debug)]
pub struct VerifiedEvidence {
    /// [`Inner::id`].
    pub(crate) id: EvidenceId,
    /// How the bytes are read.
    pub(crate) format: EvidenceFormat,
    /// Which thing made it.
    pub(crate) thing: ThingId,
    /// The key that the signature was checked under.
    pub(crate) key: CoseKey,
    /// The usage counter.
    pub(crate) counter: u64,
    /// The leaf that it is when it comes bare.
    pub(crate) leaf: Vec<u8>,
    /// RFC 9162 hash of that leaf.
    pub(crate) leaf_hash: Digest,
}

impl VerifiedEvidence {
    /// Which thing made it.
    pub const fn thing(&self) -> ThingId {
        self.thing
    }

    /// [`Inner::id`].
    pub const fn id(&self) -> EvidenceId {
        self.id
    }

    /// The usage counter.
    pub const fn counter(&self) -> u64 {
        self.counter
    }
}

/// A signature to check.
pub struct Check<'a> {
    /// Under this key.
    pub key: &'a CoseKey,
    /// Over these bytes.
    pub message: SignedBytes<'a>,
    /// This one.
    pub signature: &'a [u8],
}

/// Checks many signatures, in whatever way is fastest; the acceptance set is that of
/// [`touchmark_wire::algorithm`].
pub trait Verifier {
    /// One answer for each check, in order.
    fn verify(&self, checks: &[Check<'_>]) -> Vec<bool>;
}

/// Checks one signature after the other in pure Rust.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneByOne;

impl Verifier for OneByOne {
    fn verify(&self, checks: &[Check<'_>]) -> Vec<bool> {
        let verifies = |check: &Check<'_>| {
            PublicKey::new(*check.key)
                .is_ok_and(|key| PureVerifier.verify(&key, &check.message, check.signature).is_ok())
        };
        checks.iter().map(verifies).collect()
    }
}

/// Checks single signatures with a [`Verifier`].
pub(crate) struct SingleVerifier<'a>(pub(crate) &'a dyn Verifier);

impl SignatureVerifier for SingleVerifier<'_> {
    fn verify(
        &self,
        key: &PublicKey,
        message: &SignedBytes<'_>,
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let check = Check { key: key.cose(), message: *message, signature };
        if self.0.verify(&[check]) == [true] { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

/// Something to submit: the bytes of a leaf that is a statement or bare evidence.
pub type Input = Vec<u8>;

/// Checks `inputs`, in order; a statement may be signed by a key that an earlier one of the same
/// call introduces.
///
/// Keys are looked up in `view`. It may be older than the state that the rules will see: they look
/// them up again, and where others count there the answer is [`crate::rules::Decision::Outdated`].
pub fn admit(
    inputs: Vec<Input>,
    view: &dyn View,
    verifier: &dyn Verifier,
) -> Vec<Result<Submission, Refusal>> {
    let mut keys = Keys::new(view);
    let parsed: Vec<_> = inputs.iter().map(|bytes| parse(bytes, &mut keys)).collect();
    let admitted = verify_all(&parsed, view, verifier);
    drop(parsed);
    inputs
        .into_iter()
        .zip(admitted)
        .map(|(bytes, admitted)| Ok(admitted?.into_submission(bytes)))
        .collect()
}

/// A parsed input with the keys to check it under.
#[allow(clippy::large_enum_variant, reason = "statements are the common case and live briefly")]
enum Parsed<'a> {
    Statement {
        statement: Statement<'a>,
        signers: Vec<Signed>,
        inner: Option<ParsedInner>,
        appointment: Option<Result<Proposed<'a>, Refusal>>,
    },
    Evidence(ParsedInner),
}

/// Evidence that names a key, or why it cannot count.
type ParsedInner = Result<(EvidenceFormat, EvidenceId, Inner, CoseKey), Refusal>;

/// What is left when the borrow of the input ends.
#[allow(clippy::large_enum_variant, reason = "statements are the common case and live briefly")]
enum Admitted {
    Statement {
        id: StatementId,
        payload: Range<usize>,
        issuer: ThingId,
        link: Link,
        content: Content,
        signers: Vec<Signed>,
        evidence: Option<Result<VerifiedEvidence, Refusal>>,
        evidence_key: Option<CoseKey>,
        appointment: Option<Result<VerifiedAppointment, Refusal>>,
        approved_by: Option<Digest>,
    },
    Evidence(VerifiedEvidence),
}

impl Admitted {
    fn into_submission(self, bytes: Vec<u8>) -> Submission {
        let leaf_hash = merkle::leaf_hash(&bytes);
        match self {
            Self::Statement {
                id,
                payload,
                issuer,
                link,
                content,
                signers,
                evidence,
                evidence_key,
                appointment,
                approved_by,
            } => Submission::Statement(Box::new(VerifiedStatement {
                bytes,
                payload,
                id,
                leaf_hash,
                issuer,
                link,
                content,
                signers,
                evidence,
                evidence_key,
                appointment,
                approved_by,
            })),
            Self::Evidence(evidence) => {
                Submission::Evidence(VerifiedEvidence { leaf: bytes, leaf_hash, ..evidence })
            }
        }
    }
}

fn parse<'a>(bytes: &'a [u8], keys: &mut Keys<'_>) -> Result<Parsed<'a>, Refusal> {
    match Leaf::decode(bytes)? {
        Leaf::Accepted(bytes) => parse_statement(Statement::parse(bytes)?, keys),
        Leaf::Evidence(BareEvidence { format, bytes, .. }) => {
            if bytes.len() > limits::EVIDENCE {
                let cause = "evidence is longer than the protocol allows";
                return Err(Refusal::new(RefusalCode::TOO_LONG, cause));
            }
            parse_inner(format, bytes, keys).map(|inner| Parsed::Evidence(Ok(inner)))
        }
        _ => {
            let cause = "only statements and bare evidence can be submitted";
            Err(Refusal::new(RefusalCode::MALFORMED, cause))
        }
    }
}

fn parse_statement<'a>(
    statement: Statement<'a>,
    keys: &mut Keys<'_>,
) -> Result<Parsed<'a>, Refusal> {
    let brought = keys.introduce(&statement)?;
    let protected = statement.protected();
    if let Some(claims) = protected.claims
        && !chain::is_of(&claims, &keys.view.network())
    {
        let cause = "the issuer that the claims name is a thing of another network";
        return Err(Refusal::new(RefusalCode::WRONG_NETWORK, cause));
    }
    let signer = |kid, algorithm| signer(kid, algorithm, keys, brought.as_deref());
    let mut signers = Vec::new();
    match statement.signatures() {
        Signatures::One(_) => {
            let algorithm = protected.algorithm.unwrap_or_default();
            signers.push(signer(protected.kid, algorithm)?);
        }
        Signatures::Many(many) => {
            for entry in many.iter() {
                signers.push(signer(entry.kid(), entry.algorithm())?);
            }
        }
    }
    let inner = (protected.link.kind == StatementKind::EVIDENCE
        && matches!(protected.content, Content::Inline(_)))
    .then(|| readable(parse_wrapped(statement.payload(), keys)))
    .transpose()?;
    let appointment = (protected.link.kind == StatementKind::APPOINT
        && matches!(protected.content, Content::Inline(_)))
    .then(|| readable(Proposed::read(statement.payload(), keys.view)))
    .transpose()?;
    Ok(Parsed::Statement { statement, signers, inner, appointment })
}

/// The key behind a signature that says it is made with `algorithm`.
fn signer(
    kid: Kid,
    algorithm: i64,
    keys: &Keys<'_>,
    brought: Option<&Brought>,
) -> Result<Signed, Refusal> {
    let key = keys.find(kid, brought)?;
    if i64::from(key.algorithm().cose_id()) != algorithm {
        let cause = "the key that `kid` names is for another algorithm";
        return Err(Refusal::new(RefusalCode::KEY_NOT_VALID, cause));
    }
    Ok(Signed { thing: kid.thing, number: kid.key.unwrap_or_default(), key })
}

fn parse_wrapped(payload: &[u8], keys: &Keys<'_>) -> ParsedInner {
    let wrapped: WrappedEvidence<'_> = codec::decode(payload, limits::STATEMENT).map_err(|_| {
        let cause = "the payload is not wrapped evidence";
        Refusal::new(RefusalCode::PAYLOAD, cause)
    })?;
    parse_inner(wrapped.format, wrapped.bytes, keys)
}

fn parse_inner(format: EvidenceFormat, bytes: &[u8], keys: &Keys<'_>) -> ParsedInner {
    let inner = evidence::parse(format, bytes)?;
    let key = keys.evidence_key(inner.thing)?;
    Ok((format, inner.id(format), inner, key))
}

/// Tells what cannot be read from what is refused: the one is the node's fault and no verdict.
fn readable<T>(result: Result<T, Refusal>) -> Result<Result<T, Refusal>, Unreadable> {
    match result {
        Err(refusal) if refusal.code == RefusalCode::STORAGE => Err(Unreadable),
        result => Ok(result),
    }
}

fn key_of(inner: &ParsedInner) -> Option<CoseKey> {
    inner.as_ref().ok().map(|(.., key)| *key)
}

fn verify_all(
    parsed: &[Result<Parsed<'_>, Refusal>],
    view: &dyn View,
    verifier: &dyn Verifier,
) -> Vec<Result<Admitted, Refusal>> {
    let structures: Vec<Structures<'_>> = parsed.iter().map(Structures::of).collect();
    let mut checks = Vec::new();
    let ids: Vec<StatementId> =
        parsed.iter().zip(&structures).map(|(item, own)| own.checks(item, &mut checks)).collect();
    let mut answers = verifier.verify(&checks).into_iter();
    parsed
        .iter()
        .zip(ids)
        .map(|(item, id)| match item {
            Ok(item) => item.conclude(id, &mut answers, view, verifier),
            Err(refusal) => Err(refusal.clone()),
        })
        .collect()
}

/// The Sig_structures of one input, which its checks borrow.
struct Structures<'a>(Vec<touchmark_wire::statement::SigStructure<'a>>);

impl<'a> Structures<'a> {
    fn of(item: &Result<Parsed<'a>, Refusal>) -> Self {
        let Ok(Parsed::Statement { statement, .. }) = item else {
            return Self(Vec::new());
        };
        let mut own = alloc::vec![statement.sig_structure()];
        if let Signatures::Many(many) = statement.signatures() {
            own.extend(many.iter().map(|signer| statement.sig_structure_of(&signer)));
        }
        Self(own)
    }

    /// Adds the checks of `item`, signatures first, then the inner one; returns the statement id.
    fn checks<'b>(
        &'b self,
        item: &'b Result<Parsed<'a>, Refusal>,
        checks: &mut Vec<Check<'b>>,
    ) -> StatementId {
        let Ok(item) = item else {
            return StatementId::default();
        };
        let mut id = StatementId::default();
        let inner = match item {
            Parsed::Statement { statement, signers, inner, .. } => {
                let mut messages = self.0.iter().map(|own| own.signed_bytes());
                let body = messages.next().expect("a statement has a body");
                id = StatementId(*body.digest());
                match statement.signatures() {
                    Signatures::One(signature) => {
                        checks.push(Check { key: &signers[0].key, message: body, signature });
                    }
                    Signatures::Many(many) => {
                        for ((entry, signer), message) in many.iter().zip(signers).zip(messages) {
                            let signature = entry.signature();
                            checks.push(Check { key: &signer.key, message, signature });
                        }
                    }
                }
                inner.as_ref()
            }
            Parsed::Evidence(inner) => Some(inner),
        };
        if let Some(Ok((_, _, inner, key))) = inner {
            let message = SignedBytes::new([&inner.message[..]]);
            checks.push(Check { key, message, signature: &inner.signature });
        }
        id
    }
}

impl Parsed<'_> {
    /// Reads this input's answers.
    fn conclude(
        &self,
        id: StatementId,
        answers: &mut impl Iterator<Item = bool>,
        view: &dyn View,
        verifier: &dyn Verifier,
    ) -> Result<Admitted, Refusal> {
        let mut holds = || answers.next().expect("a verifier answers every check");
        match self {
            Self::Statement { statement, signers, inner, appointment } => {
                let genuine = signers.iter().fold(true, |all, _| holds() && all);
                let evidence = inner.as_ref().map(|inner| conclude_inner(inner, &mut holds));
                if !genuine {
                    let cause = "a signature does not verify under the key that `kid` names";
                    return Err(Refusal::new(RefusalCode::SIGNATURE, cause));
                }
                // Only here, so a statement that its issuer did not sign has no approvals checked.
                let proposed = appointment.as_ref();
                let approved_by = proposed.and_then(|it| it.as_ref().ok()).map(Proposed::by);
                let appointment = proposed.map(|proposed| match proposed {
                    Ok(proposed) => proposed.verify(view, verifier),
                    Err(refusal) => Err(refusal.clone()),
                });
                let start =
                    statement.payload().as_ptr() as usize - statement.bytes().as_ptr() as usize;
                Ok(Admitted::Statement {
                    id,
                    payload: start..start + statement.payload().len(),
                    issuer: statement.protected().kid.thing,
                    link: statement.protected().link,
                    content: statement.protected().content,
                    signers: signers.clone(),
                    evidence,
                    evidence_key: inner.as_ref().and_then(key_of),
                    appointment,
                    approved_by,
                })
            }
            Self::Evidence(inner) => conclude_inner(inner, &mut holds).map(Admitted::Evidence),
        }
    }
}

fn conclude_inner(
    inner: &ParsedInner,
    holds: &mut impl FnMut() -> bool,
) -> Result<VerifiedEvidence, Refusal> {
    let (format, id, inner, key) = inner.as_ref().map_err(Clone::clone)?;
    if !holds() {
        let cause = "the evidence is not signed by the thing that it names";
        return Err(Refusal::new(RefusalCode::FORGED, cause));
    }
    Ok(VerifiedEvidence {
        id: *id,
        format: *format,
        thing: inner.thing,
        key: *key,
        counter: inner.counter,
        leaf: Vec::new(),
        leaf_hash: Digest::default(),
    })
}
