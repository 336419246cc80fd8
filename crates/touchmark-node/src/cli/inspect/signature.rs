//! Signatures, checked where a key is at hand.

use crate::cli::sheet::Sheet;
use touchmark_wire::algorithm::{PublicKey, PureVerifier, SignatureVerifier as _, SignedBytes};

/// What is known of a signature; the text says whose.
pub(super) enum Signature {
    /// It verifies.
    Right(String),
    /// It does not verify under a key that it should.
    Wrong(String),
    /// No key to check it with.
    Unchecked(String),
}

impl Signature {
    /// Checks a signature that should be by one of `keys`.
    pub(super) fn check(
        whose: String,
        keys: &[PublicKey],
        message: &SignedBytes<'_>,
        signature: &[u8],
    ) -> Self {
        let verifies = |key: &PublicKey| PureVerifier.verify(key, message, signature).is_ok();
        if keys.is_empty() {
            Self::Unchecked(whose)
        } else if keys.iter().any(verifies) {
            Self::Right(whose)
        } else {
            Self::Wrong(whose)
        }
    }

    pub(super) fn sheet(&self) -> Sheet {
        let (whose, result) = match self {
            Self::Right(whose) => (whose, "verifies"),
            Self::Wrong(whose) => (whose, "does NOT verify under the key at hand"),
            Self::Unchecked(whose) => (whose, "not checked: give the public key with --key"),
        };
        let mut sheet = Sheet::default();
        sheet.add("by", whose.as_str()).add("result", result);
        sheet
    }
}
