//! Where statements and evidence are in the log.
//!
//! ```text
//! place        issuer (20) ‖ channel (20 zero bytes for the main chain) ‖ sequence (4)
//!                                      ->  leaf index (8) ‖ statement id (32)
//! submission   statement id or evidence id (32)  ->  leaf index (8)
//! evidence     evidence id (32)                  ->  leaf index (8)
//! ```

use crate::database::{Table, Write};
use crate::error::Error;
use crate::number;
use crate::snapshot::Snapshot;
use std::ops::Bound;
use touchmark_ledger::Execution;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, EvidenceId, LeafIndex, Sequence, StatementId, ThingId};

/// A statement's place in a chain and in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChainedStatement {
    /// Place in the chain.
    pub sequence: Sequence,
    /// Place in the log.
    pub leaf: LeafIndex,
    /// Which statement.
    pub id: StatementId,
}

pub(crate) fn write(write: &mut Write<'_>, execution: &Execution) {
    for ((issuer, channel, sequence), (leaf, id)) in &execution.places {
        let stored = number::join(&[&leaf.0.to_be_bytes(), &id.0.0]);
        write.put(Table::Place, place_key(*issuer, *channel, *sequence).to_vec(), stored);
    }
    for (id, leaf) in &execution.evidence {
        write.put(Table::Evidence, id.0.0, number::bytes(leaf.0));
    }
    for happened in &execution.happened {
        write.put(Table::Submission, happened.submission.0, number::bytes(happened.leaf.0));
    }
}

const PLACE_LEN: usize = 44;

fn place_key(issuer: ThingId, channel: Option<ChannelId>, sequence: Sequence) -> [u8; PLACE_LEN] {
    let mut key = [0; PLACE_LEN];
    key[..20].copy_from_slice(&issuer.0);
    // A channel's id is a hash, so it is never the zeroes of the main chain.
    key[20..40].copy_from_slice(&channel.unwrap_or_default().0);
    key[40..].copy_from_slice(&sequence.0.to_be_bytes());
    key
}

fn read_place(stored: &[u8]) -> Result<(LeafIndex, StatementId), Error> {
    let corrupt = || Error::Corrupt("place of a statement");
    let (leaf, id) = stored.split_first_chunk().ok_or_else(corrupt)?;
    let id = id.try_into().map_err(|_| corrupt())?;
    Ok((LeafIndex(u64::from_be_bytes(*leaf)), StatementId(Digest(id))))
}

impl Snapshot {
    /// The statement at a place of a chain.
    pub fn statement_in_chain(
        &self,
        issuer: ThingId,
        channel: Option<ChannelId>,
        sequence: Sequence,
    ) -> Result<Option<ChainedStatement>, Error> {
        let stored = self.database().get(Table::Place, &place_key(issuer, channel, sequence))?;
        let Some(stored) = stored else {
            return Ok(None);
        };
        let (leaf, id) = read_place(&stored)?;
        Ok(Some(ChainedStatement { sequence, leaf, id }))
    }

    /// Statements of a chain from a place on, in order, at most `limit`.
    pub fn chain(
        &self,
        issuer: ThingId,
        channel: Option<ChannelId>,
        from: Sequence,
        limit: usize,
    ) -> Result<Vec<ChainedStatement>, Error> {
        let first = place_key(issuer, channel, from);
        let last = place_key(issuer, channel, Sequence(u32::MAX));
        let bounds = (Bound::Included(&first[..]), Bound::Included(&last[..]));
        let rows = self.database().range(Table::Place, bounds).take(limit);
        rows.map(|row| {
            let (key, stored) = row?;
            let (_, sequence) =
                key.split_last_chunk().ok_or(Error::Corrupt("place of a statement"))?;
            let (leaf, id) = read_place(&stored)?;
            Ok(ChainedStatement { sequence: Sequence(u32::from_be_bytes(*sequence)), leaf, id })
        })
        .collect()
    }

    /// The leaf of a statement, whether it was accepted, denied, sighted or the second of a fork.
    pub fn statement(&self, id: StatementId) -> Result<Option<LeafIndex>, Error> {
        self.leaf_at(Table::Submission, id.0)
    }

    /// The leaf in which evidence is first, bare or wrapped.
    pub fn evidence_leaf(&self, id: EvidenceId) -> Result<Option<LeafIndex>, Error> {
        self.leaf_at(Table::Evidence, id.0)
    }

    fn leaf_at(&self, table: Table, id: Digest) -> Result<Option<LeafIndex>, Error> {
        let Some(stored) = self.database().get(table, &id.0)? else {
            return Ok(None);
        };
        number::read(&stored).map(|leaf| Some(LeafIndex(leaf))).ok_or(Error::Corrupt("list of ids"))
    }
}
