//! The runtime as one member sees it: with storage of its own, which can fail.

use super::drive::{self, Drive, File};
use crate::engine::message;
use commonware_runtime::deterministic::Context;
use commonware_runtime::telemetry::metrics::{Metric, Registered};
use commonware_runtime::{
    BlobVersion, Clock, Error, Handle, Metrics, Name, Spawner, Storage, Supervisor, signal,
};
use futures::FutureExt as _;
use governor::clock::{Clock as Measured, ReasonablyRealtime};
use rand_core::{Infallible, TryCryptoRng, TryRng};
use std::fmt;
use std::future::pending;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A member's part of the world.
pub(super) struct Machine {
    context: Context,
    drive: Arc<Drive>,
}

impl Machine {
    pub(super) fn new(context: Context, drive: Arc<Drive>) -> Self {
        Self { context, drive }
    }

    fn with(&self, context: Context) -> Self {
        Self::new(context, Arc::clone(&self.drive))
    }
}

impl Supervisor for Machine {
    fn name(&self) -> Name {
        self.context.name()
    }

    fn child(&self, label: &'static str) -> Self {
        self.with(self.context.child(label))
    }

    fn with_attribute(self, key: &'static str, value: impl fmt::Display) -> Self {
        Self::new(self.context.with_attribute(key, value), self.drive)
    }
}

impl Spawner for Machine {
    fn shared(self, blocking: bool) -> Self {
        Self::new(self.context.shared(blocking), self.drive)
    }

    fn dedicated(self) -> Self {
        Self::new(self.context.dedicated(), self.drive)
    }

    /// A panic ends the member if its storage has failed, as it ends a real engine; any other one is
    /// a fault of the program, and ends the run.
    fn spawn<F, Fut, T>(self, task: F) -> Handle<T>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let Self { context, drive } = self;
        context.spawn(move |context| {
            let machine = Self::new(context, Arc::clone(&drive));
            let work = AssertUnwindSafe(task(machine)).catch_unwind();
            async move {
                match work.await {
                    Ok(result) => result,
                    Err(panic) if drive.has_told() => {
                        drive.fell(message(&*panic));
                        pending().await
                    }
                    Err(panic) => resume_unwind(panic),
                }
            }
        })
    }

    async fn stop(self, value: i32, timeout: Option<Duration>) -> Result<(), Error> {
        self.context.stop(value, timeout).await
    }

    fn stopped(&self) -> signal::Signal {
        self.context.stopped()
    }
}

impl Metrics for Machine {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(
        &self,
        name: N,
        help: H,
        metric: M,
    ) -> Registered<M> {
        self.context.register(name, help, metric)
    }

    fn encode(&self) -> String {
        self.context.encode()
    }
}

impl Clock for Machine {
    fn current(&self) -> SystemTime {
        self.context.current()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.context.sleep(duration)
    }

    fn sleep_until(&self, due: SystemTime) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.context.sleep_until(due)
    }
}

impl Measured for Machine {
    type Instant = SystemTime;

    fn now(&self) -> SystemTime {
        self.current()
    }
}

impl ReasonablyRealtime for Machine {}

impl TryRng for Machine {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.context.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.context.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.context.try_fill_bytes(bytes)
    }
}

impl TryCryptoRng for Machine {}

impl Storage for Machine {
    type Blob = File;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(File, u64, BlobVersion), Error> {
        drive::open(&self.context, &self.drive, (partition, name), versions).await
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        drive::remove(&self.context, &self.drive, partition, name).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        drive::scan(&self.context, &self.drive, partition).await
    }
}
