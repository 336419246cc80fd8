//! SHA-256, the one hash of the protocol, and the table of domain strings.

/// SHA-256 in pure Rust: every build.
#[cfg(not(feature = "aws-lc"))]
mod sha256 {
    use sha2::Digest as _;

    #[derive(Clone)]
    pub(super) struct State(sha2::Sha256);

    impl State {
        pub(super) fn new() -> Self {
            Self(sha2::Sha256::new())
        }

        pub(super) fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(super) fn finish(self) -> [u8; 32] {
            self.0.finalize().into()
        }
    }

    pub(super) fn of(parts: &[&[u8]]) -> [u8; 32] {
        let mut state = State::new();
        for part in parts {
            state.update(part);
        }
        state.finish()
    }
}

/// SHA-256 of aws-lc: on servers without SHA instructions nearly twice as fast.
#[cfg(feature = "aws-lc")]
mod sha256 {
    use aws_lc_rs::digest::{Context, Digest, SHA256, digest};

    /// What is short is put together first: one call costs less than a context.
    const SHORT: usize = 1_024;

    #[derive(Clone)]
    pub(super) struct State(Context);

    impl State {
        pub(super) fn new() -> Self {
            Self(Context::new(&SHA256))
        }

        pub(super) fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(super) fn finish(self) -> [u8; 32] {
            bytes(&self.0.finish())
        }
    }

    pub(super) fn of(parts: &[&[u8]]) -> [u8; 32] {
        let mut short = [0; SHORT];
        let mut length = 0;
        for part in parts {
            let Some(place) = short.get_mut(length..length + part.len()) else {
                let mut state = State::new();
                for part in parts {
                    state.update(part);
                }
                return state.finish();
            };
            place.copy_from_slice(part);
            length += part.len();
        }
        bytes(&digest(&SHA256, &short[..length]))
    }

    fn bytes(digest: &Digest) -> [u8; 32] {
        digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

/// SHA-256 of bytes that come one after the other.
#[derive(Clone)]
pub struct Hasher(sha256::State);

impl Default for Hasher {
    fn default() -> Self {
        Self(sha256::State::new())
    }
}

impl Hasher {
    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all of them.
    pub fn finish(self) -> Digest {
        Digest(self.0.finish())
    }
}

impl minicbor::encode::Write for Hasher {
    type Error = core::convert::Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.update(bytes);
        Ok(())
    }
}

/// A SHA-256 digest, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// SHA-256 over the concatenation of `parts` (no separators: the caller's format must be
    /// unambiguous).
    pub fn of(parts: &[&[u8]]) -> Self {
        Self(sha256::of(parts))
    }

    /// The digest's bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl core::fmt::Debug for Digest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::fmt::Display for Digest {
    /// Lowercase hexadecimal, 64 characters.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 2 * Self::LEN];
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [byte >> 4, byte & 0x0f].map(|half| DIGITS[usize::from(half)]);
        }
        f.write_str(core::str::from_utf8(&text).map_err(|_| core::fmt::Error)?)
    }
}

impl<C> minicbor::Encode<C> for Digest {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Digest {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bytes = d.bytes()?;
        <[u8; 32]>::try_from(bytes)
            .map(Self)
            .map_err(|_| minicbor::decode::Error::message("digest is not 32 bytes"))
    }
}

/// Domain strings: every hash or signature that is not defined by an outside standard starts
/// with one of these, so that bytes made for one purpose never count for another.
pub mod domain {
    /// Running hash of the leaves that an entry of the state counts.
    pub const TALLY: &[u8] = b"touchmark/wire/tally/v1";
    /// Id of a channel.
    pub const CHANNEL: &[u8] = b"touchmark/wire/channel/v1";
    /// Position of a state entry in the trie.
    pub const STATE_KEY: &[u8] = b"touchmark/wire/state-key/v1";
    /// Commitment to the leaves of a batch.
    pub const BATCH_DATA: &[u8] = b"touchmark/wire/batch-data/v1";
    /// Application namespace of the order engine; the network id follows.
    pub const ENGINE: &[u8] = b"touchmark/engine/consensus/v1";
    /// Namespace of what members say to each other while they make a key; what they agreed on
    /// beforehand follows.
    pub const GENERATION: &[u8] = b"touchmark/engine/generation/v1";
    /// Signature of a peer key over a member record; the formation's id and the record follow.
    pub const MEMBER: &[u8] = b"touchmark/wire/member/v1";
    /// Digest of an agreement, which follows.
    pub const AGREEMENT: &[u8] = b"touchmark/wire/agreement/v1";
    /// Seal (HMAC) of what a member sends to the convener.
    pub const TO_CONVENER: &[u8] = b"touchmark/wire/to-convener/v1";
    /// Seal (HMAC) of what the convener answers.
    pub const FROM_CONVENER: &[u8] = b"touchmark/wire/from-convener/v1";
    /// Name of an attempt to make a key; digest of the agreement and tokens of all runs follow.
    pub const ATTEMPT: &[u8] = b"touchmark/wire/attempt/v1";
    /// Commitment of a header to the committee of the next batch.
    pub const COMMITTEE: &[u8] = b"touchmark/wire/committee/v1";
    /// What those who make a note key together were shown of each other.
    pub const NOTE_KEY: &[u8] = b"touchmark/keys/note-key/v1";
    /// Mark of a tap's update; the key of the request follows.
    pub const TAP_MARK: &[u8] = b"touchmark/node/tap-mark/v1";
    /// Check of what a light client keeps.
    pub const RATCHET: &[u8] = b"touchmark/wire/ratchet/v1";
    /// What validators sign who approve of the next committee: the first element of a CBOR array, so
    /// it is a text.
    pub const HANDOVER: &str = "touchmark/wire/hand-over/v1";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    #[test]
    fn parts_of_any_length_hash_as_their_concatenation() {
        let long = vec![7; 5_000];
        for cut in [0, 1, 63, 64, 1_000, 1_023, 1_024, 1_025, 5_000] {
            let mut hasher = Hasher::default();
            hasher.update(&long);
            assert_eq!(Digest::of(&[&long[..cut], &[], &long[cut..]]), hasher.finish());
            let short = &long[..cut];
            assert_eq!(Digest::of(&[short]), Digest::of(&[&short[..cut / 2], &short[cut / 2..]]));
        }
        // FIPS 180-4, example of one block.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(std::format!("{}", Digest::of(&[b"a", b"bc"])), expected);
    }
}
