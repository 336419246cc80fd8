//! This computer as a sensor: its own measurements, in the chain of a device.

mod publication;

use super::answer::{Answer, Table};
use super::clock::Clock;
use super::failure::{Exit, Failure, Fault};
use super::identity::signing::Signing;
use super::session::Session;
use super::sheet::Sheet;
use crate::node::now;
use crate::sensor::Sensor;
use publication::{Publication, Sent};
use std::time::Duration;
use touchmark_api::senml::Measurement;
use touchmark_wire::ids::{Did, NetworkId, ThingId};
use touchmark_wire::registry::ContentFormat;

/// Commands about this computer as a sensor
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Measure once and show it; nothing is signed or sent
    Read(Read),
    /// Publish measurements as records of a device
    ///
    /// Load, memory, uptime and temperatures of this computer, as far as it has them, are signed in
    /// the chain of the identity and kept in its outbox until the node has them. When the node is
    /// away measuring goes on; later everything is sent in order, byte by byte as it was signed.
    Run(Run),
}

#[derive(clap::Args, Debug)]
pub(super) struct Read {
    /// Identity whose name the values have; otherwise the context's
    #[arg(long = "as", value_name = "IDENTITY")]
    identity: Option<String>,
}

#[derive(clap::Args, Debug)]
pub(super) struct Run {
    #[command(flatten)]
    signing: Signing,
    /// Time from one measurement to the next, such as 500ms, 10s, 5min
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = crate::config::duration)]
    interval: Duration,
    /// End after so many measurements; otherwise go on until stopped
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// How values are written: senml+cbor or senml+json
    #[arg(long, value_name = "FORMAT", default_value = "senml+cbor", value_parser = format)]
    format: ContentFormat,
}

fn format(text: &str) -> Result<ContentFormat, String> {
    let format = super::registered::content_format(text)?;
    let is_senml = [ContentFormat::SENML_JSON, ContentFormat::SENML_CBOR].contains(&format);
    if is_senml { Ok(format) } else { Err("expected senml+cbor or senml+json".into()) }
}

pub(super) fn run(session: &mut Session<'_, '_>, command: &Command) -> Result<Answer, Failure> {
    match command {
        Command::Read(read) => show(session, read),
        Command::Run(run) => publish(session, run),
    }
}

fn show(session: &Session<'_, '_>, read: &Read) -> Result<Answer, Failure> {
    let name = read.identity.clone().or(session.context()?.identity).ok_or_else(|| {
        Failure::new(Fault::Usage, "no identity is named")
            .because("a measurement names who measured")
            .hint("give --as NAME; `touchmark identity create NAME --kind device` makes one")
    })?;
    let state = super::identity::folder::state_of(&session.home()?, &name)?;
    let did = did(&state.thing, &state.network)?;
    let pack = Sensor::default().measure(&did, now());
    let measured = pack.resolve().map_err(|error| {
        Failure::new(Fault::Internal, "a measurement cannot be read back").because(error)
    })?;
    let mut table = Table::new(&["what", "value", "unit"]);
    for Measurement { name, value, unit, .. } in &measured {
        let what = name.rsplit_once(':').map_or(name.as_str(), |(_, what)| what);
        table.row([what.to_owned(), value.to_string(), unit.clone().unwrap_or_default()]);
    }
    Ok(Answer::new(&pack, table.to_string()))
}

fn did(thing: &str, network: &str) -> Result<Did, Failure> {
    let ids = thing.parse::<ThingId>().ok().zip(network.parse::<NetworkId>().ok());
    ids.map(|(thing, network)| thing.did(&network)).ok_or_else(|| {
        Failure::new(Fault::Damaged, "the identity's state names no thing or no network")
    })
}

fn publish(session: &mut Session<'_, '_>, run: &Run) -> Result<Answer, Failure> {
    let mut publication = Publication::open(session, &run.signing)?;
    let mut clock = Clock::new(run.interval)?;
    let mut sensor = Sensor::default();
    let did = publication.did()?;
    let mut measured = 0;
    loop {
        let pack = sensor.measure(&did, now());
        let payload = match run.format {
            ContentFormat::SENML_JSON => serde_json::to_vec(&pack).map_err(|error| {
                Failure::new(Fault::Internal, "a measurement cannot be written").because(error)
            })?,
            _ => pack.to_cbor(),
        };
        if publication.keep(session, run.format, &payload)? {
            measured += 1;
        }
        publication.send(session)?;
        if run.count.is_some_and(|count| measured >= count) || clock.was_stopped_before_next() {
            return Ok(summary(measured, &publication));
        }
    }
}

fn summary(measured: u64, publication: &Publication) -> Answer {
    let Sent { delivered, last, denied } = publication.sent();
    let mut sheet = Sheet::default();
    sheet.add("measured", measured).add("delivered", delivered).add("denied", denied);
    sheet.add("waiting", publication.waiting());
    sheet.add_some("position", last);
    let exit = match (publication.waiting(), denied) {
        (0, 0) => Exit::Fine,
        (0, _) => Exit::Refused,
        _ => Exit::Unavailable,
    };
    Answer::sheet(&sheet).ending(exit)
}
