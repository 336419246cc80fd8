//! The command line: `touchmark NOUN VERB …`.
//!
//! A command reads nothing of the process it runs in: what it needs of the outside world is in an
//! [`Environment`], so that tests run commands as they are. A noun is a module with its verbs as an
//! enum and a function `run`, a variant of `Noun`, and a row of its `match`.
//!
//! Exit codes: 0 fine, 1 a verdict is negative or something was refused, 2 misuse, 3 not available,
//! 4 a fault here. With `--json` an answer is one document on standard output, and so is a failure:
//! `{"error": {"code", "what", "why", "hint"}}`.

mod agreement;
mod answer;
mod apikey;
mod assurance;
mod attributes;
mod audit;
mod card;
mod center;
mod channel;
mod clock;
mod config;
mod context;
mod doctor;
mod environment;
mod evidence;
pub(crate) mod explain;
mod failure;
mod identity;
mod input;
mod inspect;
mod leaf;
mod manual;
mod mirror;
pub(crate) mod moment;
mod network;
mod node;
mod passphrase;
mod progress;
mod proof;
mod reach;
mod reader;
mod receipt;
mod record;
mod registered;
mod sensor;
mod session;
pub(crate) mod sheet;
mod statement;
mod thing;
mod verify;
mod view;
mod witness;

pub use environment::{Environment, Terminal};
pub use failure::{Exit, Failure};

use answer::Answer;
use clap::{CommandFactory as _, FromArgMatches as _};
use session::Session;
use std::ffi::OsString;
use std::path::PathBuf;

/// Proves what things are, what happened to them and who they obey, without trust in a server
///
/// Every thing has an identity that it can prove, a history that nobody can rewrite, and an owner
/// that it obeys. This program is the node, and the tool of everyone who uses one.
#[derive(clap::Parser, Debug)]
#[command(name = "touchmark", version, arg_required_else_help = true, term_width = 100)]
#[command(after_long_help = EXITS)]
struct Line {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    noun: Noun,
}

const EXITS: &str =
    "Exit codes: 0 fine, 1 a verdict is negative or something was refused, 2 misuse,
3 not available, 4 a fault here.

Environment: TOUCHMARK__LOG filters the log on standard error. TOUCHMARK__HOME, TOUCHMARK__CONTEXT__NODE, TOUCHMARK__CONTEXT__IDENTITY and
TOUCHMARK__CONTEXT__NETWORK override the context; options override both.";

/// Options of every command
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct Global {
    /// Answer with one JSON document
    #[arg(long, global = true, help_heading = "Global options")]
    json: bool,
    /// Address of the node, such as http://127.0.0.1:8080; otherwise the context's
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    node: Option<String>,
    /// Context to use this once
    #[arg(long, global = true, value_name = "NAME", help_heading = "Global options")]
    context: Option<String>,
    /// Folder with contexts and identities
    #[arg(long, global = true, value_name = "FOLDER", help_heading = "Global options")]
    home: Option<PathBuf>,
}

#[derive(clap::Subcommand, Debug)]
enum Noun {
    // Nouns of a single command are described where their arguments are.
    Verify(verify::Verify),
    Inspect(inspect::Inspect),
    Mirror(mirror::Copy),
    Audit(audit::Audit),
    Doctor(doctor::Doctor),
    /// Identities that this machine speaks for
    #[command(subcommand)]
    Identity(identity::Command),
    /// Things: register, change, look up
    #[command(subcommand)]
    Thing(thing::Command),
    /// An organisation's control center: cards, readers and sensors, and their directory
    #[command(subcommand)]
    Center(center::Command),
    /// Readers of cards: pass on what cards present, and lock when they are tampered with
    #[command(subcommand)]
    Reader(reader::Command),
    /// Records: data in an identity's chain
    #[command(subcommand)]
    Record(record::Command),
    /// Channels: audit trails into which those write whom the author lets
    #[command(subcommand)]
    Channel(channel::Command),
    /// Smart cards: issue, read, tap, have them sign
    #[command(subcommand)]
    Card(card::Command),
    /// This computer as a sensor
    #[command(subcommand)]
    Sensor(sensor::Command),
    /// Evidence that cards and devices made
    #[command(subcommand)]
    Evidence(evidence::Command),
    /// Statements that were signed elsewhere
    #[command(subcommand)]
    Statement(statement::Command),
    /// Receipts: signed proofs of inclusion for COSE tools
    #[command(subcommand)]
    Receipt(receipt::Command),
    /// Proofs: bundles that verify without a network
    #[command(subcommand)]
    Proof(proof::Command),
    /// This machine's node
    #[command(subcommand)]
    Node(node::Command),
    /// Configuration of this machine's node
    #[command(subcommand)]
    Config(config::Command),
    /// API keys of this machine's node, for administration only
    #[command(subcommand)]
    Apikey(apikey::Command),
    /// The network that a node is part of
    #[command(subcommand)]
    Network(network::Command),
    /// Witnesses outside of a network: be one for other logs, have them for your own
    #[command(subcommand)]
    Witness(witness::Command),
    /// Contexts: which node, identity and network to use
    #[command(subcommand)]
    Context(context::Command),
    Completions(manual::Completions),
    Man(manual::Man),
}

