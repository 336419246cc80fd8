//! Batches come from a source, are checked, and go to the ledger.

use super::{Following, NO_PANIC, excerpt};
use crate::node::BATCH;
use crate::pauses::Pauses;
use std::sync::Arc;
use std::time::{Duration, Instant};
use touchmark_api::client::{Client, ClientError};
use touchmark_batch::{Application as _, Batch, Halt};
use touchmark_engine::{Error, Phase};
use touchmark_ledger::StateView as _;
use touchmark_wire::batches::{BatchesError, CertifiedBatches};
use touchmark_wire::certificate::{CertificateError, CommitteeKey, Namespace};
use touchmark_wire::codec::Malformed;
use touchmark_wire::genesis::Committee;
use touchmark_wire::ids::Height;

/// Who waits for a batch is not told in less than this that there is none.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Why nothing came of asking.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The source does not answer, or refuses.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What it answers is not what the network certified.
    #[error("{url} gives false batches: {reason}")]
    False { url: String, reason: String },
    /// The ledger cannot go on.
    #[error(transparent)]
    Ledger(#[from] Halt),
}

/// Follows until all is to end or the ledger gives up.
pub(super) fn run(following: &Following) {
    let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(10));
    while following.goes_on() {
        let (turn, client) = following.sources.now();
        let asked = Instant::now();
        match step(following, client) {
            Ok(News::Batches) => {
                pauses.reset();
                recovered(following, client.base());
            }
            Ok(News::Nothing) => {
                recovered(following, client.base());
                following.lock().newest = following.ledger.finalized();
                // Whoever holds back what the others have looks like this.
                following.sources.pass(turn);
                if asked.elapsed() > AT_ONCE {
                    pauses.reset();
                } else {
                    following.pause(pauses.longer());
                }
            }
            Err(Failure::Ledger(halt)) => {
                following.end(Phase::Failed(Error::Halted(halt)));
                return;
            }
            Err(failure) => {
                failed(following, &failure);
                following.sources.pass(turn);
                following.pause(pauses.longer());
            }
        }
    }
}

/// What asking led to.
enum News {
    Batches,
    Nothing,
}

/// Asks once, and takes what comes.
fn step(following: &Following, client: &Client) -> Result<News, Failure> {
    let tip = following.store.snapshot().tip();
    let next = Height(tip.batch.height().0.saturating_add(1));
    let Some(bytes) = client.batches(next)? else { return Ok(News::Nothing) };
    let committee = following.ledger.committee(next);
    let committee = committee.ok_or_else(|| Halt("nobody certifies the next batch".into()))?;
    let network = Namespace::of(&following.genesis.network_id());
    let Taken { batches, headers, certificate } = checked(&bytes, &tip.batch, &network, &committee)
        .map_err(|error| Failure::False { url: client.base().into(), reason: error.to_string() })?;
    let height = Height(tip.batch.height().0 + headers.len() as u64);
    following.lock().newest = height;
    if !following.goes_on() {
        return Ok(News::Nothing);
    }
    following
        .store
        .keep_certificate(height, &certificate)
        .map_err(|error| Halt(error.to_string()))?;
    *following.ahead.lock().expect(NO_PANIC) = (next, headers);
    for batch in batches {
        // After the end the folder is somebody else's.
        if !following.goes_on() {
            break;
        }
        following.ledger.deliver(batch)?;
        // Whoever waits has either seen the batch or hears of it.
        drop(following.lock());
        following.changed.notify_all();
    }
    Ok(News::Batches)
}

/// Why an answer is not taken.
#[derive(Debug, thiserror::Error)]
enum Untaken {
    #[error("the answer is malformed: {0}")]
    Answer(Malformed),
    #[error("the committee's key is none: {0}")]
    Key(CertificateError),
    #[error(transparent)]
    Chain(#[from] BatchesError),
    #[error("the leaves of a batch are not those of its header: {0}")]
    Body(Malformed),
}

/// What an answer brings.
struct Taken {
    batches: Vec<Arc<Batch>>,
    /// Theirs, and those after them up to the certified one.
    headers: Vec<Vec<u8>>,
    certificate: Vec<u8>,
}

/// Takes an answer apart: what `committee` certified to follow after `last`.
fn checked(
    bytes: &[u8],
    last: &Batch,
    network: &Namespace,
    committee: &Committee,
) -> Result<Taken, Untaken> {
    let page = CertifiedBatches::decode(bytes).map_err(Untaken::Answer)?;
    let key = CommitteeKey::parse(&committee.certificate_key.0).map_err(Untaken::Key)?;
    page.verify(last.height(), last.digest(), network, &key)?;
    let batches = page.batches.iter().map(|batch| {
        let (header, body) = (batch.header.to_vec(), batch.body.to_vec());
        Batch::from_parts(header, body, BATCH).map(Arc::new).map_err(Untaken::Body)
    });
    let batches = batches.collect::<Result<_, _>>()?;
    let own = page.batches.iter().map(|batch| batch.header);
    let headers = own.chain(page.headers.iter().map(|header| header.0)).map(<[u8]>::to_vec);
    let certificate = page.certificate.to_vec();
    Ok(Taken { batches, headers: headers.collect(), certificate })
}

fn recovered(following: &Following, url: &str) {
    let mut standing = following.lock();
    standing.failures = 0;
    if standing.failing.take().is_some() {
        tracing::info!(%url, "the log is followed again");
    }
}

fn failed(following: &Following, failure: &Failure) {
    let reason = excerpt(failure);
    let mut standing = following.lock();
    standing.failures = standing.failures.saturating_add(1);
    if standing.failing.as_ref() != Some(&reason) {
        tracing::warn!(%reason, "a source gives nothing");
    }
    standing.failing = Some(reason);
}
