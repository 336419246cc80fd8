//! Writing and reading, many at a time.

use crate::error::Error;
use crate::place::Place;
use object_store::path::Path;
use object_store::{GetResult, ObjectStore, ObjectStoreExt as _, PutPayload};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

/// The objects of one place.
pub struct Objects {
    /// There until the end.
    runtime: Option<Runtime>,
    client: Client,
    closed: AtomicBool,
}

/// What a request needs.
#[derive(Clone)]
struct Client {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Longest object, bytes.
    limit: u64,
    /// Requests at once: who writes much does not keep readers waiting.
    reading: Arc<Semaphore>,
    writing: Arc<Semaphore>,
}

/// Requests at once that read.
const READING: usize = 32;
/// Requests at once that write.
const WRITING: usize = 8;
/// How often somebody who waits looks whether it is of use.
const GLANCE: Duration = Duration::from_millis(100);
/// Time for one object, tries and waits for a place included.
const PATIENCE: Duration = Duration::from_secs(15);

impl Objects {
    /// The objects at a place, below `folder` there; longer ones than `limit` bytes are not read.
    /// Asks nobody yet.
    pub fn open(place: &Place, folder: &str, limit: u64) -> Result<Self, Error> {
        let (store, prefix) = place.open()?;
        let prefix = folder.split('/').filter(|part| !part.is_empty()).fold(prefix, Path::join);
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .thread_name("objects")
            .build()
            .map_err(|error| Error::Place(format!("no thread can be started: {error}")))?;
        let reading = Arc::new(Semaphore::new(READING));
        let writing = Arc::new(Semaphore::new(WRITING));
        let client = Client { store, prefix, limit, reading, writing };
        Ok(Self { runtime: Some(runtime), client, closed: AtomicBool::new(false) })
    }

    /// Reads objects; what became of each, in order.
    pub fn read(&self, paths: &[String]) -> Vec<Result<Vec<u8>, Error>> {
        let requests = paths.iter().cloned().map(|path| {
            let client = self.client.clone();
            async move { client.within(&path, &client.reading, client.get(&path)).await }
        });
        let ended = self.run(requests).into_iter().zip(paths);
        ended.map(|(end, path)| end.unwrap_or_else(|| Err(closed(path)))).collect()
    }

    /// Writes objects, in the place of those that are there; returns when the service has all of
    /// them.
    pub fn write(&self, objects: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
        let requests = objects.into_iter().map(|(path, bytes)| {
            let client = self.client.clone();
            async move { client.within(&path, &client.writing, client.put(&path, bytes)).await }
        });
        let mut ended = self.run(requests).into_iter();
        ended.try_for_each(|end| end.unwrap_or_else(|| Err(closed("what was to be written"))))
    }

    /// Ends all waits, now and from now on: whoever waits is told that it failed.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Has all of them run at once, and waits; `None` of what is not waited for any more.
    fn run<T: Send + 'static>(
        &self,
        requests: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
    ) -> Vec<Option<T>> {
        let runtime = self.runtime.as_ref().expect("it is taken at the end only");
        let started: Vec<_> = requests
            .map(|request| {
                let (tell, told) = mpsc::sync_channel(1);
                runtime.spawn(async move {
                    // Nobody listens any more, perhaps.
                    let _ = tell.send(request.await);
                });
                told
            })
            .collect();
        started.into_iter().map(|told| self.wait(&told)).collect()
    }

    fn wait<T>(&self, told: &Receiver<T>) -> Option<T> {
        loop {
            match told.recv_timeout(GLANCE) {
                Ok(end) => return Some(end),
                Err(RecvTimeoutError::Timeout) if !self.closed.load(Ordering::Relaxed) => {}
                Err(_) => return None,
            }
        }
    }
}

fn closed(path: &str) -> Error {
    Error::Failed { path: path.into(), reason: "the program ends".into() }
}

impl Drop for Objects {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed everywhere.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").field("prefix", &self.client.prefix).finish_non_exhaustive()
    }
}

impl Client {
    /// Waits for a place among the requests, then for the request, in all for as long as patience
    /// lasts.
    async fn within<T>(
        &self,
        path: &str,
        places: &Semaphore,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let turn = async {
            let _place = places.acquire().await.expect("it is never closed");
            request.await
        };
        let late = |_| Error::Failed {
            path: path.into(),
            reason: format!("no answer within {} s", PATIENCE.as_secs()),
        };
        tokio::time::timeout(PATIENCE, turn).await.map_err(late)?
    }

    async fn get(&self, path: &str) -> Result<Vec<u8>, Error> {
        let failed = |error| Error::of(path, &error);
        let found: GetResult = self.store.get(&self.at(path)).await.map_err(failed)?;
        let length = found.meta.size;
        if length > self.limit {
            return Err(Error::TooLong { path: path.into(), length });
        }
        Ok(found.bytes().await.map_err(failed)?.to_vec())
    }

    async fn put(&self, path: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let put = self.store.put(&self.at(path), PutPayload::from(bytes)).await;
        put.map(drop).map_err(|error| Error::of(path, &error))
    }

    fn at(&self, path: &str) -> Path {
        path.split('/').fold(self.prefix.clone(), Path::join)
    }
}
