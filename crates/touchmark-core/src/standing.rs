//! Whose words are part of a thing's history (spec/kinds.md, Histories).
//!
//! A history is proved complete by showing all of it, so whoever could make it longer at will
//! could make that proof as large, and as dear, as they like. Only those grow it who speak for the
//! thing or whom its controller vouches for; what others say of it is counted apart.

use crate::refusal::Unreadable;
use crate::view::{Draft, Read as _};
use touchmark_wire::ids::ThingId;

/// Takes the leaf into `id`'s history where `by` has standing there, else among its mentions.
/// Without anybody it is a mention.
pub(crate) fn tell(
    draft: &mut Draft<'_>,
    by: Option<ThingId>,
    id: ThingId,
) -> Result<(), Unreadable> {
    let has_standing = match by {
        Some(by) => has_standing(draft, by, id)?,
        None => false,
    };
    if has_standing {
        draft.concerns(id);
    } else {
        draft.mentions(id);
    }
    Ok(())
}

/// The thing itself, its controller, and those for whom its controller vouches now.
fn has_standing(draft: &Draft<'_>, by: ThingId, id: ThingId) -> Result<bool, Unreadable> {
    if by == id {
        return Ok(true);
    }
    let Some(controller) = draft.thing(id)?.and_then(|thing| thing.controller) else {
        return Ok(false);
    };
    if controller == by {
        return Ok(true);
    }
    let word = draft.accreditation(controller, by)?;
    Ok(word.is_some_and(|word| word.present().is_some()))
}
