//! The directory, as a node answers or as the log alone tells it.

use super::following::{self, Start};
use super::initialisation::What;
use super::reference::{self, Of};
use crate::cli::answer::{Answer, Table};
use crate::cli::failure::Failure;
use crate::cli::registered;
use crate::cli::session::Session;
use crate::cli::thing::Part;
use crate::cli::view;
use touchmark_api::client::ThingsQuery;
use touchmark_api::{DirectoryEntry, Listing};
use touchmark_wire::registry::Status;

#[derive(clap::Args, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    of: Of,
    /// Cards, readers or sensors only
    #[arg(long)]
    what: Option<What>,
    /// With this progressive number
    #[arg(long)]
    number: Option<u64>,
    /// With this serial number
    #[arg(long)]
    serial: Option<String>,
    /// Of this status
    #[arg(long, value_parser = registered::status())]
    status: Option<Status>,
    /// With an attribute that begins so; whole values come first
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Read the log itself instead, check it against the checkpoint, and trust no answer
    #[arg(long, conflicts_with_all = ["search", "cursor", "limit"])]
    from_log: bool,
    #[command(flatten)]
    part: Part,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Show {
    #[command(flatten)]
    of: Of,
    /// Its id, or kind and number such as card/12
    thing: String,
}

pub(super) fn run(session: &mut Session<'_, '_>, list: List) -> Result<Answer, Failure> {
    let organisation = list.of.organisation(session)?;
    let listing = if list.from_log {
        let followed = following::follow(session, organisation, Start::Position)?;
        let entries = followed.roster.members().map(DirectoryEntry::from);
        Listing { items: entries.filter(|entry| list.wants(entry)).collect(), next: None }
    } else {
        let found = session.client()?.things(&ThingsQuery {
            controller: Some(organisation),
            kind: list.what.map(What::kind),
            number: list.number,
            serial: list.serial,
            status: list.status,
            text: list.search,
            page: list.part.page(),
            ..ThingsQuery::default()
        })?;
        Listing { items: found.items.iter().map(DirectoryEntry::from).collect(), next: found.next }
    };
    let text = table(&listing.items).to_string() + &view::more(listing.next.as_deref());
    Ok(Answer::new(&listing, text))
}

impl List {
    fn wants(&self, entry: &DirectoryEntry) -> bool {
        let is = |wanted: Option<String>, value: &String| wanted.is_none_or(|it| it == *value);
        is(self.what.map(|what| what.kind().to_string()), &entry.kind)
            && is(self.status.map(|status| status.to_string()), &entry.status.status)
            && (self.number.is_none() || self.number == entry.number)
            && (self.serial.is_none() || self.serial == entry.serial)
    }
}

/// A directory for people, one line for each thing.
fn table(entries: &[DirectoryEntry]) -> Table {
    let mut table = Table::new(&["number", "kind", "serial", "status", "id", "specification"]);
    for entry in entries {
        let pairs = entry.specification.iter().map(|(name, value)| format!("{name}={value}"));
        let reason = entry.status.reason.as_ref().map(|reason| format!(": {reason}"));
        table.row([
            entry.number.map(|number| number.to_string()).unwrap_or_default(),
            entry.kind.clone(),
            entry.serial.clone().unwrap_or_default(),
            entry.status.status.clone() + &reason.unwrap_or_default(),
            entry.id.clone(),
            pairs.collect::<Vec<_>>().join(" "),
        ]);
    }
    table
}

pub(super) fn show(session: &mut Session<'_, '_>, show: &Show) -> Result<Answer, Failure> {
    let client = session.client()?;
    let thing = if show.thing.contains('/') {
        let organisation = show.of.organisation(session)?;
        reference::thing(session, &client, organisation, &show.thing)?
    } else {
        session.thing(&show.thing)?
    };
    let found = client.thing(thing)?;
    Ok(Answer::new(&found, view::thing(&found).to_string()))
}