fn dispatch(session: &mut Session<'_, '_>, noun: Noun) -> Result<Answer, Failure> {
    match noun {
        Noun::Verify(verify) => verify::run(session, &verify),
        Noun::Inspect(inspect) => inspect::run(session, &inspect),
        Noun::Mirror(copy) => mirror::run(session, &copy),
        Noun::Audit(audit) => audit::run(session, &audit),
        Noun::Doctor(doctor) => Ok(doctor::run(session, &doctor)),
        Noun::Identity(command) => identity::run(session, command),
        Noun::Thing(command) => thing::run(session, command),
        Noun::Center(command) => center::run(session, command),
        Noun::Reader(command) => reader::run(session, command),
        Noun::Record(command) => record::run(session, command),
        Noun::Channel(command) => channel::run(session, command),
        Noun::Card(command) => card::run(session, command),
        Noun::Sensor(command) => sensor::run(session, &command),
        Noun::Evidence(command) => evidence::run(session, command),
        Noun::Statement(command) => statement::run(session, command),
        Noun::Receipt(command) => receipt::run(session, command),
        Noun::Proof(command) => proof::run(session, command),
        Noun::Node(command) => node::run(session, &command),
        Noun::Config(command) => config::run(session, &command),
        Noun::Apikey(command) => apikey::run(session, command),
        Noun::Network(command) => network::run(session, &command),
        Noun::Witness(command) => witness::run(session, command),
        Noun::Context(command) => context::run(session, command),
        Noun::Completions(completions) => Ok(manual::completions(&completions)),
        Noun::Man(man) => manual::man(session, &man),
    }
}

/// The command line as clap knows it, for completions, manual pages and documents.
pub fn command() -> clap::Command {
    Line::command()
}

/// Runs one command; `arguments` begin with the program's name.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &mut Environment<'_>,
) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let json = arguments.iter().take_while(|it| *it != "--").any(|it| it == "--json");
    let matches = command().try_get_matches_from(arguments);
    let line = match matches.and_then(|matches| Line::from_arg_matches(&matches)) {
        Ok(line) => line,
        Err(error) => return misuse(&error, json, environment),
    };
    let mut session = Session::new(environment, line.global);
    let ended = dispatch(&mut session, line.noun);
    session.clear_progress();
    let has_answered = session.has_answered;
    match ended {
        Ok(answer) if has_answered => answer.exit,
        Ok(answer) => say(&answer, json, environment),
        // Standard output has its one document already.
        Err(failure) => fail(&failure, json && !has_answered, environment),
    }
}

fn say(answer: &Answer, json: bool, environment: &mut Environment<'_>) -> Exit {
    match answer.write(json, environment.stdout) {
        Ok(()) => answer.exit,
        // The reader has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => answer.exit,
        Err(_) => Exit::Internal,
    }
}

fn fail(failure: &Failure, json: bool, environment: &mut Environment<'_>) -> Exit {
    // Where nobody listens, the exit code says what there is to say.
    let _ = writeln!(environment.stderr, "{failure}");
    if json {
        let _ = writeln!(environment.stdout, "{}", failure.document());
    }
    failure.exit
}

/// What clap did not take: a request for help, or a mistake.
fn misuse(error: &clap::Error, json: bool, environment: &mut Environment<'_>) -> Exit {
    let text = error.render().to_string();
    if !error.use_stderr() {
        let _ = environment.stdout.write_all(text.as_bytes());
        return Exit::Fine;
    }
    let _ = environment.stderr.write_all(text.as_bytes());
    let is_help = error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !is_help {
        let _ = writeln!(environment.stderr, "code: TM-USAGE");
    }
    if json {
        let what = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let failure = Failure::new(failure::Fault::Usage, what);
        let _ = writeln!(environment.stdout, "{}", failure.document());
    }
    Exit::Misuse
}
