//! Invitations as one line of text.

use super::FormationError;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use touchmark_wire::formation::Invitation;

/// What every invitation of this version begins with.
const PREFIX: &str = "tmk-invite1";

/// The line that is passed on.
pub fn to_text(invitation: &Invitation) -> String {
    format!("{PREFIX}{}", Base64UrlUnpadded::encode_string(&invitation.encode_to_vec()))
}

/// Reads such a line.
pub fn from_text(text: &str) -> Result<Invitation, FormationError> {
    let encoded = text.trim().strip_prefix(PREFIX).ok_or(FormationError::Invitation)?;
    let bytes = Base64UrlUnpadded::decode_vec(encoded).map_err(|_| FormationError::Invitation)?;
    Invitation::decode(&bytes).map_err(|_| FormationError::Invitation)
}
