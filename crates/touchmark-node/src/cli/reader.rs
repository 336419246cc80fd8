//! Trusted readers: they pass on what cards present, and lock themselves when they are moved,
//! opened or tampered with (docs/adr/tamper-alerts.md).

mod backoff;
mod own_card;
mod service;
mod station;
mod tamper;

use super::answer::Answer;
use super::failure::{Exit, Failure, Fault};
use super::identity::folder::{Identity, State};
use super::identity::locking;
use super::identity::signing::Signing;
use super::session::Session;
use super::sheet::Sheet;
use own_card::OwnCard;
use station::Station;
use std::path::PathBuf;
use touchmark_core::directory::NewKey;
use touchmark_core::entry::Purposes;
use touchmark_keys::file::KeyFile;
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::ids::{KeyNumber, StatementId};

/// Commands of a reader
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Pass on what cards present, a URL on each line, until the input ends
    Run(service::Run),
    /// Lock this reader at once and send a signed alert, now or as soon as a node answers
    Alert(Alert),
    /// Show whether a reader is locked and what waits to be sent
    Status(Named),
    /// Go on with the new key under which the control center reinstated this reader
    Return(Return),
}

#[derive(clap::Args, Debug)]
pub(crate) struct Alert {
    #[command(flatten)]
    signing: Signing,
    /// What was noticed
    #[arg(long, default_value = "tamper contact")]
    reason: String,
    #[command(flatten)]
    own_card: OwnCard,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Named {
    #[command(flatten)]
    signing: Signing,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Return {
    #[command(flatten)]
    signing: Signing,
    /// The new key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Run(run) => service::run(session, &run),
        Command::Alert(alert) => raise(session, &alert),
        Command::Status(named) => status(session, &named.signing),
        Command::Return(back) => come_back(session, &back),
    }
}

/// Locks first, whatever else fails; then signs, keeps and sends.
fn raise(session: &mut Session<'_, '_>, alert: &Alert) -> Result<Answer, Failure> {
    let name = alert.signing.name(session)?;
    locking::lock(&session.home()?, &name, &alert.reason)?;
    let card = alert.own_card.held(session).and_then(|held| held.map(|it| it.lock()).transpose());
    let mut sheet = Sheet::default();
    sheet.add("locked", true);
    match card {
        Ok(card) => sheet.add_some("card", card.map(|()| "locked")),
        Err(failure) => sheet.add("card", failure.what).add_some("card why", failure.why),
    };
    let mut station = match Station::open(session, &alert.signing) {
        Ok(station) => station,
        Err(failure) if failure.code == Fault::Busy.code() => {
            sheet.add("alert", "running");
            sheet.add("next", "the reader that is running sends the alert");
            return Ok(Answer::sheet(&sheet));
        }
        Err(failure) => return Err(failure),
    };
    station.finish_alert()?;
    let sent = station.deliver_all();
    let alert = match &sent {
        Ok(denied) if denied.is_empty() => "delivered",
        Ok(_) => "denied",
        Err(_) => "waiting",
    };
    sheet.add("alert", alert).add("waiting", station.waiting());
    match sent {
        Ok(denied) => {
            let Some(failure) = denied.last() else { return Ok(Answer::sheet(&sheet)) };
            sheet.add("code", failure.code.as_str());
            sheet.add_some("why", failure.why.as_deref());
            sheet.add_some("hint", failure.hint.as_deref());
            Ok(Answer::sheet(&sheet).ending(Exit::Refused))
        }
        Err(failure) => {
            sheet.add("why", failure.what.as_str());
            sheet.add("next", format!("touchmark reader run --as {name}"));
            Ok(Answer::sheet(&sheet).ending(Exit::Unavailable))
        }
    }
}

fn status(session: &Session<'_, '_>, signing: &Signing) -> Result<Answer, Failure> {
    let (home, name) = (session.home()?, signing.name(session)?);
    let state = super::identity::folder::state_of(&home, &name)?;
    let locked = locking::locked(&home, &name)?;
    let mut sheet = Sheet::default();
    sheet.add("name", name.as_str()).add("thing", state.thing.as_str());
    sheet.add("locked", locked.is_some()).add_some("reason", locked);
    sheet.add("waiting", super::identity::folder::waiting_of(&home, &name)?);
    Ok(Answer::sheet(&sheet))
}

/// The network has the reader under a new key: that key, and no other, may go on.
fn come_back(session: &mut Session<'_, '_>, back: &Return) -> Result<Answer, Failure> {
    let mut identity: Identity = back.signing.open_even_locked(session)?;
    let file = KeyFile::decode(&session.read(&back.key)?).map_err(|error| {
        Failure::new(Fault::Malformed, format!("{} is no key file", back.key.display()))
            .because(error)
            .hint("`touchmark center key` makes one")
    })?;
    let view = session.client()?.thing(identity.thing()?)?;
    let is_ours = |key: &&touchmark_api::KeyView| {
        CoseKey::decode(&key.key.0).is_ok_and(|key| key == *file.public())
    };
    let Some(key) = view.keys.iter().find(is_ours) else {
        return Err(Failure::new(
            Fault::Locked,
            "the network does not have this key for the reader",
        )
        .because(format!("the reader is {} there", view.status.status))
        .hint("its controller reinstates it: `touchmark center reinstate … --key`"));
    };
    let wrong = || Failure::new(Fault::Answer, "the node names no head of the chain");
    let purposes = key.purposes.iter().filter_map(|name| Purposes::named(name));
    let purposes = purposes.fold(0, |sum, one| sum | one.0);
    let new = NewKey { key: *file.public(), purposes: Purposes(purposes), weight: key.weight };
    let network: StatementId = identity.state.network.parse().map_err(|_| wrong())?;
    let last: StatementId = view.head.last.parse().map_err(|_| wrong())?;
    let mut state = State::new(identity.thing()?, network.0, view.kind.clone(), view.threshold);
    state.keys.clear();
    state.next_number = key.number;
    state.add_keys(&[new]);
    state.next_number = view.next_number;
    (state.sequence, state.last) = (view.head.sequence, last.to_string());
    state.keep_channels_of(&identity.state);
    identity.unlock(&file, state)?;
    let mut sheet = Sheet::default();
    sheet.add("name", identity.name.as_str()).add("thing", view.id.as_str());
    sheet.add("locked", false).add("key", KeyNumber(key.number).0);
    Ok(Answer::sheet(&sheet))
}
