//! The members' note key, which they make beside the certificate key: in the same attempt, over the
//! same channel. Of one member there is none.

use touchmark_engine::{Exchange, Fault, PeerKey};
use touchmark_keys::threshold::{Generation, GenerationError, Share};

/// One member's part in it.
pub(super) struct Joint {
    /// In the order of their places.
    members: Vec<PeerKey>,
    generation: Option<Generation>,
}

impl Joint {
    /// Begins as the member `me`.
    pub(super) fn begin(
        members: Vec<PeerKey>,
        me: PeerKey,
        threshold: u16,
    ) -> Result<Self, GenerationError> {
        let place = members.iter().position(|member| *member == me);
        let place = place.and_then(|it| u16::try_from(it).ok()).ok_or(GenerationError::Members)?;
        let count = u16::try_from(members.len()).map_err(|_| GenerationError::Members)?;
        let generation = match count {
            1 => None,
            _ => Some(Generation::begin(place, count, threshold)?),
        };
        Ok(Self { members, generation })
    }

    /// What this member has of the key.
    pub(super) fn share(&self) -> Option<&Share> {
        self.generation.as_ref()?.share()
    }

    fn place(&self, peer: PeerKey) -> Option<u16> {
        let place = self.members.iter().position(|member| *member == peer)?;
        u16::try_from(place).ok()
    }

    /// Whose fault it is.
    fn fault(&self, from: PeerKey, error: GenerationError) -> Fault {
        let (place, how) = match error {
            GenerationError::View(_) => return Fault::Disagreement(from),
            GenerationError::Proof(place) => (place, "it does not know its part of the note key"),
            GenerationError::Value(place) => {
                (place, "what it shared out of the note key does not fit its commitment")
            }
            GenerationError::Contradiction(place) => {
                (place, "it said different things of the note key")
            }
            GenerationError::Malformed(place) => {
                (place, "what it says of the note key is malformed")
            }
            _ => return Fault::Misbehaved { member: from, how: "the note key cannot be made" },
        };
        let member = self.members.get(usize::from(place)).copied().unwrap_or(from);
        Fault::Misbehaved { member, how }
    }
}

impl Exchange for Joint {
    fn say(&self, to: PeerKey) -> Vec<Vec<u8>> {
        let spoken = self.generation.as_ref().zip(self.place(to));
        spoken.map(|(generation, to)| generation.say(to)).unwrap_or_default()
    }

    fn take(&mut self, from: PeerKey, message: &[u8]) -> Result<(), Fault> {
        let place = self.place(from);
        let Some((generation, place)) = self.generation.as_mut().zip(place) else {
            return Err(Fault::Misbehaved { member: from, how: "it makes a note key alone" });
        };
        let taken = generation.take(place, message);
        taken.map_err(|error| self.fault(from, error))
    }

    fn is_complete(&self) -> bool {
        self.generation.as_ref().is_none_or(|generation| generation.share().is_some())
    }

    fn has_all(&self, from: PeerKey) -> bool {
        let heard = self.generation.as_ref().zip(self.place(from));
        heard.is_none_or(|(generation, from)| generation.has_all(from))
    }
}
