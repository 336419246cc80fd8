//! What can go wrong, split by who can do something about it.

/// Why objects are not written or read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // Whoever configures it.
    /// The place cannot be one.
    #[error("{0}")]
    Place(String),

    // Whoever keeps the objects.
    /// There is no such object.
    #[error("{path} is not there")]
    Missing {
        /// Its path.
        path: String,
    },
    /// The object is longer than anything that was written.
    #[error("{path} has {length} bytes, which is too many")]
    TooLong {
        /// Its path.
        path: String,
        /// How long it is, bytes.
        length: u64,
    },
    /// The service does not let this program do that.
    #[error("{path} is refused: check the credentials and their rights")]
    Denied {
        /// The object's path.
        path: String,
    },
    /// No answer in time, or one of which nothing follows.
    #[error("{path}: {reason}")]
    Failed {
        /// The object's path.
        path: String,
        /// What the service or the system says.
        reason: String,
    },
}

impl Error {
    pub(crate) fn of(path: &str, error: &object_store::Error) -> Self {
        let path = path.to_owned();
        match error {
            object_store::Error::NotFound { .. } => Self::Missing { path },
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => Self::Denied { path },
            other => Self::Failed { path, reason: chain(other) },
        }
    }
}

/// An error with what caused it, once each.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    text
}
