//! What a log has.

use std::collections::BTreeMap;
use touchmark_wire::leaf::Leaf;
use touchmark_wire::registry::RefusalCode;
use touchmark_wire::statement::Statement;

/// Leaves by what they are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// All of them.
    pub leaves: u64,
    /// Batches that left leaves.
    pub batches: u64,
    /// Accepted statements, by what they do.
    pub statements: BTreeMap<String, u64>,
    /// Denied statements, by code.
    pub denied: BTreeMap<String, u64>,
    /// Forks of chains.
    pub forks: u64,
    /// Evidence that counted without a statement around it.
    pub evidence: u64,
    /// Sightings, by code.
    pub sightings: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts a leaf.
    pub(super) fn add(&mut self, leaf: &[u8]) {
        self.leaves += 1;
        let code = |code: u16| RefusalCode(code).to_string();
        match Leaf::decode(leaf) {
            Ok(Leaf::Accepted(statement)) => {
                let kind =
                    Statement::parse(statement).map(|it| it.protected().link.kind.to_string());
                *self.statements.entry(kind.unwrap_or_default()).or_default() += 1;
            }
            Ok(Leaf::Denied { code: why, .. }) => *self.denied.entry(code(why)).or_default() += 1,
            Ok(Leaf::Sighting { code: why, .. }) => {
                *self.sightings.entry(code(why)).or_default() += 1;
            }
            Ok(Leaf::Fork { .. }) => self.forks += 1,
            Ok(Leaf::Evidence(_)) => self.evidence += 1,
            Ok(Leaf::Batch(_)) => self.batches += 1,
            Err(_) => {}
        }
    }

    /// Accepted statements.
    pub fn accepted(&self) -> u64 {
        self.statements.values().sum()
    }
}
