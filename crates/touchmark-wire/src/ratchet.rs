//! The ratchet of a light client: what it has seen certified never goes back.
//!
//! A bundle proves what held when it was made, and an old one stays valid for ever. A reader that
//! keeps the last certified position refuses what is older, and notices when a network has certified
//! two histories:
//!
//! ```text
//! kept position ── later: height, time, size, committee do not go back ──▶ shown position
//! ```
//!
//! Two certified positions that no single history has are a [`Contradiction`]; whoever holds both
//! proofs can convict the committee, so a caller keeps them. Standing still is not noticed: only a
//! fresh answer proves that nothing is newer.
//!
//! What is kept is a deterministic CBOR array of at most [`Ratchet::LIMIT`] bytes, which a device
//! keeps in flash: `[version, network id, position, check]`. The check is a hash of all before it
//! and tells what was written whole from what was not; it is no secret.

use crate::codec::{self, Malformed};
use crate::hash::{Digest, Hasher, domain};
use crate::ids::{Epoch, Height, NetworkId, Timestamp, TreeSize};
use crate::merkle::{self, ProofError};
use core::cmp::Ordering;
use core::fmt;
use minicbor::{Decode, Encode, Encoder};

/// A certified state of the log, and who certified it (deterministic CBOR array).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(array)]
pub struct Position {
    /// Number of the batch.
    #[n(0)]
    pub height: Height,
    /// Its certified time.
    #[n(1)]
    pub time: Timestamp,
    /// Size of the log.
    #[n(2)]
    pub size: TreeSize,
    /// Root of the log.
    #[n(3)]
    pub root: Digest,
    /// Digest of the batch's header.
    #[n(4)]
    pub header: Digest,
    /// Number of the committee in office.
    #[n(5)]
    pub epoch: Epoch,
    /// Digest of that committee.
    #[n(6)]
    pub committee: Digest,
}

/// A position that was verified, with the way to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown<'a> {
    /// Whose it is.
    pub network: NetworkId,
    /// Where its log is.
    pub position: Position,
    /// Digests of the committees that hand-overs lead through, without gaps; the last one is the
    /// position's. They begin with the committee that the reader trusted before.
    pub committees: &'a [Digest],
}

impl Shown<'_> {
    /// The committee with this number, as the hand-overs have it.
    fn committee(&self, number: Epoch) -> Option<&Digest> {
        let back = usize::try_from(self.position.epoch.0.checked_sub(number.0)?).ok()?;
        self.committees.len().checked_sub(back)?.checked_sub(1).map(|at| &self.committees[at])
    }
}

/// What a light client keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ratchet {
    /// The network that it follows.
    pub network: NetworkId,
    /// The newest position that it has seen.
    pub position: Position,
}

impl Ratchet {
    /// Version of the encoding.
    pub const VERSION: u8 = 1;
    /// Longest encoding, bytes.
    pub const LIMIT: usize = 209;

    /// Begins with a verified position: nothing was seen before.
    pub const fn begin(shown: &Shown<'_>) -> Self {
        Self { network: shown.network, position: shown.position }
    }

    /// Goes on to a verified position. That its log continues the one that was seen is the word of
    /// the committees, as far as sizes and roots do not say otherwise.
    pub fn follow(&self, shown: &Shown<'_>) -> Result<Self, RatchetError> {
        if self.network != shown.network {
            let (kept, shown) = (self.network, shown.network);
            return Err(RatchetError::Network { kept, shown });
        }
        let (kept, new) = (&self.position, &shown.position);
        let later = kept.height <= new.height;
        let (first, second) = if later { (kept, new) } else { (new, kept) };
        one_history(first, second).map_err(RatchetError::Contradiction)?;
        if !later {
            return Err(RatchetError::Back { kept: kept.height, shown: new.height });
        }
        if shown.committee(kept.epoch) != Some(&kept.committee) {
            let contradiction = Contradiction::Committee(kept.epoch);
            return Err(RatchetError::Contradiction(contradiction));
        }
        Ok(Self::begin(shown))
    }

    /// As [`Self::follow`], and proves that the log continues: `path` is the consistency proof from
    /// the kept size to the shown one (RFC 9162 §2.1.4).
    pub fn follow_proved(
        &self,
        shown: &Shown<'_>,
        path: impl IntoIterator<Item = Digest>,
    ) -> Result<Self, RatchetError> {
        let next = self.follow(shown)?;
        let (old, new) = (&self.position, &next.position);
        // Every log begins with the empty one.
        if old.size.0 > 0 {
            merkle::verify_consistency(old.size, &old.root, new.size, &new.root, path)
                .map_err(RatchetError::NotExtended)?;
        }
        Ok(next)
    }

