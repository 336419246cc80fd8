//! Where finalized blocks and their certificates are kept.
//!
//! Page size, section length and compression are part of the stored format: changing one makes
//! an existing store unreadable.

use crate::block::Block;
use crate::error::Error;
use crate::keys::Scheme;
use commonware_consensus::simplex::types::Finalization;
use commonware_cryptography::sha256::Digest;
use commonware_runtime::buffer::paged::{CacheRef, page_size};
use commonware_runtime::{Clock, Metrics, Storage};
use commonware_storage::archive::immutable;
use commonware_utils::{NZU64, NZUsize};
use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use touchmark_batch::BatchLimits;

/// Prefix of every partition of a node that has its directory for itself.
pub(crate) const PREFIX: &str = "order";
/// Buffered per journal before it is written.
pub(crate) const WRITE_BUFFER: NonZeroUsize = NZUsize!(128 * 1024);
/// Read at a time when a journal is replayed.
pub(crate) const REPLAY_BUFFER: NonZeroUsize = NZUsize!(1024 * 1024);
/// Items of a section that is pruned as a whole.
pub(crate) const PRUNABLE_SECTION: NonZeroU64 = NZU64!(1024);

const PHYSICAL_PAGE: u32 = 4096;
const PAGE: NonZeroU16 = page_size(PHYSICAL_PAGE);
const SECTION: NonZeroU64 = NZU64!(65_536);
/// Entries; the table grows with the store. A larger one only takes disk space earlier.
const INITIAL_TABLE: u32 = 1 << 12;
const TABLE_RESIZE_FREQUENCY: u8 = 4;
const TABLE_RESIZE_CHUNK: u32 = 1 << 12;
const VALUE_FILE: u64 = 1 << 30;

/// Certificates by height.
pub(crate) type Certificates<E> = immutable::Archive<E, Digest, Finalization<Scheme, Digest>>;
/// Finalized blocks by height and digest.
pub(crate) type Blocks<E> = immutable::Archive<E, Digest, Arc<Block>>;

/// A page cache of about `bytes`, taken at once.
pub(crate) fn page_cache(bytes: usize) -> CacheRef {
    let pages = bytes / usize::from(PAGE.get());
    CacheRef::new(PAGE, NonZeroUsize::new(pages).unwrap_or(NonZeroUsize::MIN))
}

pub(crate) async fn certificates<E: Clock + Metrics + Storage>(
    context: E,
    prefix: &str,
    cache: &CacheRef,
) -> Result<Certificates<E>, Error> {
    immutable::Archive::init(context, config(prefix, "certificates", cache, ()))
        .await
        .map_err(|error| Error::Store(error.to_string()))
}

pub(crate) async fn blocks<E: Clock + Metrics + Storage>(
    context: E,
    prefix: &str,
    cache: &CacheRef,
    limits: BatchLimits,
) -> Result<Blocks<E>, Error> {
    immutable::Archive::init(context, config(prefix, "blocks", cache, limits))
        .await
        .map_err(|error| Error::Store(error.to_string()))
}

fn config<C>(prefix: &str, name: &str, cache: &CacheRef, codec_config: C) -> immutable::Config<C> {
    let partition = |part: &str| format!("{prefix}-{name}-{part}");
    immutable::Config {
        metadata_partition: partition("metadata"),
        freezer_table_partition: partition("table"),
        freezer_table_initial_size: INITIAL_TABLE,
        freezer_table_resize_frequency: TABLE_RESIZE_FREQUENCY,
        freezer_table_resize_chunk_size: TABLE_RESIZE_CHUNK,
        freezer_key_partition: partition("keys"),
        freezer_key_page_cache: cache.clone(),
        freezer_value_partition: partition("values"),
        freezer_value_target_size: VALUE_FILE,
        // Statements are signatures and digests, which do not compress.
        freezer_value_compression: None,
        ordinal_partition: partition("ordinal"),
        items_per_section: SECTION,
        freezer_key_write_buffer: WRITE_BUFFER,
        freezer_value_write_buffer: WRITE_BUFFER,
        ordinal_write_buffer: WRITE_BUFFER,
        replay_buffer: REPLAY_BUFFER,
        codec_config,
    }
}
