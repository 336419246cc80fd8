//! Things: registered, changed and looked up.

use super::agreement::{self, Asking};
use super::answer::{Answer, Table};
use super::attributes::Pair;
use super::failure::{Failure, Fault};
use super::identity::creation::{nonce, usual_purposes};
use super::identity::signing::{Proposal, Signers, Signing};
use super::session::Session;
use super::{leaf, registered, view};
use std::path::PathBuf;
use touchmark_api::client::{Page, ThingsQuery};
use touchmark_core::directory::NewKey;
use touchmark_core::directory::accreditation::Accredit;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::status::{SetStatus, ends_keys};
use touchmark_core::directory::update::Update;
use touchmark_wire::codec;
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::{StatementKind, Status, ThingKind};

/// Commands about things
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Present a thing that does not sign statements itself, such as a card
    Register(Register),
    /// Show what the network knows of a thing
    Show {
        /// Thing id, DID, or identity held here
        id: String,
    },
    Ask(Ask),
    /// List things
    List(List),
    /// Change a thing's status: suspended, stolen, retired and so on
    Status(SetStatusOf),
    /// Set or remove attributes of a thing
    Update(UpdateOf),
    /// Vouch for a thing in roles, or withdraw that
    Accredit(AccreditOf),
    /// List the history of a thing, and among it what others say of it (mentions)
    History(History),
}

#[derive(clap::Args, Debug)]
pub(super) struct Register {
    #[command(flatten)]
    signing: Signing,
    /// What it stands for
    #[arg(long, default_value = "device", value_parser = registered::thing_kind())]
    kind: ThingKind,
    /// Its public key: COSE_Key file, key file, or text; repeatable
    #[arg(long = "key", value_name = "COSE_KEY")]
    keys: Vec<String>,
    /// Attribute, such as serial=4711; repeatable
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    attributes: Vec<Pair>,
}

/// Ask several nodes, none of which is trusted, what they know of a thing
///
/// For whoever can check no certificate. Nodes are drawn at random from a list of 30 to 40, and the
/// answer counts if enough of them say the same of the thing: kind, controller, status, keys,
/// attributes, and that there is no such thing. The answer says how many were asked, who said
/// otherwise, and how likely a lie is believed if a third of the list tells it. It convinces nobody else, and whoever fills the list, or stands on the way to all
/// nodes, decides what they say: where you can, take a proof (`touchmark proof fetch`).
///
/// Exit code 0 if they agree, 1 if they do not (or the thing is changing: ask again), 3 if too few
/// answer.
#[derive(clap::Args, Debug)]
pub(super) struct Ask {
    /// Thing id, DID, or identity held here
    id: String,
    /// File with the list of nodes
    #[arg(long, value_name = "FILE")]
    nodes: PathBuf,
    #[command(flatten)]
    asking: Asking,
    /// Network to trust: its id in hexadecimal, or its genesis document; otherwise the context's.
    /// Where nothing says which, the nodes have to agree on it, too
    #[arg(long, value_name = "ID|FILE")]
    trust: Option<String>,
}

#[derive(clap::Args, Debug)]
pub(super) struct List {
    /// Of this kind only
    #[arg(long, value_parser = registered::thing_kind())]
    kind: Option<ThingKind>,
    /// Under this controller only
    #[arg(long, value_name = "ID")]
    controller: Option<String>,
    /// With this attribute
    #[arg(long, value_name = "NAME")]
    attribute: Option<String>,
    /// Of this value
    #[arg(long, requires = "attribute")]
    value: Option<String>,
    /// Of a value that begins so
    #[arg(long, requires = "attribute", conflicts_with = "value")]
    prefix: Option<String>,
    #[command(flatten)]
    part: Part,
}

/// Which part of a list
#[derive(clap::Args, Debug)]
pub(crate) struct Part {
    /// Go on where the list before ended
    #[arg(long)]
    cursor: Option<String>,
    /// At most so many
    #[arg(long)]
    limit: Option<u32>,
}

#[derive(clap::Args, Debug)]
pub(super) struct SetStatusOf {
    #[command(flatten)]
    signing: Signing,
    /// Thing id, DID, or identity held here
    id: String,
    /// The new status
    #[arg(value_parser = registered::status())]
    status: Status,
    /// Why, in your own words
    #[arg(long)]
    reason: Option<String>,
    /// New key, with a return to active; repeatable
    #[arg(long = "key", value_name = "COSE_KEY")]
    keys: Vec<String>,
}

#[derive(clap::Args, Debug)]
pub(super) struct UpdateOf {
    #[command(flatten)]
    signing: Signing,
    /// Thing id, DID, or identity held here
    id: String,
    /// Attributes to set
    #[arg(value_name = "NAME=VALUE", required_unless_present = "remove")]
    set: Vec<Pair>,
    /// Attribute to remove; repeatable
    #[arg(long, value_name = "NAME")]
    remove: Vec<String>,
}

#[derive(clap::Args, Debug)]
pub(super) struct AccreditOf {
    #[command(flatten)]
    signing: Signing,
    /// Thing id, DID, or identity held here
    id: String,
    /// Roles, in your own words
    #[arg(value_name = "ROLE", required_unless_present = "withdraw")]
    roles: Vec<String>,
    /// Vouch no longer
    #[arg(long, conflicts_with = "roles")]
    withdraw: bool,
}

