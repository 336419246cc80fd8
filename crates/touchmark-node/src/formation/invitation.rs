//! Invitations as one line of text.

use super::FormationError;
use crate::line;
use touchmark_wire::formation::Invitation;

/// What every invitation of this version begins with.
const PREFIX: &str = "tmk-invite1";

/// The line that is passed on.
pub fn to_text(invitation: &Invitation) -> String {
    line::to_text(PREFIX, &invitation.encode_to_vec())
}

/// Reads such a line.
pub fn from_text(text: &str) -> Result<Invitation, FormationError> {
    let bytes = line::from_text(PREFIX, text).ok_or(FormationError::Invitation)?;
    Invitation::decode(&bytes).map_err(|_| FormationError::Invitation)
}
