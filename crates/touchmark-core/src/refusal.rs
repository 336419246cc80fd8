//! Refusals: split by blame, with a stable code, one sentence of cause and one hint.

use crate::entry::Chain;
use core::fmt;
use touchmark_wire::codec::Malformed;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, Sequence};
use touchmark_wire::registry::RefusalCode;

/// Why something was not accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Stable code.
    pub code: RefusalCode,
    /// One sentence of cause.
    pub cause: &'static str,
    /// With a conflict: the head of the chain, so that the client can go on.
    pub head: Option<ChainHead>,
}

/// Where a chain stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChainHead {
    /// Place of the last statement.
    pub sequence: Sequence,
    /// What the next one's `previous` must be.
    pub last: Digest,
}

impl From<&Chain> for ChainHead {
    fn from(chain: &Chain) -> Self {
        Self { sequence: chain.sequence, last: chain.last }
    }
}

impl Refusal {
    /// A refusal that needs no head.
    pub const fn new(code: RefusalCode, cause: &'static str) -> Self {
        Self { code, cause, head: None }
    }

    /// What to do about it, one sentence.
    pub fn hint(&self) -> &'static str {
        hint(self.code)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.cause)
    }
}

impl core::error::Error for Refusal {}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::TooLong { .. } => {
                Self::new(RefusalCode::TOO_LONG, "it is longer than the protocol allows")
            }
            Malformed::Shape => {
                Self::new(RefusalCode::MALFORMED, "it does not have the structure of a statement")
            }
            Malformed::NotDeterministic => {
                Self::new(RefusalCode::MALFORMED, "it is not in deterministic CBOR encoding")
            }
        }
    }
}

/// State could not be read: the node's fault, never a verdict on a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unreadable;

impl From<Unreadable> for Refusal {
    fn from(_: Unreadable) -> Self {
        Self::new(RefusalCode::STORAGE, "the node cannot read its own state")
    }
}

/// What became of a statement or evidence that reached the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is in the log and has its effect.
    Accepted(LeafIndex),
    /// It is in the log without effect.
    Denied(LeafIndex, Refusal),
    /// Evidence of a thing that is not authorised: in the log, marked, without effect.
    Sighted(LeafIndex, Refusal),
    /// The log has the proof that its chain forked here.
    Forked(LeafIndex, Refusal),
    /// It was in the log before, here.
    Known(LeafIndex),
    /// Nothing was stored.
    Refused(Refusal),
}

impl Outcome {
    /// Where it is in the log.
    pub fn leaf(&self) -> Option<LeafIndex> {
        match self {
            Self::Accepted(leaf)
            | Self::Denied(leaf, _)
            | Self::Sighted(leaf, _)
            | Self::Forked(leaf, _)
            | Self::Known(leaf) => Some(*leaf),
            Self::Refused(_) => None,
        }
    }

    /// Why it has no effect.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Denied(_, refusal)
            | Self::Sighted(_, refusal)
            | Self::Forked(_, refusal)
            | Self::Refused(refusal) => Some(refusal),
            Self::Accepted(_) | Self::Known(_) => None,
        }
    }
}

/// One hint per code: the one table that every edge takes its hints from.
pub fn hint(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::MALFORMED => {
            "write it as spec/ says, or /openapi.json for a request; `touchmark inspect` shows where \
             a statement differs"
        }
        RefusalCode::TOO_LONG => "commit to large content and keep it outside the ledger",
        RefusalCode::SIGNATURE => "sign the exact bytes with the key that `kid` names",
        RefusalCode::WRONG_NETWORK => {
            "start the chain from this network's id (`touchmark network show`)"
        }
        RefusalCode::UNKNOWN_KIND => "use a number of the registry in spec/registry.md",
        RefusalCode::WRONG_ID => {
            "take the first 20 bytes of SHA-256 of the inception payload as the id"
        }
        RefusalCode::KEY => "make the key pair anew; this public key is not usable",
        RefusalCode::REVOKED => "ask the thing's controller to reinstate it",
        RefusalCode::KEY_NOT_VALID => "sign with a key that is valid now (`touchmark thing show`)",
        RefusalCode::PURPOSE => "sign with a key that was declared for this purpose",
        RefusalCode::THRESHOLD => "collect signatures of more of its keys into one statement",
        RefusalCode::NOT_AUTHORISED => {
            "let the thing itself, its controller or the channel's author state or grant this"
        }
        RefusalCode::NOT_COMMITTED => "reveal the key whose digest was declared as the next one",
        RefusalCode::STATUS => "look up the present status first (`touchmark thing show`)",
        RefusalCode::NEW_KEY_REQUIRED => "reinstate it together with a new key",
        RefusalCode::LIMIT => "remove some first; the limits are in spec/limits.md",
        RefusalCode::KEY_NUMBER => "number new keys from the thing's next number on",
        RefusalCode::REPLAYED => "read the card again; each counter counts once",
        RefusalCode::FORK => "find out who else holds this key, and exchange it",
        RefusalCode::GROUP => "put only directory actions into a group",
        RefusalCode::PAYLOAD => "encode the payload as spec/statement.md says for this kind",
        RefusalCode::FORGED => "treat the object as not genuine",
        RefusalCode::QUOTA => "wait as long as Retry-After says",
        RefusalCode::FORBIDDEN => "use an API key with the scope that is named",
        RefusalCode::NOT_APPROVED => {
            "collect approvals of as many validators of the present committee as its threshold says"
        }
        RefusalCode::COMMITTEE => {
            "make the committee as forming a network does; spec/ledger.md has the rules"
        }
        RefusalCode::OTHER_COMMITTEE => {
            "look up who is in office (`touchmark network show`) and make the next committee for it"
        }
        RefusalCode::APPOINTMENT_PENDING => {
            "wait until the appointed committee is in office, then appoint the one after it"
        }
        RefusalCode::CLOSED => "write into another channel",
        RefusalCode::CONFLICT => "continue from the head that is given here",
        RefusalCode::OUT_OF_ORDER => "submit the statements before this one first",
        RefusalCode::EXISTS => "use the existing thing, or another nonce",
        RefusalCode::UNKNOWN_THING => "register the thing first, or check its id",
        RefusalCode::UNKNOWN_CHANNEL => "open the channel first, or check its id",
        RefusalCode::NOT_FOUND => "check the id or position",
        RefusalCode::OVERLOADED => {
            "send the same bytes again after the time that Retry-After names"
        }
        RefusalCode::STORAGE => "free or repair the node's disk and start it again",
        RefusalCode::NOT_READY => "wait until /health/ready says so",
        RefusalCode::TIMEOUT => {
            "send the same bytes again; what was accepted is not accepted twice"
        }
        RefusalCode::CORRUPT => "run `touchmark node rebuild`, or restore the last backup",
        _ => "report this with the node's log",
    }
}
