//! Records: data of a device in its own chain, or entries in its chain in a channel. The rules never
//! look inside.

use crate::entry::Purposes;
use crate::event::{ChannelEvent, Event};
use crate::rules::{Action, Family, Stop};
use crate::view::Draft;
use touchmark_wire::registry::StatementKind;

pub(crate) const FAMILY: Family = Family {
    kind: StatementKind::RECORD,
    purpose: Purposes::RECORD,
    while_paused: false,
    in_group: false,
    reads_payload: false,
    apply,
};

#[allow(clippy::unnecessary_wraps, reason = "the table of families has one signature")]
fn apply(draft: &mut Draft<'_>, action: &Action<'_>) -> Result<(), Stop> {
    let thing = action.actor;
    draft.happened(match draft.place() {
        Some(place) => ChannelEvent::EntryWritten { thing }.of(place.channel()),
        None => Event::DataRecorded { thing },
    });
    Ok(())
}
