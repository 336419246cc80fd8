//! Many things at once, from a table: CSV with a heading, or a JSON object on each line.
//!
//! Each row becomes one statement, in order; what a row says of a serial number that is
//! initialised already is passed over, so the same table can be imported again after an
//! interruption.

mod rows;

use super::authority::{Authority, Stated};
use super::initialisation::{Candidate, What, with_serial};
use super::reference::next_number;
use crate::cli::answer::{Answer, Table};
use crate::cli::attributes::Pair;
use crate::cli::failure::{Exit, Failure, Fault};
use crate::cli::session::Session;
use rows::Row;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use touchmark_core::roster::{NUMBER, SERIAL};

/// How a table is written.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Comma-separated values with a heading.
    Csv,
    /// A JSON object on each line.
    Ndjson,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Import {
    /// The table; - is standard input
    file: PathBuf,
    /// How it is written; otherwise what the file's name says
    #[arg(long)]
    format: Option<Form>,
    /// Which column is which: kind, serial, key, or a name in the specification; repeatable. An
    /// empty column leaves it out
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    columns: Vec<Pair>,
    /// What a row without a kind is
    #[arg(long, default_value = "card")]
    what: What,
    /// Check every row, but initialise nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    authority: Authority,
}

/// What became of a row.
#[derive(Serialize)]
struct Done {
    /// Line of the table; the heading is line 1.
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thing: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// A row that can be initialised, or what is wrong with it.
type Read = Result<Candidate, String>;

pub(super) fn run(session: &mut Session<'_, '_>, import: &Import) -> Result<Answer, Failure> {
    let bytes = session.read(&import.file)?;
    let form = import.format.unwrap_or_else(|| form_of(import));
    let rows = rows::read(&bytes, form)?;
    if rows.is_empty() {
        return Err(Failure::new(
            Fault::Malformed,
            format!("{} has no rows", import.file.display()),
        )
        .hint("a table has a heading (CSV) or an object on each line (NDJSON)"));
    }
    let columns = columns(import, &rows)?;
    let mut serials = BTreeSet::new();
    let read: Vec<(u64, Option<String>, Read)> = rows
        .iter()
        .map(|row| {
            let read = candidate(session, import, &columns, row).and_then(|candidate| {
                let place = (candidate.what.kind(), candidate.serial.clone());
                let known = format!("serial number {} stands in an earlier row", candidate.serial);
                serials.insert(place).then_some(candidate).ok_or(known)
            });
            (row.line, columns.serial(row).map(str::to_owned), read)
        })
        .collect();
    let done = initialise(session, import, read)?;
    Ok(answer(&done, import.dry_run))
}

fn form_of(import: &Import) -> Form {
    match import.file.extension().and_then(|ending| ending.to_str()) {
        Some("ndjson" | "jsonl" | "json") => Form::Ndjson,
        _ => Form::Csv,
    }
}

/// Which column holds what: field to column, for every field that a row may have.
struct Columns(BTreeMap<String, String>);

const KIND: &str = "kind";
const KEY: &str = "key";

fn columns(import: &Import, rows: &[Row]) -> Result<Columns, Failure> {
    let present: BTreeSet<&str> =
        rows.iter().flat_map(|row| row.fields.keys().map(String::as_str)).collect();
    let given = Pair::map(&import.columns).unwrap_or_default();
    let missing = given.values().find(|column| !column.is_empty() && !present.contains(&***column));
    if let Some(column) = missing {
        let names: Vec<_> = present.iter().copied().collect();
        let failure = Failure::new(Fault::Usage, format!("there is no column `{column}`"));
        return Err(match crate::suggestion::nearest(column, names.iter().copied()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint(format!("the columns are {}", names.join(", "))),
        });
    }
    // A column that is not given another name is the field of its own name.
    let taken: BTreeSet<&str> = given.values().map(String::as_str).collect();
    let own = present.iter().filter(|column| !taken.contains(**column));
    let own = own.filter(|column| !given.contains_key(**column));
    let mut fields: BTreeMap<String, String> =
        own.map(|column| ((*column).to_owned(), (*column).to_owned())).collect();
    fields.extend(
        given.iter().filter(|(_, column)| !column.is_empty()).map(|(f, c)| (f.clone(), c.clone())),
    );
    Ok(Columns(fields))
}

impl Columns {
    fn field<'a>(&self, row: &'a Row, field: &str) -> Option<&'a str> {
        let value = row.fields.get(self.0.get(field)?)?.trim();
        Some(value).filter(|value| !value.is_empty())
    }

    fn serial<'a>(&self, row: &'a Row) -> Option<&'a str> {
        self.field(row, SERIAL)
    }

    fn specification(&self, row: &Row) -> BTreeMap<String, String> {
        let names =
            self.0.keys().filter(|name| ![KIND, KEY, SERIAL, NUMBER].contains(&name.as_str()));
        let pairs =
            names.filter_map(|name| Some((name.clone(), self.field(row, name)?.to_owned())));
        pairs.collect()
    }
}

