//! A network's root of trust and its committees.
//!
//! How one committee hands over to the next is in `handover`.

#[cfg(feature = "alloc")]
mod committee;
#[cfg(feature = "alloc")]
mod keys;

use minicbor::{Decode, Encode};

/// Version of the rules that this code implements.
pub const RULES_VERSION: u16 = 1;

/// Public half of the engine's BLS12-381 key: a compressed G2 point, 96 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CertificateKey(pub [u8; 96]);

impl<C> Encode<C> for CertificateKey {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for CertificateKey {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.bytes()?
            .try_into()
            .map(Self)
            .map_err(|_| minicbor::decode::Error::message("certificate key is not 96 bytes"))
    }
}

#[cfg(feature = "alloc")]
pub use committee::{Committee, CommitteeError, Validator, quorum};
#[cfg(feature = "alloc")]
pub use documents::Genesis;
#[cfg(feature = "alloc")]
pub(crate) use keys::{KeysError, ValidatorKeys};

#[cfg(feature = "alloc")]
mod documents {
    use super::Committee;
    use crate::codec::{self, Malformed};
    use crate::hash::Digest;
    use crate::ids::NetworkId;
    use crate::limits;
    use alloc::string::String;
    use alloc::vec::Vec;
    use minicbor::{Decode, Encode};

    /// The genesis document; the network id is its SHA-256 and never changes.
    #[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
    #[cbor(array)]
    pub struct Genesis {
        /// Version of the rules at the start.
        #[n(0)]
        pub rules: u16,
        /// C2SP origin of the log's checkpoints: a schemaless URL that names it for ever.
        #[n(1)]
        pub origin: String,
        /// The first committee.
        #[n(2)]
        pub committee: Committee,
        /// When the network began, milliseconds since 1970-01-01T00:00:00Z.
        #[n(3)]
        pub time: crate::ids::Timestamp,
    }

    impl Genesis {
        /// Decodes the one accepted encoding.
        pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
            codec::decode(bytes, limits::GENESIS)
        }

        /// The encoding that the network id is the hash of.
        pub fn encode_to_vec(&self) -> Vec<u8> {
            codec::encode(self)
        }

        /// SHA-256 of the encoding.
        pub fn network_id(&self) -> NetworkId {
            NetworkId(Digest::of(&[&self.encode_to_vec()]))
        }
    }
}
