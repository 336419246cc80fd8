//! Cards: what an application needs to know of one, and what became of a tap.

use crate::{Base64, KeyView, StatusView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use touchmark_core::entry::{Attributes, Counter, Purposes, Thing};
use touchmark_core::refusal::Outcome;
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::{EvidenceFormat, RefusalCode};

/// Attribute of a card with the address of the page about what it stands for.
pub const URL_ATTRIBUTE: &str = "url";
/// Attribute of a card with the id of the thing that it is fixed to.
pub const THING_ATTRIBUTE: &str = "thing";
/// Attribute of a card that says `required` where a person has to sign in first.
pub const LOGIN_ATTRIBUTE: &str = "login";

/// A card as an application sees it that its URL leads to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CardView {
    /// Its id.
    pub id: String,
    /// What it stands for: `card`, for a thing that signs evidence itself another kind.
    pub kind: String,
    /// Its present status.
    pub status: StatusView,
    /// Page about what it stands for: its attribute `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The thing that it is fixed to: its attribute `thing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing: Option<String>,
    /// Whether a person has to sign in before data is shown: its attribute `login` is `required`.
    pub login_required: bool,
    /// The key that signs its evidence now; none when it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyView>,
    /// The last counter that was used, for each format of evidence.
    pub counters: BTreeMap<String, CounterView>,
    /// Size of the log that this answer is about.
    pub size: u64,
}

/// A usage counter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CounterView {
    /// The highest value that was used.
    pub value: u64,
    /// Leaf that used it.
    pub at: u64,
}

impl CardView {
    /// Puts the entries of a card together.
    pub fn new(
        id: ThingId,
        thing: &Thing,
        attributes: Attributes,
        counters: impl IntoIterator<Item = (EvidenceFormat, Counter)>,
        size: u64,
    ) -> Self {
        let mut attributes = attributes.0;
        let key = thing.keys.iter().rev().find(|key| key.purposes.contains(Purposes::EVIDENCE));
        let counter = |(format, counter): (EvidenceFormat, Counter)| {
            (format.to_string(), CounterView { value: counter.value, at: counter.at.0 })
        };
        Self {
            id: id.to_string(),
            kind: thing.kind.to_string(),
            status: StatusView::of(thing),
            url: attributes.remove(URL_ATTRIBUTE),
            thing: attributes.remove(THING_ATTRIBUTE),
            login_required: attributes.get(LOGIN_ATTRIBUTE).is_some_and(|it| it == "required"),
            key: key.map(KeyView::from),
            counters: counters.into_iter().map(counter).collect(),
            size,
        }
    }
}

/// What to do with a tap.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tap {
    /// The whole URL that the card presented.
    pub url: String,
    /// What to do.
    pub action: TapAction,
}

/// What to do with a tap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TapAction {
    /// Judge it; nothing is written.
    Validate,
    /// Use its counter up, if it is genuine.
    Update,
}

/// What a tap is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TapVerdict {
    /// The card signed this URL, may act, and its counter was not used before.
    Genuine,
    /// The URL, or a later one, was used before.
    Replayed,
    /// The card did not sign this URL.
    Forged,
    /// There is no such card here.
    Unknown,
    /// The card signed this URL, but is not authorised: stolen, lost, disabled and so on.
    Revoked,
}

/// The verdict on a tap, with its reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TapView {
    /// What it is worth.
    pub verdict: TapVerdict,
    /// What was done.
    pub action: TapAction,
    /// The card that the URL names.
    pub card: String,
    /// The counter that it names.
    pub counter: u64,
    /// Stable code of why it is not genuine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Leaf of this tap: after an update, or of the first use of the same URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// After an update: a COSE receipt (RFC 9942) that the leaf is in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Base64>,
    /// Size of the log that the verdict is about.
    pub size: u64,
}

impl TapVerdict {
    /// The verdict that an outcome is; `None` when it says nothing about the tap.
    pub fn of(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::Accepted(_) => Some(Self::Genuine),
            Outcome::Known(_) => Some(Self::Replayed),
            Outcome::Sighted(..) => Some(Self::Revoked),
            Outcome::Refused(refusal) | Outcome::Denied(_, refusal) => match refusal.code {
                RefusalCode::REPLAYED => Some(Self::Replayed),
                RefusalCode::FORGED => Some(Self::Forged),
                RefusalCode::UNKNOWN_THING | RefusalCode::PURPOSE => Some(Self::Unknown),
                RefusalCode::REVOKED => Some(Self::Revoked),
                _ => None,
            },
            Outcome::Forked(..) => None,
        }
    }
}
