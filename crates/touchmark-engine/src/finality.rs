//! Proof that a batch is final.

use crate::delivery::Marshal;
use crate::engine::{self, FOLDER, STORE};
use crate::error::Error;
use crate::order::Runtime;
use crate::storage::{self, Blocks, Certificates};
use commonware_codec::Encode as _;
use commonware_consensus::types::Height as EngineHeight;
use commonware_runtime::{Runner as _, tokio};
use commonware_storage::archive::{Archive as _, Identifier};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use touchmark_batch::BatchLimits;
use touchmark_wire::ids::Height;

/// How many heights may lie between a batch and the certificate that covers it. Members certify
/// most batches themselves; only views that raced ahead leave some to a descendant.
const LONGEST_CHAIN: u64 = 256;

/// Memory for the pages of a store that is read once, bytes.
const CACHE: usize = 1 << 20;

/// A certificate and the headers that lead to what it certifies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finality {
    /// Finalization as the committee signed it: epoch, view and parent view as varints, the
    /// 32-byte digest of the last header, and a 48-byte signature (a compressed point of G1).
    /// Two certificates of one batch may differ: compare what they certify, never their bytes.
    pub certificate: Vec<u8>,
    /// Encoded headers from the asked height up to the certified one. The first is the asked
    /// batch's; each names the one before it as its parent.
    pub headers: Vec<Vec<u8>>,
}

impl Finality {
    /// As [`Engine::finality`](crate::Engine::finality), from what an engine that does not run
    /// left in `directory`. `None` also if none ever ran there. `limits` are those that it ran
    /// with.
    ///
    /// A batch is delivered only after its certificate, or that of a descendant, is on the disk;
    /// a crash in between can leave the batch alone, until the next start signs it again.
    pub fn archived(
        directory: &Path,
        limits: BatchLimits,
        height: Height,
    ) -> Result<Option<Self>, Error> {
        let found = read(directory, limits, async |archives| find(&archives, height).await)?;
        Ok(found.flatten())
    }
}

/// Whether an engine that does not run has ordered the batch of `height` in `directory`: what is
/// delivered was ordered before, so one that lacks it was set back, or is another's. `limits` are
/// those that it ran with.
pub fn has_ordered(directory: &Path, limits: BatchLimits, height: Height) -> Result<bool, Error> {
    let header = read(directory, limits, async |archives| archives.header(height).await)?;
    Ok(header.flatten().is_some())
}

/// Reads what an engine that does not run left in `directory`; none if none ever ran there.
fn read<T>(
    directory: &Path,
    limits: BatchLimits,
    look: impl AsyncFnOnce(Archives<tokio::Context>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let directory = directory.join(FOLDER);
    if !directory.join(STORE).exists() {
        return Ok(None);
    }
    let _held_until_the_runtime_is_gone = engine::lock(&directory)?;
    let runtime =
        tokio::Config::new().with_storage_directory(directory.join(STORE)).with_worker_threads(1);
    let read = || {
        tokio::Runner::new(runtime)
            .start(|context| async move { look(Archives::open(&context, limits).await?).await })
    };
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Err(Error::Store(engine::message(&*panic))))
        .map(Some)
}

/// Where headers and certificates of final batches are looked up.
pub(crate) trait Finalized {
    /// The encoded header of a batch.
    fn header(&self, height: Height)
    -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;

    /// The encoded certificate of a batch itself.
    fn certificate(
        &self,
        height: Height,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;
}

/// Looks up the nearest certificate at or above `height`. `None` if there is none yet.
pub(crate) async fn find(
    finalized: &impl Finalized,
    height: Height,
) -> Result<Option<Finality>, Error> {
    let mut headers = Vec::new();
    for height in (height.0..=height.0.saturating_add(LONGEST_CHAIN)).map(Height) {
        let Some(header) = finalized.header(height).await? else {
            return Ok(None);
        };
        headers.push(header);
        if let Some(certificate) = finalized.certificate(height).await? {
            return Ok(Some(Finality { certificate, headers }));
        }
    }
    Ok(None)
}

impl Finalized for Marshal {
    async fn header(&self, height: Height) -> Result<Option<Vec<u8>>, Error> {
        let block = self.get_block(EngineHeight::new(height.0)).await;
        Ok(block.map(|block| block.inner().batch().header_bytes().to_vec()))
    }

    async fn certificate(&self, height: Height) -> Result<Option<Vec<u8>>, Error> {
        let finalization = self.get_finalization(EngineHeight::new(height.0)).await;
        Ok(finalization.map(|finalization| finalization.encode().to_vec()))
    }
}

/// The store of an engine that does not run.
struct Archives<E: Runtime> {
    blocks: Blocks<E>,
    certificates: Certificates<E>,
}

impl<E: Runtime> Archives<E> {
    async fn open(context: &E, limits: BatchLimits) -> Result<Self, Error> {
        let (prefix, cache) = (storage::PREFIX, storage::page_cache(CACHE));
        Ok(Self {
            blocks: storage::blocks(context.child("blocks"), prefix, &cache, limits).await?,
            certificates: storage::certificates(context.child("certificates"), prefix, &cache)
                .await?,
        })
    }
}

impl<E: Runtime> Finalized for Archives<E> {
    async fn header(&self, height: Height) -> Result<Option<Vec<u8>>, Error> {
        let block =
            self.blocks.get(Identifier::Index(height.0)).await.map_err(|error| fails(&error))?;
        Ok(block.map(|block| block.batch().header_bytes().to_vec()))
    }

    async fn certificate(&self, height: Height) -> Result<Option<Vec<u8>>, Error> {
        let found = self
            .certificates
            .get(Identifier::Index(height.0))
            .await
            .map_err(|error| fails(&error))?;
        Ok(found.map(|finalization| finalization.encode().to_vec()))
    }
}

fn fails(error: &commonware_storage::archive::Error) -> Error {
    Error::Store(error.to_string())
}
