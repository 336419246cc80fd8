//! Where objects are.

use crate::error::Error;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Where objects are, and how to get there.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// `s3://BUCKET`, `s3://BUCKET/PREFIX`, or `file:///FOLDER`, a folder that is there.
    pub url: String,
    /// The service's URL; AWS's own without it.
    pub endpoint: Option<String>,
    /// The service's region.
    pub region: Option<String>,
    /// Environment variables: those that begin with `AWS_` are read as AWS's own programs read them.
    pub variables: BTreeMap<String, String>,
}

impl fmt::Debug for Place {
    /// Without the variables: secrets are among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("url", &self.url)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Time to find the service and shake hands.
const CONNECT: Duration = Duration::from_secs(5);
/// Time for a request.
const REQUEST: Duration = Duration::from_secs(10);

impl Place {
    /// What is there, and the path before that of every object.
    pub(crate) fn open(&self) -> Result<(Arc<dyn ObjectStore>, Path), Error> {
        if let Some(rest) = self.url.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let is_name = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-' | b'_');
            if bucket.is_empty() || !bucket.bytes().all(is_name) {
                return Err(Error::Place("after s3:// comes the name of a bucket".into()));
            }
            let prefix = Path::parse(prefix.trim_end_matches('/'));
            let prefix = prefix.map_err(|error| Error::Place(error.to_string()))?;
            return Ok((self.bucket(bucket)?, prefix));
        }
        if let Some(folder) = self.url.strip_prefix("file://").filter(|it| it.starts_with('/')) {
            // One that is made here could be on the disk below a missing mount.
            let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| {
                Error::Place(format!("the folder {folder} cannot be used: {error}"))
            })?;
            return Ok((Arc::new(store.with_fsync(true)), Path::default()));
        }
        Err(Error::Place("a place is s3://BUCKET, s3://BUCKET/PREFIX or file:///FOLDER".into()))
    }

    fn bucket(&self, bucket: &str) -> Result<Arc<dyn ObjectStore>, Error> {
        let mut builder = AmazonS3Builder::new();
        let own = self.variables.iter().filter(|(name, _)| name.starts_with("AWS_"));
        let known = own.filter_map(|(name, value)| {
            let key: AmazonS3ConfigKey = name.to_ascii_lowercase().parse().ok()?;
            Some((key, value))
        });
        for (key, value) in known {
            builder = builder.with_config(key, value);
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
        // Secrets are in variables, and this is shown.
        if endpoint.as_ref().is_some_and(|endpoint| endpoint.contains('@')) {
            return Err(Error::Place("a service's URL has no user in it".into()));
        }
        // Objects are public and checked, and credentials are not sent: they sign.
        let is_plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        let options = ClientOptions::new()
            .with_allow_http(is_plain)
            .with_connect_timeout(CONNECT)
            .with_timeout(REQUEST);
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            base: 2.0,
        };
        let retry = RetryConfig { backoff, max_retries: 2, retry_timeout: REQUEST };
        let built = builder
            .with_bucket_name(bucket)
            .with_client_options(options)
            .with_retry(retry)
            .build()
            .map_err(|error| Error::Place(error.to_string()))?;
        Ok(Arc::new(built))
    }
}
