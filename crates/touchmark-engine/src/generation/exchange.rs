//! What members make beside the certificate key: in the same attempt, over the same channel, with
//! the same people present. The engine carries it and does not look into it.

use crate::ceremony::PeerKey;

/// Longest message of an exchange, bytes.
pub const EXCHANGE: usize = 1_024;

/// One member's part in an exchange, without a clock or a network.
///
/// What it has to say to a member is said again and again until that one has concluded, so a message
/// may be lost, and one that comes again must change nothing.
pub trait Exchange: Send + 'static {
    /// What `to`, as far as is known here, still lacks; each message at most [`EXCHANGE`] bytes.
    fn say(&self, to: PeerKey) -> Vec<Vec<u8>>;

    /// Takes what `from` certainly said.
    fn take(&mut self, from: PeerKey, message: &[u8]) -> Result<(), Fault>;

    /// Whether this member has all that it needs from the others.
    fn is_complete(&self) -> bool;

    /// Whether `from` has said all that this member needs of it.
    fn has_all(&self, from: PeerKey) -> bool;
}

/// Why an exchange cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A member broke its rules.
    Misbehaved {
        /// Which one.
        member: PeerKey,
        /// How, in one sentence.
        how: &'static str,
    },
    /// A member was shown something else than this one.
    Disagreement(PeerKey),
}

/// Nothing is made beside the key.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Exchange for Nothing {
    fn say(&self, _: PeerKey) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn take(&mut self, member: PeerKey, _: &[u8]) -> Result<(), Fault> {
        Err(Fault::Misbehaved { member, how: "it makes something beside the key" })
    }

    fn is_complete(&self) -> bool {
        true
    }

    fn has_all(&self, _: PeerKey) -> bool {
        true
    }
}
