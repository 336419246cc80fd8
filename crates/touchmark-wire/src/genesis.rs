//! A network's root of trust, its committees, and the hand-over from one to the next.

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
pub use documents::{Committee, Genesis, Handover, Validator};

#[cfg(feature = "alloc")]
mod documents {
    use super::CertificateKey;
    use crate::algorithm::CoseKey;
    use crate::codec::{self, Malformed};
    use crate::hash::{Digest, domain};
    use crate::ids::{Epoch, Height, NetworkId};
    use crate::limits;
    use alloc::string::String;
    use alloc::vec::Vec;
    use minicbor::decode::Error;
    use minicbor::{Decode, Decoder, Encode};

    /// The public keys of one validator. Log, cosigner and engine keys are separate.
    #[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
    #[cbor(array)]
    pub struct Validator {
        /// Name in the cosigner's note lines and for people.
        #[n(0)]
        pub name: String,
        /// Peer identity in the engine: an Ed25519 public key.
        #[n(1)]
        pub peer: Digest,
        /// Signs receipts and fresh answers.
        #[n(2)]
        pub log_key: CoseKey,
        /// Ed25519; cosigns checkpoints (C2SP tlog-cosignature).
        #[n(3)]
        pub cosigner_key: CoseKey,
    }

    /// Who certifies the batches of an epoch. Decoding refuses one whose word nobody or everybody
    /// could give: see [`Self::is_sound`].
    #[derive(Clone, PartialEq, Eq, Debug, Encode)]
    #[cbor(array)]
    pub struct Committee {
        /// Number of the epoch.
        #[n(0)]
        pub epoch: Epoch,
        /// Verifies the engine's certificates.
        #[n(1)]
        pub certificate_key: CertificateKey,
        /// The members, in the engine's order.
        #[n(2)]
        pub validators: Vec<Validator>,
        /// How many cosignatures or receipts by members count as the committee's word (2f+1).
        #[n(3)]
        pub threshold: u16,
    }

    impl Committee {
        /// Whether it takes at least one validator, and no more than there are, to give its word.
        pub fn is_sound(&self) -> bool {
            (1..=self.validators.len()).contains(&usize::from(self.threshold))
        }

        /// What a header's `next` commits to.
        pub fn digest(&self) -> Digest {
            Digest::of(&[domain::COMMITTEE, &codec::encode(self)])
        }
    }

    impl<'b, C> Decode<'b, C> for Committee {
        fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, Error> {
            if d.array()? != Some(4) {
                return Err(Error::message("a committee is an array of four"));
            }
            let committee = Self {
                epoch: d.decode_with(ctx)?,
                certificate_key: d.decode_with(ctx)?,
                validators: d.decode_with(ctx)?,
                threshold: d.decode_with(ctx)?,
            };
            if committee.is_sound() {
                Ok(committee)
            } else {
                Err(Error::message("the threshold is not between 1 and the number of validators"))
            }
        }
    }

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

    /// Words of the old committee's key: from this height on, the next committee certifies.
    #[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
    #[cbor(array)]
    pub struct Handover {
        /// Last height that the old committee certifies.
        #[n(0)]
        pub height: Height,
        /// Header of that height; its `next` is the digest of `committee`.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        pub header: Vec<u8>,
        /// The engine's certificate over the header, under the old key.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        pub certificate: Vec<u8>,
        /// Cosignatures of at least the old threshold over the header's checkpoint.
        #[n(3)]
        pub cosignatures: Vec<String>,
        /// Who certifies from the next height on.
        #[n(4)]
        pub committee: Committee,
    }
}
