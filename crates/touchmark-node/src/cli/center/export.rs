//! The directory as a table.

use super::following::{self, Start};
use super::import::Form;
use super::reference::Of;
use crate::cli::answer::Answer;
use crate::cli::failure::{Failure, Fault};
use crate::cli::session::Session;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use touchmark_api::DirectoryEntry;
use touchmark_api::client::{Client, Page, ThingsQuery};
use touchmark_wire::ids::ThingId;

#[derive(clap::Args, Debug)]
pub(crate) struct Export {
    #[command(flatten)]
    of: Of,
    /// How to write it
    #[arg(long, default_value = "csv")]
    format: Form,
    /// Where to put it; otherwise standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Read the log itself instead, check it against the checkpoint, and trust no answer
    #[arg(long)]
    from_log: bool,
}

pub(super) fn run(session: &mut Session<'_, '_>, export: &Export) -> Result<Answer, Failure> {
    let organisation = export.of.organisation(session)?;
    let entries: Vec<DirectoryEntry> = if export.from_log {
        following::follow(session, organisation, Start::Position)?
            .roster
            .members()
            .map(Into::into)
            .collect()
    } else {
        let client = session.client()?;
        session.wait("reading the directory", || all(&client, organisation))?
    };
    let bytes = match export.format {
        Form::Csv => csv(&entries)?,
        Form::Ndjson => ndjson(&entries)?,
    };
    let Some(out) = &export.out else {
        return Ok(Answer::raw(json!(entries), bytes));
    };
    session.write(out, &bytes)?;
    let document = json!({ "file": out.display().to_string(), "rows": entries.len() });
    Ok(Answer::new(&document, format!("{} rows in {}\n", entries.len(), out.display())))
}

fn all(client: &Client, organisation: ThingId) -> Result<Vec<DirectoryEntry>, Failure> {
    let page = Page { cursor: None, limit: Some(500) };
    let mut query = ThingsQuery { controller: Some(organisation), page, ..ThingsQuery::default() };
    let mut entries = Vec::new();
    loop {
        let listing = client.things(&query)?;
        entries.extend(listing.items.iter().map(DirectoryEntry::from));
        // A cursor that does not move would go on for ever.
        if listing.next.is_none() || listing.next == query.page.cursor {
            return Ok(entries);
        }
        query.page.cursor = listing.next;
    }
}

/// The columns that every thing has; those of the specifications follow.
const COLUMNS: [&str; 8] = ["number", "kind", "serial", "id", "status", "reason", "since", "key"];

fn csv(entries: &[DirectoryEntry]) -> Result<Vec<u8>, Failure> {
    let names: BTreeSet<&str> =
        entries.iter().flat_map(|entry| entry.specification.keys().map(String::as_str)).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| {
        Failure::new(Fault::Internal, "the table cannot be written").because(error)
    };
    writer.write_record(COLUMNS.into_iter().chain(names.iter().copied())).map_err(failed)?;
    for entry in entries {
        let fixed = [
            entry.number.map(|number| number.to_string()).unwrap_or_default(),
            entry.kind.clone(),
            entry.serial.clone().unwrap_or_default(),
            entry.id.clone(),
            entry.status.status.clone(),
            entry.status.reason.clone().unwrap_or_default(),
            entry.status.since.to_string(),
            entry.keys.first().map(|key| key.key.to_string()).unwrap_or_default(),
        ];
        let own = |name: &&str| entry.specification.get(*name).cloned().unwrap_or_default();
        let record = fixed.into_iter().chain(names.iter().map(own)).map(plain);
        writer.write_record(record).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| {
        Failure::new(Fault::Internal, "the table cannot be written").because(error)
    })
}

/// A field that a spreadsheet would take for a formula has an apostrophe before it.
fn plain(field: String) -> String {
    if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{field}") } else { field }
}

fn ndjson(entries: &[DirectoryEntry]) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut bytes, entry).map_err(|error| {
            Failure::new(Fault::Internal, "the table cannot be written").because(error)
        })?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