fn candidate(session: &mut Session<'_, '_>, import: &Import, columns: &Columns, row: &Row) -> Read {
    use clap::ValueEnum as _;
    let what = match columns.field(row, KIND) {
        None => import.what,
        Some(kind) => What::from_str(kind, true)
            .map_err(|_| format!("`{kind}` is none of card, reader and sensor"))?,
    };
    let serial = columns.serial(row).ok_or("it has no serial number")?.to_owned();
    let key = columns.field(row, KEY).ok_or("it has no public key")?;
    let key = session.cose_key(key).map_err(|failure| failure.what)?;
    key.check().map_err(|error| format!("its public key is not usable: {error}"))?;
    Ok(Candidate { what, serial, specification: columns.specification(row), key })
}

/// Initialises what can be; a failure of the node ends it, with what is done already kept.
fn initialise(
    session: &mut Session<'_, '_>,
    import: &Import,
    rows: Vec<(u64, Option<String>, Read)>,
) -> Result<Vec<Done>, Failure> {
    let mut office = import.authority.open(session)?;
    let (client, organisation) = (office.client.clone(), office.organisation);
    let mut next = BTreeMap::new();
    let mut done = Vec::new();
    let all = rows.len() as u64;
    for (place, (line, serial, read)) in (1..).zip(rows) {
        session.progress("row", place, all);
        let row = |outcome, why| Done {
            line,
            serial: serial.clone(),
            outcome,
            number: None,
            thing: None,
            why,
        };
        let candidate = match read {
            Ok(candidate) => candidate,
            Err(why) => {
                done.push(row("refused", Some(why)));
                continue;
            }
        };
        if let Some(known) = with_serial(&client, organisation, candidate.what, &candidate.serial)?
        {
            done.push(Done { thing: Some(known.to_string()), ..row("known", None) });
            continue;
        }
        let kind = candidate.what.kind();
        let number = match next.get(&kind) {
            Some(number) => *number,
            None => next_number(&client, organisation, kind)?,
        };
        if import.dry_run {
            next.insert(kind, number + 1);
            done.push(Done { number: Some(number), ..row("would-initialise", None) });
            continue;
        }
        let (thing, statement, payload) = candidate.payload(organisation, number)?;
        match office.state(session, statement, &payload) {
            Ok(Stated::Written(_)) => {
                next.insert(kind, number + 1);
                let thing = Some(thing.to_string());
                done.push(Done { number: Some(number), thing, ..row("initialised", None) });
            }
            Ok(Stated::Proposed(_)) => {
                return Err(Failure::new(Fault::Usage, "several members sign each statement")
                    .because("a proposal is one statement, and a table has many")
                    .hint("use `touchmark center init` for each, or an identity with all keys"));
            }
            // The rules said no to this row alone; the next may be right.
            Err(failure) if failure.position.is_some() => {
                done.push(row("denied", failure.why.or(Some(failure.what))));
            }
            Err(failure) => {
                let count = done.iter().filter(|it| it.outcome == "initialised").count();
                let hint = failure.hint.clone().unwrap_or_default();
                return Err(failure.hint(format!(
                    "{hint}; {count} rows before line {line} are initialised: import the same table again to go on"
                )));
            }
        }
    }
    Ok(done)
}

fn answer(done: &[Done], dry_run: bool) -> Answer {
    let count = |outcome: &str| done.iter().filter(|row| row.outcome == outcome).count();
    let failed = count("refused") + count("denied");
    let mut table = Table::new(&["line", "serial", "outcome", "number", "thing", "why"]);
    for row in done {
        table.row([
            row.line.to_string(),
            row.serial.clone().unwrap_or_default(),
            row.outcome.to_owned(),
            row.number.map(|number| number.to_string()).unwrap_or_default(),
            row.thing.clone().unwrap_or_default(),
            row.why.clone().unwrap_or_default(),
        ]);
    }
    let document = serde_json::json!({
        "rows": done, "dry_run": dry_run, "initialised": count("initialised"),
        "known": count("known"), "failed": failed,
    });
    let exit = if failed == 0 { Exit::Fine } else { Exit::Refused };
    Answer::new(&document, table.to_string()).ending(exit)
}
