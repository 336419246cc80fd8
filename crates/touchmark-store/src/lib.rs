//! The store room: the log's tiles, the state, indexes and erasable payloads, on an embedded
//! key-value engine that only this crate names.
//!
//! [`Store`] implements what the ledger asks for ([`touchmark_ledger::Durable`]): a commit writes
//! a batch with everything that follows from it in one atomic, synced write. Everyone else reads a
//! [`Snapshot`]: the store as one batch left it. No reader scans; lists are read page by page with
//! a cursor.
//!
//! What a table's keys and values mean stands at the head of the module that writes it:
//! `log` (leaves, batches; `run`: rows of neighbouring leaves), `tile` (the log's tree), `state` (entries, trie pages), `statement`
//! (chains, ids), `event`, `history` (leaves of things), `catalog` (lists of things), `channel` (the
//! same of channels), `attribute` (search), `certificate` (of batches that others gave), `sealed` (how
//! much of the log is kept elsewhere).
//!
//! Old leaves can be kept elsewhere ([`SealedLog`]): [`Store::seal`] brings them there, and every
//! reader reads them as if they were here.
//!
//! A [`Store::backup`] copies a running store into a folder that [`VerifiedBackup::check`] checks
//! without a store; [`VerifiedBackup::restore`] makes a store of it.
//!
//! [`rebuild`] makes everything but the log's leaves, batches and certificates anew from these. A [`Replay`] makes
//! it from leaves alone, wherever they come from.
//!
//! When a write fails, because the disk is full for example, nothing is written until the next
//! start and [`Store::halted`] says why; reading goes on.
#![warn(missing_docs)]

mod attribute;
mod backup;
mod bundle;
mod cache;
mod catalog;
mod certificate;
mod channel;
mod database;
mod dump;
mod error;
mod event;
mod folder;
mod history;
mod lock;
mod log;
mod manifest;
mod number;
mod order;
mod payload;
mod reading;
mod rebuild;
mod replay;
mod run;
mod sealed;
mod snapshot;
mod state;
mod statement;
mod store;
mod tile;
mod tip;

pub use attribute::{Match, Search, Value};
pub use backup::{VerifiedBackup, begin_backup};
pub use cache::CacheLimits;
pub use catalog::{ListedThing, Listing};
pub use channel::{ChannelListing, ListedChannel};
pub use error::Error;
pub use event::EventAddress;
pub use lock::Lock;
pub use log::StoredBatch;
pub use manifest::{BackupFile, Manifest};
pub use order::Order;
pub use payload::{Erased, Kept, Payload};
pub use reading::{Purpose, Reading};
pub use rebuild::{Progress, Rebuilt, rebuild};
pub use replay::{Replay, ReplayFailure};
pub use sealed::{SealedLog, SealedStatus};
pub use snapshot::{Counts, Snapshot};
pub use statement::ChainedStatement;
pub use store::Store;
pub use tile::TILE_WIDTH;

#[cfg(test)]
mod tests;