    /// Writes the encoding into `buffer`; gives the part that it takes.
    pub fn encode<'b>(&self, buffer: &'b mut [u8; Self::LIMIT]) -> &'b [u8] {
        let mut rest = &mut buffer[..];
        let fits = Encoder::new(&mut rest).encode(Stored::of(self)).is_ok();
        let unused = rest.len();
        assert!(fits, "the limit is the longest encoding");
        &buffer[..Self::LIMIT - unused]
    }

    /// Reads the one accepted encoding, if it is whole.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let stored: Stored = codec::decode(bytes, Self::LIMIT)?;
        let ratchet = Self { network: stored.network, position: stored.position };
        if stored == Stored::of(&ratchet) { Ok(ratchet) } else { Err(Malformed::Shape) }
    }
}

/// Whether one history can have both positions, of which `first` is not the higher one.
fn one_history(first: &Position, second: &Position) -> Result<(), Contradiction> {
    if first.height == second.height {
        let is_same = first == second;
        return if is_same { Ok(()) } else { Err(Contradiction::Height(first.height)) };
    }
    if first.epoch > second.epoch {
        return Err(Contradiction::Epoch { first: first.epoch, second: second.epoch });
    }
    if first.epoch == second.epoch && first.committee != second.committee {
        return Err(Contradiction::Committee(first.epoch));
    }
    if first.time > second.time {
        return Err(Contradiction::Time { first: first.time, second: second.time });
    }
    match merkle::order((first.size, &first.root), (second.size, &second.root)) {
        Some(Ordering::Less | Ordering::Equal) => Ok(()),
        Some(Ordering::Greater) => {
            Err(Contradiction::Size { first: first.size, second: second.size })
        }
        None => Err(Contradiction::Root(first.size)),
    }
}

#[derive(PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Stored {
    #[n(0)]
    version: u8,
    #[n(1)]
    network: NetworkId,
    #[n(2)]
    position: Position,
    #[n(3)]
    check: Digest,
}

impl Stored {
    fn of(ratchet: &Ratchet) -> Self {
        let Ratchet { network, position } = *ratchet;
        let mut hasher = Hasher::default();
        hasher.update(domain::RATCHET);
        let content = (Ratchet::VERSION, network, position);
        let Ok(_) = Encoder::new(&mut hasher).encode(content) else {
            unreachable!("a hash takes all bytes, and numbers and digests have an encoding")
        };
        Self { version: Ratchet::VERSION, network, position, check: hasher.finish() }
    }
}

/// Why a ratchet does not go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RatchetError {
    /// Another network than the one that it follows.
    Network {
        /// Followed.
        kept: NetworkId,
        /// Shown.
        shown: NetworkId,
    },
    /// What is shown is older than what was seen: whoever shows it lags behind, or hides what is
    /// newer.
    Back {
        /// Seen.
        kept: Height,
        /// Shown.
        shown: Height,
    },
    /// The consistency proof does not lead from the log that was seen to the one that is shown: it is
    /// a wrong proof, or they are two logs.
    NotExtended(ProofError),
    /// Both were certified, and no history has both.
    Contradiction(Contradiction),
}

/// How two certified positions exclude each other; `first` is that of the lower height.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Contradiction {
    /// Two batches of one height.
    Height(Height),
    /// A later batch is earlier.
    Time {
        /// Earlier height.
        first: Timestamp,
        /// Later height.
        second: Timestamp,
    },
    /// A later batch has a smaller log.
    Size {
        /// Earlier height.
        first: TreeSize,
        /// Later height.
        second: TreeSize,
    },
    /// Two roots of one size.
    Root(TreeSize),
    /// A committee certified after the one that followed it had taken over.
    Epoch {
        /// Earlier height.
        first: Epoch,
        /// Later height.
        second: Epoch,
    },
    /// Two committees of one number.
    Committee(Epoch),
}

impl fmt::Display for RatchetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { kept, shown } => {
                write!(f, "it is of network {shown}, and {kept} is followed")
            }
            Self::Back { kept, shown } => {
                write!(f, "batch {shown} is shown, and batch {kept} was seen before")
            }
            Self::NotExtended(error) => {
                write!(f, "the log is not proved to continue what was seen: {error}")
            }
            Self::Contradiction(contradiction) => fmt::Display::fmt(contradiction, f),
        }
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Height(height) => write!(f, "two batches of height {height} are certified"),
            Self::Time { first, second } => {
                write!(
                    f,
                    "a batch at {first} and a later one at {second}, before it, are certified"
                )
            }
            Self::Size { first, second } => {
                write!(f, "a log of {first} leaves and later one of {second} are certified")
            }
            Self::Root(size) => write!(f, "two roots of {size} leaves are certified"),
            Self::Epoch { first, second } => {
                write!(f, "committee {second} certified after committee {first} had taken over")
            }
            Self::Committee(number) => write!(f, "two committees have the number {number}"),
        }
    }
}

impl core::error::Error for RatchetError {}
