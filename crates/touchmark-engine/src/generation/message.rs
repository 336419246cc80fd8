//! What members tell each other while they make a key together.

use super::EXCHANGE;
use crate::keys::PublicKey;
use bytes::BufMut;
use commonware_codec::{
    Buf, EncodeSize, FixedSize as _, Read, ReadExt as _, ReadRangeExt as _, Write,
};
use commonware_cryptography::bls12381::dkg::feldman_desmedt::{
    DealerPrivMsg, DealerPubMsg, PlayerAck, SignedDealerLog,
};
use commonware_cryptography::bls12381::primitives::variant::MinSig;
use commonware_cryptography::sha256::Digest;
use std::num::NonZeroU32;

/// A dealer's account of what it dealt and who acknowledged it.
pub(super) type Account = SignedDealerLog<MinSig, PublicKey>;

/// One message, over a channel that is encrypted and authenticated: what is private in it is for
/// its receiver alone.
#[derive(Clone, Debug)]
pub(super) enum Message {
    /// The receiver's part of what the sender dealt.
    Dealing(DealerPubMsg<MinSig>, DealerPrivMsg),
    /// The sender holds its part of what the receiver dealt.
    Acknowledgement(PlayerAck<PublicKey>),
    /// The sender's account, with everyone's acknowledgement.
    Account(Box<Account>),
    /// What the sender made of all accounts.
    Conclusion(Digest),
    /// The sender has the same conclusion from everyone.
    Farewell,
    /// What the sender says to the receiver in the exchange beside the key.
    Exchange(Vec<u8>),
}

impl Message {
    const DEALING: u8 = 0;
    const ACKNOWLEDGEMENT: u8 = 1;
    const ACCOUNT: u8 = 2;
    const CONCLUSION: u8 = 3;
    const FAREWELL: u8 = 4;
    const EXCHANGE: u8 = 5;

    /// Longest encoding among `members`, bytes.
    pub(super) fn limit(members: NonZeroU32) -> usize {
        let dealing = DealerPubMsg::<MinSig>::max_encode_size(members) + DealerPrivMsg::SIZE;
        1 + dealing.max(Account::max_encode_size(members)).max(2 + EXCHANGE)
    }
}

impl Write for Message {
    fn write(&self, buf: &mut impl BufMut) {
        match self {
            Self::Dealing(public, private) => {
                Self::DEALING.write(buf);
                public.write(buf);
                private.write(buf);
            }
            Self::Acknowledgement(acknowledgement) => {
                Self::ACKNOWLEDGEMENT.write(buf);
                acknowledgement.write(buf);
            }
            Self::Account(account) => {
                Self::ACCOUNT.write(buf);
                account.write(buf);
            }
            Self::Conclusion(digest) => {
                Self::CONCLUSION.write(buf);
                digest.write(buf);
            }
            Self::Farewell => Self::FAREWELL.write(buf),
            Self::Exchange(said) => {
                Self::EXCHANGE.write(buf);
                said.write(buf);
            }
        }
    }
}

impl EncodeSize for Message {
    fn encode_size(&self) -> usize {
        1 + match self {
            Self::Dealing(public, private) => public.encode_size() + private.encode_size(),
            Self::Acknowledgement(acknowledgement) => acknowledgement.encode_size(),
            Self::Account(account) => account.encode_size(),
            Self::Conclusion(digest) => digest.encode_size(),
            Self::Farewell => 0,
            Self::Exchange(said) => said.encode_size(),
        }
    }
}

impl Read for Message {
    /// Number of members.
    type Cfg = NonZeroU32;

    fn read_cfg(buf: &mut impl Buf, members: &NonZeroU32) -> Result<Self, commonware_codec::Error> {
        Ok(match u8::read(buf)? {
            Self::DEALING => {
                Self::Dealing(DealerPubMsg::read_cfg(buf, members)?, DealerPrivMsg::read(buf)?)
            }
            Self::ACKNOWLEDGEMENT => Self::Acknowledgement(PlayerAck::read(buf)?),
            Self::ACCOUNT => Self::Account(Box::new(Account::read_cfg(buf, members)?)),
            Self::CONCLUSION => Self::Conclusion(Digest::read(buf)?),
            Self::FAREWELL => Self::Farewell,
            Self::EXCHANGE => Self::Exchange(Vec::<u8>::read_range(buf, ..=EXCHANGE)?),
            other => return Err(commonware_codec::Error::InvalidEnum(other)),
        })
    }
}