#[derive(clap::Args, Debug)]
pub(super) struct History {
    /// Thing id, DID, or identity held here
    id: String,
    #[command(flatten)]
    part: Part,
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Register(register) => run_register(session, &register),
        Command::Show { id } => {
            let id = session.thing(&id)?;
            let view = session.client()?.thing(id)?;
            Ok(Answer::new(&view, view::thing(&view).to_string()))
        }
        Command::Ask(ask) => {
            let id = session.thing(&ask.id)?;
            let list = agreement::list(session, &ask.nodes)?;
            let (policy, about) = (ask.asking.policy(&list)?, (id, ask.asking.least()));
            Ok(agreement::ask(session, &list, policy, about, ask.trust.as_deref())?.answer())
        }
        Command::List(list) => run_list(session, list),
        Command::Status(status) => run_status(session, &status),
        Command::Update(update) => run_update(session, &update),
        Command::Accredit(accredit) => run_accredit(session, &accredit),
        Command::History(history) => {
            let id = session.thing(&history.id)?;
            let listing = session.client()?.history(id, &history.part.page())?;
            Ok(Answer::new(&listing, leaf::table(&listing)))
        }
    }
}

impl Part {
    pub(crate) fn page(&self) -> Page {
        Page { cursor: self.cursor.clone(), limit: self.limit }
    }
}

fn run_register(session: &mut Session<'_, '_>, register: &Register) -> Result<Answer, Failure> {
    let controller = register.signing.open(session)?.thing()?;
    let keys = new_keys(session, &register.keys, register.kind)?;
    let payload = Inception {
        kind: register.kind,
        keys,
        threshold: 1,
        next: None,
        nonce: nonce()?,
        controller: Some(controller),
        owners: None,
        attributes: Pair::map(&register.attributes),
    }
    .encode_to_vec();
    let thing = Inception::id_of(&payload);
    let proposal = Proposal::new(StatementKind::REGISTER, &payload);
    state(session, &register.signing, &proposal, thing)
}

fn run_list(session: &Session<'_, '_>, list: List) -> Result<Answer, Failure> {
    let controller = list.controller.map(|text| session.thing(&text)).transpose()?;
    let listing = session.client()?.things(&ThingsQuery {
        kind: list.kind,
        controller,
        attribute: list.attribute,
        value: list.value,
        prefix: list.prefix,
        page: list.part.page(),
        ..ThingsQuery::default()
    })?;
    let mut table = Table::new(&["id", "kind", "status", "attributes"]);
    for thing in &listing.items {
        let pairs = thing.attributes.iter().map(|(name, value)| format!("{name}={value}"));
        let attributes = pairs.collect::<Vec<_>>().join(" ");
        table.row([thing.id.clone(), thing.kind.clone(), thing.status.status.clone(), attributes]);
    }
    let text = table.to_string() + &view::more(listing.next.as_deref());
    Ok(Answer::new(&listing, text))
}

fn run_status(session: &mut Session<'_, '_>, status: &SetStatusOf) -> Result<Answer, Failure> {
    let thing = session.thing(&status.id)?;
    let ends = ends_keys(status.status);
    let mut committed = if ends { status.signing.committed(session, thing)? } else { None };
    // Where there is a controller, it can take the end back: the present keys sign.
    if committed.is_some() && session.client()?.thing(thing)?.controller.is_some() {
        committed = None;
    }
    let signers = if committed.is_some() { Signers::Committed } else { Signers::Present };
    let keys = if committed.is_some() {
        committed
    } else if status.keys.is_empty() {
        None
    } else {
        let kind = session.client()?.thing(thing)?.kind;
        let kind = ThingKind::from_name(&kind).unwrap_or(ThingKind::DEVICE);
        Some(new_keys(session, &status.keys, kind)?)
    };
    let reason = status.reason.clone();
    let payload = codec::encode(&SetStatus { thing, status: status.status, reason, keys });
    let proposal = Proposal { signers, ..Proposal::new(StatementKind::STATUS, &payload) };
    state(session, &status.signing, &proposal, thing)
}

fn run_update(session: &mut Session<'_, '_>, update: &UpdateOf) -> Result<Answer, Failure> {
    let thing = session.thing(&update.id)?;
    if let Some(both) = update.set.iter().find(|pair| update.remove.contains(&pair.name)) {
        let what = format!("`{}` cannot be both set and removed", both.name);
        return Err(Failure::new(Fault::Usage, what).hint("leave one of them out"));
    }
    let set = Pair::map(&update.set).unwrap_or_default();
    let payload = codec::encode(&Update { thing, set, remove: update.remove.clone() });
    let proposal = Proposal::new(StatementKind::UPDATE, &payload);
    state(session, &update.signing, &proposal, thing)
}

fn run_accredit(session: &mut Session<'_, '_>, accredit: &AccreditOf) -> Result<Answer, Failure> {
    let thing = session.thing(&accredit.id)?;
    let payload = codec::encode(&Accredit { thing, roles: accredit.roles.clone() });
    let proposal = Proposal::new(StatementKind::ACCREDIT, &payload);
    state(session, &accredit.signing, &proposal, thing)
}

/// States something about `thing`.
fn state(
    session: &mut Session<'_, '_>,
    signing: &Signing,
    proposal: &Proposal<'_>,
    thing: ThingId,
) -> Result<Answer, Failure> {
    let written = signing.state(session, proposal)?;
    Ok(view::written(&written, Some(&thing.to_string())))
}

fn new_keys(
    session: &mut Session<'_, '_>,
    arguments: &[String],
    kind: ThingKind,
) -> Result<Vec<NewKey>, Failure> {
    let key = |argument: &String| {
        let key = session.cose_key(argument)?;
        Ok(NewKey::new(key, usual_purposes(kind)))
    };
    arguments.iter().map(key).collect()
}
