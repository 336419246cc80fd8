//! What travels over HTTP: the JSON types of `/v1`, problem details, and (feature `client`) a
//! typed client, and (feature `openapi`) their OpenAPI document. [`senml`] is what sensors say, in
//! both of its forms.
//!
//! Ids are text, positions and sequences are numbers, bytes are base64url without padding.
#![warn(missing_docs)]

mod administration;
mod card;
mod channel;
#[cfg(feature = "client")]
pub mod client;
mod confidence;
mod directory;
mod edge;
mod event;
mod leaf;
mod network;
#[cfg(feature = "openapi")]
pub mod openapi;
mod payload;
mod problem;
mod proved;
pub mod scitt;
pub mod senml;
pub mod sequence;
mod text;
mod thing;
pub mod tile;
mod write;

pub use administration::{
    BackupContents, BackupState, BackupView, DrainView, LoadView, SetUp, SetUpView, UseView,
};
pub use card::{
    CardView, CounterView, LOGIN_ATTRIBUTE, THING_ATTRIBUTE, Tap, TapAction, TapVerdict, TapView,
    URL_ATTRIBUTE,
};
pub use channel::{ChannelView, WriterView};
pub use confidence::{ConfidenceView, ReasonView};
pub use directory::DirectoryEntry;
pub use edge::EdgeCode;
pub use event::{EventView, Happening};
pub use leaf::{EvidenceView, Kind, LeafView, Listing, SignerView, StatementView};
pub use network::{
    AnchorView, NetworkView, NodeView, Readiness, ValidatorView, WitnessView, WitnessesView,
};
pub use payload::PayloadView;
pub use problem::{HeadView, Problem};
pub use proved::Proved;
pub use text::Base64;
pub use thing::{HistoryView, KeyView, NextKeysView, StatusView, ThingView};
pub use write::{OutcomeName, Written};

/// Media types of bodies that are not JSON.
pub mod media {
    /// One COSE message: a statement or a receipt (RFC 9052 §2).
    pub const COSE: &str = "application/cose";
    /// Statements and bare evidence one after the other (RFC 8742).
    pub const CBOR_SEQ: &str = "application/cbor-seq";
    /// One CBOR item: a leaf of bare evidence.
    pub const CBOR: &str = "application/cbor";
    /// A proof bundle.
    pub const BUNDLE: &str = "application/vnd.touchmark.bundle+cbor";
    /// Problem details (RFC 9457).
    pub const PROBLEM: &str = "application/problem+json";
    /// Concise problem details (RFC 9290).
    pub const CONCISE_PROBLEM: &str = "application/concise-problem-details+cbor";
    /// A Signed or Transparent Statement (RFC 9943 §10).
    pub const SCITT_STATEMENT: &str = "application/scitt-statement+cose";
    /// Text, such as a checkpoint or a card's URL.
    pub const TEXT: &str = "text/plain; charset=utf-8";
    /// Any, where a standard asks for bytes and names no media type.
    pub const ANY: &str = "*/*";
    /// The size of a log, from a witness that has another than it was told (C2SP tlog-witness).
    pub const TLOG_SIZE: &str = "text/x.tlog.size";
    /// A log tile.
    pub const OCTETS: &str = "application/octet-stream";
}
