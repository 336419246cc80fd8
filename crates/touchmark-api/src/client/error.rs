//! Why a request gave no answer, by who is to blame.

use crate::Problem;

/// Why a request gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The caller's: not the address of a node.
    #[error("`{url}` is not the address of a node")]
    Address {
        /// What was given.
        url: String,
    },
    /// The caller's, by the node's word: it says why, and with what code.
    #[error(transparent)]
    Refused(Box<Problem>),
    /// The network's, or nobody listens there. Sending the same again is safe.
    #[error("no answer from {url}: {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The other side's: it is no node, or of another version.
    #[error("{url} answers what no node does: {reason}")]
    Answer {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ClientError {
    pub(super) fn from_transport(url: &str, error: &ureq::Error) -> Self {
        let url = url.to_owned();
        match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => Self::Address { url },
            ureq::Error::Protocol(_)
            | ureq::Error::BodyExceedsLimit(_)
            | ureq::Error::LargeResponseHeader(..) => {
                Self::Answer { url, reason: error.to_string() }
            }
            ureq::Error::TlsRequired | ureq::Error::Tls(_) => {
                let reason =
                    "this build speaks no TLS; use http:// to a node or proxy nearby".into();
                Self::Unreachable { url, reason }
            }
            _ => Self::Unreachable { url, reason: error.to_string() },
        }
    }
}
