//! Identities held here: keys and chains of things that this machine speaks for.

mod chains;
mod commitment;
pub(crate) mod creation;
pub(crate) mod folder;
pub(crate) mod locking;
mod rotation;
pub(crate) mod signing;

pub(crate) use folder::{names, thing_of};

use super::answer::{Answer, Table};
use super::failure::{Exit, Failure};
use super::session::Session;
use super::sheet::{Field, Sheet};
use folder::{Identity, State, state_of, waiting_of};
use signing::Heads;
use touchmark_core::entry::Purposes;
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::ThingId;

/// Commands about identities
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Make keys for a new identity and present it to the network
    Create(Box<creation::Create>),
    /// List the identities held here
    List,
    /// Show an identity: its thing, keys and chain
    Show {
        /// Its name; otherwise the context's identity
        name: Option<String>,
    },
    /// Exchange the keys of an identity for new ones
    Rotate(rotation::Rotate),
    /// Deliver what is pending, and take over the chain's head from the node
    Resume(Resume),
}

#[derive(clap::Args, Debug)]
pub(super) struct Resume {
    /// Its name
    name: String,
    /// Forget the pending statements, and put a damaged outbox aside; only safe when no node ever
    /// took them
    #[arg(long)]
    discard: bool,
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Create(create) => creation::run(session, &create),
        Command::List => list(session),
        Command::Show { name } => show(session, name),
        Command::Rotate(rotate) => rotation::run(session, &rotate),
        Command::Resume(resume) => run_resume(session, &resume),
    }
}

fn list(session: &Session<'_, '_>) -> Result<Answer, Failure> {
    let home = session.home()?;
    let mut table = Table::new(&["name", "kind", "thing", "place"]);
    let mut documents = Vec::new();
    for name in names(&home)? {
        let state = state_of(&home, &name)?;
        table.row([
            name.clone(),
            state.kind.clone(),
            state.thing.clone(),
            state.sequence.to_string(),
        ]);
        documents.push(sheet(&name, &state).document());
    }
    Ok(Answer::new(&documents, table.to_string()))
}

fn show(session: &Session<'_, '_>, name: Option<String>) -> Result<Answer, Failure> {
    let home = session.home()?;
    let name = name.or(session.context()?.identity).ok_or_else(|| {
        Failure::new(super::failure::Fault::Usage, "no identity is named")
            .hint("give its name; `touchmark identity list` shows them")
    })?;
    let state = state_of(&home, &name)?;
    let mut sheet = sheet(&name, &state);
    sheet.add("pending", waiting_of(&home, &name)?);
    Ok(Answer::sheet(&sheet))
}

/// An identity as people and programs see it.
fn sheet(name: &str, state: &State) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("name", name).add("thing", state.thing.as_str());
    if let (Ok(thing), Ok(network)) = (state.thing.parse::<ThingId>(), state.network.parse()) {
        sheet.add("did", thing.did(&network).to_string());
    }
    sheet.add("kind", state.kind.as_str()).add("network", state.network.as_str());
    sheet.add("threshold", state.threshold);
    let keys = state.keys.iter().map(|held| {
        let mut key = Sheet::default();
        key.add("number", held.number);
        if let Ok(cose) = CoseKey::decode(&held.key.0) {
            key.add("algorithm", cose.algorithm().name());
        }
        key.add("purposes", super::explain::purposes(Purposes(held.purposes)));
        key.add("weight", held.weight);
        key.add("digest", Digest::of(&[&held.key.0]).to_string());
        key
    });
    sheet.add("keys", keys.collect::<Field>());
    sheet.add("next keys", state.next_keys.iter().map(String::as_str).collect::<Field>());
    sheet.add("sequence", state.sequence).add("last", state.last.as_str());
    let channels = state.channels.keys().map(|channel| {
        let mut chain = Sheet::default();
        let (sequence, last) = state.reached(channel.parse().ok());
        chain.add("channel", channel.as_str()).add("sequence", sequence).add("last", last);
        chain
    });
    if !state.channels.is_empty() {
        sheet.add("channels", channels.collect::<Field>());
    }
    sheet
}

/// What is in the log without effect.
fn denial(failure: &Failure) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add_some("position", failure.position).add("code", failure.code.as_str());
    sheet.add_some("why", failure.why.as_deref()).add_some("hint", failure.hint.as_deref());
    sheet
}

fn run_resume(session: &mut Session<'_, '_>, resume: &Resume) -> Result<Answer, Failure> {
    let (home, client) = (session.home()?, session.client()?);
    let (mut identity, heads, delivered, aside) = if resume.discard {
        // Asked before anything is forgotten: what arrived unseen would be signed again.
        let id = folder::thing_of(&home, &resume.name)?;
        let heads = Heads::ask(&client, id, &state_of(&home, &resume.name)?)?;
        let (identity, aside) = Identity::open_discarding(&home, &resume.name)?;
        (identity, heads, signing::Delivered::default(), aside)
    } else {
        let mut identity = Identity::open(&home, &resume.name)?;
        let delivered = signing::deliver_pending(session, &client, &mut identity)?;
        let heads = Heads::ask(&client, identity.thing()?, &identity.state)?;
        (identity, heads, delivered, None)
    };
    heads.adopt(&mut identity)?;
    identity.keep_keys(|number| heads.thing.keys.iter().any(|key| key.number == number))?;
    let mut sheet = sheet(&identity.name, &identity.state);
    sheet.add_some("put aside", aside.map(|folder| folder.display().to_string()));
    sheet.add_some("delivered at", delivered.last.and_then(|written| written.position));
    if delivered.denied.is_empty() {
        return Ok(Answer::sheet(&sheet));
    }
    sheet.add("denied", delivered.denied.iter().map(denial).collect::<Field>());
    Ok(Answer::sheet(&sheet).ending(Exit::Refused))
}
