//! A thing as a node presents it.

use crate::{Base64, HeadView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use touchmark_core::directory::prerotation::NextKeys;
use touchmark_core::entry::{Attributes, Head, KeyState, StatusChange, Thing};
use touchmark_core::refusal::ChainHead;
use touchmark_wire::codec;
use touchmark_wire::ids::{NetworkId, ThingId};

/// Everything the state holds about a thing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ThingView {
    /// Id, 32 characters of base32.
    pub id: String,
    /// `did:touchmark:…`
    pub did: String,
    /// What it stands for.
    pub kind: String,
    /// Who changes its status, as the thing itself says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// Leaf in which the controller said so, too. Without it do not take the thing for the
    /// controller's: anything can name anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller_confirmed: Option<u64>,
    /// The present status.
    pub status: StatusView,
    /// The changes of status that the state remembers, the oldest first.
    pub statuses: Vec<StatusView>,
    /// Sum of weights that its statements need.
    pub threshold: u16,
    /// The valid keys; a revoked thing has none.
    pub keys: Vec<KeyView>,
    /// The next key's number.
    pub next_number: u32,
    /// With pre-rotation: what it has committed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextKeysView>,
    /// Attributes.
    pub attributes: BTreeMap<String, String>,
    /// Leaf that registered it.
    pub created: u64,
    /// Its main chain.
    pub head: HeadView,
    /// How long its history is, and what mentions it.
    pub history: HistoryView,
    /// Size of the log that this answer is about.
    pub size: u64,
}

/// A status and since when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StatusView {
    /// The status.
    pub status: String,
    /// Leaf that set it.
    pub since: u64,
    /// The application's own reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A key of a thing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct KeyView {
    /// Its number.
    pub number: u32,
    /// Its algorithm's registered name.
    pub algorithm: String,
    /// The COSE_Key.
    pub key: Base64,
    /// What it may be used for.
    pub purposes: Vec<String>,
    /// What its signature counts.
    pub weight: u16,
    /// Leaf that brought it.
    pub from: u64,
    /// Leaf that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
}

/// The keys that may come next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct NextKeysView {
    /// The threshold that they must reach, and the thing's own once they came.
    pub threshold: u16,
    /// SHA-256 of each key with its purposes and weight, hexadecimal.
    pub commitments: Vec<String>,
}

/// The leaves by a thing, and about it by those who have standing there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HistoryView {
    /// How many there are.
    pub count: u64,
    /// Running hash over them, hexadecimal.
    pub hash: String,
    /// How many leaves of others mention it; they are no part of the history.
    #[serde(default)]
    pub mentions: u64,
    /// First leaf that proves a fork of its chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<u64>,
}

impl ThingView {
    /// Puts the entries of a thing together.
    pub fn new(
        network: &NetworkId,
        id: ThingId,
        thing: &Thing,
        head: &Head,
        attributes: Attributes,
        size: u64,
    ) -> Self {
        Self {
            id: id.to_string(),
            did: id.did(network).to_string(),
            kind: thing.kind.to_string(),
            controller: thing.controller.map(|controller| controller.to_string()),
            controller_confirmed: thing.confirmed.map(|leaf| leaf.0),
            status: StatusView::of(thing),
            statuses: thing.statuses.iter().map(StatusView::from).collect(),
            threshold: thing.threshold,
            keys: thing.keys.iter().map(KeyView::from).collect(),
            next_number: thing.next_number.0,
            next: thing.next.as_ref().map(NextKeysView::from),
            attributes: attributes.0,
            created: thing.created.0,
            head: ChainHead::from(&head.chain).into(),
            history: HistoryView {
                count: head.history.count,
                hash: head.history.hash.to_string(),
                mentions: head.mentions.count,
                fork: head.chain.fork.map(|fork| fork.leaf.0),
            },
            size,
        }
    }
}

impl From<&NextKeys> for NextKeysView {
    fn from(next: &NextKeys) -> Self {
        let commitments = next.keys.iter().map(ToString::to_string).collect();
        Self { threshold: next.threshold, commitments }
    }
}

impl StatusView {
    /// The present one.
    pub fn of(thing: &Thing) -> Self {
        thing.statuses.last().map_or_else(
            || Self { status: thing.status().to_string(), since: thing.created.0, reason: None },
            Self::from,
        )
    }
}

impl From<&StatusChange> for StatusView {
    fn from(change: &StatusChange) -> Self {
        Self {
            status: change.status.to_string(),
            since: change.at.0,
            reason: change.reason.clone(),
        }
    }
}

impl From<&KeyState> for KeyView {
    fn from(key: &KeyState) -> Self {
        Self {
            number: key.number.0,
            algorithm: key.key.algorithm().to_string(),
            key: Base64(codec::encode(&key.key)),
            purposes: key.purposes.names().map(str::to_owned).collect(),
            weight: key.weight,
            from: key.from.0,
            to: key.to.map(|to| to.0),
        }
    }
}
