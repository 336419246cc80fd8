//! Why a card did not do what it was asked for.

use crate::apdu::Status;
use crate::transport::TransportError;
use core::fmt;

/// Why a card did not do what it was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// The card says no.
    Refused {
        /// What was tried.
        during: &'static str,
        /// What it said.
        status: Status,
    },
    /// The card answers what no card of this profile does.
    Answer(&'static str),
    /// The caller's: a command cannot be that long.
    TooLong,
    /// The way to the card.
    Transport(TransportError),
}

impl ClientError {
    pub(super) const fn refused(during: &'static str, status: Status) -> Self {
        Self::Refused { during, status }
    }

    /// What the card said, if it refused.
    pub const fn status(&self) -> Option<Status> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { during, status } => {
                write!(f, "the card refused to {during}: {status}")
            }
            Self::Answer(what) => f.write_str(what),
            Self::TooLong => f.write_str("a command cannot be that long"),
            Self::Transport(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ClientError {}
