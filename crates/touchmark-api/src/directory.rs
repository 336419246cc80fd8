//! A thing as an organisation's directory lists it.

use crate::{KeyView, StatusView, ThingView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use touchmark_core::roster::{self, Member, NUMBER, SERIAL};

/// One line of a directory. It is the same whether a node was asked or the log was followed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DirectoryEntry {
    /// Progressive number, per organisation and kind; absent for what was registered without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Thing id.
    pub id: String,
    /// What it stands for.
    pub kind: String,
    /// The chip's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The present status, since when and why.
    pub status: StatusView,
    /// The other attributes.
    pub specification: BTreeMap<String, String>,
    /// The valid keys; a revoked thing has none.
    pub keys: Vec<KeyView>,
    /// Leaf that registered it.
    pub created: u64,
}

impl DirectoryEntry {
    fn new(view: Self, mut attributes: BTreeMap<String, String>) -> Self {
        let number = attributes.get(NUMBER).and_then(|text| roster::number(text));
        if number.is_some() {
            attributes.remove(NUMBER);
        }
        let serial = attributes.remove(SERIAL);
        Self { number, serial, specification: attributes, ..view }
    }
}

impl From<&ThingView> for DirectoryEntry {
    fn from(view: &ThingView) -> Self {
        let entry = Self {
            number: None,
            id: view.id.clone(),
            kind: view.kind.clone(),
            serial: None,
            status: view.status.clone(),
            specification: BTreeMap::new(),
            keys: view.keys.clone(),
            created: view.created,
        };
        Self::new(entry, view.attributes.clone())
    }
}

impl From<Member<'_>> for DirectoryEntry {
    fn from(member: Member<'_>) -> Self {
        let thing = member.thing;
        let entry = Self {
            number: None,
            id: member.id.to_string(),
            kind: thing.kind.to_string(),
            serial: None,
            status: StatusView::of(thing),
            specification: BTreeMap::new(),
            keys: thing.keys.iter().map(KeyView::from).collect(),
            created: thing.created.0,
        };
        let attributes = member.attributes.cloned().unwrap_or_default();
        Self::new(entry, attributes.0)
    }
}
