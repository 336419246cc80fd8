//! Attributes as arguments: `name=value`.

use std::collections::BTreeMap;
use std::str::FromStr;

/// A name and its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Pair {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(Self { name: name.into(), value: value.into() })
            }
            _ => Err("expected NAME=VALUE, such as serial=4711"),
        }
    }
}

impl Pair {
    /// All of them by name; nothing where there are none.
    pub(crate) fn map(pairs: &[Self]) -> Option<BTreeMap<String, String>> {
        let pairs = pairs.iter().map(|pair| (pair.name.clone(), pair.value.clone()));
        Some(pairs.collect()).filter(|map: &BTreeMap<_, _>| !map.is_empty())
    }
}
