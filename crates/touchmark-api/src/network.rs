//! The network as a node presents it.

use crate::Base64;
use serde::{Deserialize, Serialize};
use touchmark_wire::genesis::{Committee, Genesis};

/// A network's root of trust and where its log stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct NetworkView {
    /// Network id, hexadecimal: SHA-256 of `genesis`.
    pub network: String,
    /// C2SP origin of the log.
    pub origin: String,
    /// The genesis document.
    pub genesis: Base64,
    /// Number of the committee that certifies the next batch: 0 for genesis', one more with each
    /// change.
    pub committee: u64,
    /// Number of the committee that takes over at the end of the term, if one was appointed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointed: Option<u64>,
    /// The key by which outside witnesses know the log, as C2SP signed-note writes one, if those who
    /// certify hold one together; earlier builds do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_key: Option<String>,
    /// The one that the log gets when the appointed committee takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_log_key: Option<String>,
    /// Who certifies.
    pub validators: Vec<ValidatorView>,
    /// How many validators' words count.
    pub threshold: u16,
    /// Number of the last batch.
    pub height: u64,
    /// Its certified time, milliseconds since 1970-01-01T00:00:00Z.
    pub time: u64,
    /// Number of leaves.
    pub size: u64,
    /// RFC 9162 root of the log, hexadecimal.
    pub root: String,
}

/// A validator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ValidatorView {
    /// Its name.
    pub name: String,
    /// Its key among the validators, hexadecimal: Ed25519.
    pub peer: String,
    /// Signs receipts and fresh answers: COSE_Key.
    pub log_key: Base64,
    /// Cosigns checkpoints: COSE_Key.
    pub cosigner_key: Base64,
}

/// How a node does its part in the network.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct NodeView {
    /// Its key among the validators, hexadecimal: who of them it is. A follower is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Version of its build; earlier builds do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The highest version of the rules that it has; earlier builds do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<u16>,
    /// What its clock says, milliseconds since 1970-01-01T00:00:00Z.
    pub clock: u64,
    /// The term that consensus is in.
    pub term: u64,
    /// The term's last height: only after it can another committee certify.
    pub term_ends: u64,
    /// The round of voting; rounds begin anew in each term.
    pub view: u64,
    /// Whether it votes.
    pub votes: bool,
    /// Peers that it is connected with, by their keys.
    pub connected: Vec<String>,
    /// The last batch that is final; it may not have arrived yet.
    pub finalized: u64,
    /// The last batch that it has.
    pub height: u64,
    /// Submissions that wait for a batch.
    pub pending: u64,
    /// Their bytes.
    pub pending_bytes: u64,
    /// The outside witnesses that cosign this node's checkpoints; earlier builds do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnesses: Option<WitnessesView>,
    /// What another network has of this log, where the node looks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<AnchorView>,
}

/// A checkpoint of the log that is recorded in another network, as the node knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AnchorView {
    /// The other network, hexadecimal.
    pub network: String,
    /// Who records checkpoints there.
    pub by: String,
    /// How many leaves the log had that was recorded last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Where the record is in the other network's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<u64>,
    /// Certified time of the other network's log in which it was the last word of `by`, milliseconds
    /// since 1970-01-01T00:00:00Z.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
    /// What is wrong since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The outside witnesses of a node's log.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WitnessesView {
    /// Those that are asked.
    pub items: Vec<WitnessView>,
    /// Why none is asked, if none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An outside witness as the node knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WitnessView {
    /// Name of its key.
    pub name: String,
    /// Its key, as C2SP signed-note writes one.
    pub vkey: String,
    /// Size of the newest checkpoint that it cosigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When, by its clock, seconds since 1970-01-01T00:00:00Z.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
    /// What is wrong with it since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Whether a node takes traffic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Readiness {
    /// Whether it does.
    pub ready: bool,
    /// Why not.
    pub reasons: Vec<String>,
    /// What is not as it should be though the node takes traffic.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Number of the last batch.
    pub height: u64,
    /// Number of leaves.
    pub size: u64,
}

impl NetworkView {
    /// The network of `genesis` while `committee` certifies, with nothing in its log.
    pub fn new(genesis: &Genesis, committee: &Committee) -> Self {
        let key = |key| Base64(touchmark_wire::codec::encode(key));
        let validators = committee.validators.iter().map(|validator| ValidatorView {
            name: validator.name.clone(),
            peer: validator.peer.to_string(),
            log_key: key(&validator.log_key),
            cosigner_key: key(&validator.cosigner_key),
        });
        Self {
            network: genesis.network_id().to_string(),
            origin: genesis.origin.clone(),
            genesis: Base64(genesis.encode_to_vec()),
            committee: committee.epoch.0,
            appointed: None,
            log_key: committee.log_key(&genesis.origin).map(|key| key.to_string()),
            next_log_key: None,
            validators: validators.collect(),
            threshold: committee.threshold,
            height: 0,
            time: genesis.time.0,
            size: 0,
            root: String::new(),
        }
    }
}
