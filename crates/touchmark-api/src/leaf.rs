//! Leaves and statements as a node presents them.

use crate::{Base64, ConfidenceView};
use serde::{Deserialize, Serialize};
use touchmark_core::evidence;
use touchmark_wire::ids::LeafIndex;
use touchmark_wire::leaf::Leaf;
use touchmark_wire::merkle;
use touchmark_wire::registry::{RefusalCode, StatementKind};
use touchmark_wire::statement::{Content, Signatures, Statement};

/// A leaf of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LeafView {
    /// Its place.
    pub index: u64,
    /// What it is.
    pub kind: Kind,
    /// RFC 9162 hash, hexadecimal.
    pub hash: String,
    /// The leaf itself.
    pub bytes: Base64,
    /// Why it has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// With a fork: the leaf that has the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// The statement in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<StatementView>,
    /// The evidence in it, wrapped or bare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceView>,
    /// How far a record can be believed, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<ConfidenceView>,
    /// With a batch leaf: its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Certified time, milliseconds since 1970-01-01T00:00:00Z.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
}

/// What a leaf is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A statement that counts.
    Accepted,
    /// A statement without effect.
    Denied,
    /// A second statement at a place that is taken.
    Fork,
    /// Evidence without a statement around it.
    Evidence,
    /// Evidence of a thing that is not authorised.
    Sighting,
    /// The end of a batch.
    Batch,
    /// Not a leaf that this version knows.
    Unknown,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Accepted,
        Self::Denied,
        Self::Fork,
        Self::Evidence,
        Self::Sighting,
        Self::Batch,
        Self::Unknown,
    ];

    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Denied => "denied",
            Self::Fork => "fork",
            Self::Evidence => "evidence",
            Self::Sighting => "sighting",
            Self::Batch => "batch",
            Self::Unknown => "unknown",
        }
    }
}

/// A statement taken apart; its signatures are not checked here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StatementView {
    /// Id, hexadecimal.
    pub id: String,
    /// What it does.
    pub kind: String,
    /// Who states.
    pub issuer: String,
    /// Place in the issuer's chain.
    pub sequence: u32,
    /// Id of the one before, or the network id, hexadecimal.
    pub previous: String,
    /// The channel of the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// CoAP Content-Format of the payload.
    pub content_format: u16,
    /// Whether the payload is only a commitment to it.
    pub committed: bool,
    /// The payload.
    pub payload: Base64,
    /// Who signed.
    pub signers: Vec<SignerView>,
}

/// A signer of a statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SignerView {
    /// Whose key.
    pub thing: String,
    /// Its number.
    pub key: u32,
    /// COSE algorithm number.
    pub algorithm: i64,
}

/// Evidence taken apart; its signature is not checked here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EvidenceView {
    /// How it is read.
    pub format: String,
    /// The thing that it names.
    pub thing: String,
    /// Its usage counter.
    pub counter: u64,
    /// The bytes.
    pub bytes: Base64,
}

/// One page of a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Listing<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// Give this as `cursor` for the next page; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl LeafView {
    /// Takes a leaf apart.
    pub fn new(index: LeafIndex, bytes: &[u8]) -> Self {
        let mut view = Self {
            index: index.0,
            kind: Kind::Unknown,
            hash: merkle::leaf_hash(bytes).to_string(),
            bytes: bytes.into(),
            code: None,
            first: None,
            statement: None,
            evidence: None,
            confidence: None,
            height: None,
            time: None,
        };
        let Ok(leaf) = Leaf::decode(bytes) else {
            return view;
        };
        let statement = leaf.statement().and_then(|bytes| Statement::parse(bytes).ok());
        view.evidence = inner(&leaf, statement.as_ref());
        view.statement = statement.as_ref().map(StatementView::from);
        match leaf {
            Leaf::Accepted(_) => view.kind = Kind::Accepted,
            Leaf::Denied { code, .. } => {
                (view.kind, view.code) = (Kind::Denied, Some(RefusalCode(code).to_string()));
            }
            Leaf::Fork { first, .. } => (view.kind, view.first) = (Kind::Fork, Some(first.0)),
            Leaf::Evidence(_) => view.kind = Kind::Evidence,
            Leaf::Sighting { code, .. } => {
                (view.kind, view.code) = (Kind::Sighting, Some(RefusalCode(code).to_string()));
            }
            Leaf::Batch(batch) => {
                view.kind = Kind::Batch;
                (view.height, view.time) = (Some(batch.height.0), Some(batch.time.0));
            }
        }
        view
    }
}

fn inner(leaf: &Leaf<'_>, statement: Option<&Statement<'_>>) -> Option<EvidenceView> {
    let (format, bytes) = match (leaf, statement) {
        (Leaf::Evidence(bare), _) => (bare.format, bare.bytes),
        (_, Some(statement)) => {
            if statement.protected().link.kind != StatementKind::EVIDENCE {
                return None;
            }
            let limit = touchmark_wire::limits::STATEMENT;
            let wrapped: evidence::WrappedEvidence<'_> =
                touchmark_wire::codec::decode(statement.payload(), limit).ok()?;
            (wrapped.format, wrapped.bytes)
        }
        (Leaf::Sighting { leaf, .. }, None) => match Leaf::decode(leaf).ok()? {
            Leaf::Evidence(bare) => (bare.format, bare.bytes),
            _ => return None,
        },
        _ => return None,
    };
    let inner = evidence::parse(format, bytes).ok()?;
    Some(EvidenceView {
        format: format.to_string(),
        thing: inner.thing.to_string(),
        counter: inner.counter,
        bytes: bytes.into(),
    })
}

impl From<&Statement<'_>> for StatementView {
    fn from(statement: &Statement<'_>) -> Self {
        let protected = statement.protected();
        let (content_format, committed) = match protected.content {
            Content::Inline(format) => (format.0, false),
            Content::Committed(format) => (format.0, true),
        };
        let signers = match statement.signatures() {
            Signatures::One(_) => vec![SignerView {
                thing: protected.kid.thing.to_string(),
                key: protected.kid.key.unwrap_or_default().0,
                algorithm: protected.algorithm.unwrap_or_default(),
            }],
            Signatures::Many(many) => many
                .iter()
                .map(|signer| SignerView {
                    thing: signer.kid().thing.to_string(),
                    key: signer.kid().key.unwrap_or_default().0,
                    algorithm: signer.algorithm(),
                })
                .collect(),
        };
        Self {
            id: statement.id().to_string(),
            kind: protected.link.kind.to_string(),
            issuer: protected.kid.thing.to_string(),
            sequence: protected.link.sequence.0,
            previous: protected.link.previous.to_string(),
            channel: protected.link.channel.map(|channel| channel.to_string()),
            content_format,
            committed,
            payload: statement.payload().into(),
            signers,
        }
    }
}
