//! What an answer rests on.

use serde::{Serialize, Serializer};

/// What an answer rests on; the names are the same whichever command gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Assurance {
    /// The order engine's certificate by the committee.
    Certificate,
    /// Cosignatures of validators.
    Cosigned,
    /// Receipts of validators.
    Receipts,
    /// Nodes of a list that say the same. It proves nothing to anybody else.
    Agreement,
    /// Nothing: the answer is negative.
    None,
}

impl Assurance {
    /// As it stands in JSON.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Cosigned => "cosigned",
            Self::Receipts => "receipts",
            Self::Agreement => "agreement",
            Self::None => "none",
        }
    }
}

impl Serialize for Assurance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
