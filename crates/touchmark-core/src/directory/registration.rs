//! Registration: a controller presents a thing that cannot sign statements itself.

use super::inception::Inception;
use super::payload;
use crate::entry::Purposes;
use crate::rules::{Action, Family, Stop};
use crate::view::Draft;
use touchmark_wire::registry::{RefusalCode, StatementKind};

pub(crate) const FAMILY: Family = Family {
    kind: StatementKind::REGISTER,
    purpose: Purposes::CONTROL,
    while_paused: false,
    in_group: true,
    reads_payload: true,
    apply,
};

/// The payload is an [`Inception`] that names the issuer as controller.
fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let inception: Inception = payload(action)?;
    if inception.controller != Some(action.actor) {
        let cause = "only the controller that an inception names can register it";
        return Err(Stop::denied(RefusalCode::NOT_AUTHORISED, cause));
    }
    inception.register(draft, Inception::id_of(action.payload), action.actor)
}
