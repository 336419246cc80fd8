//! Revoking things and bringing them back.

use super::authority::Authority;
use super::reference;
use crate::cli::answer::Answer;
use crate::cli::failure::{Failure, Fault};
use crate::cli::identity::creation::usual_purposes;
use crate::cli::registered;
use crate::cli::session::Session;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::status::SetStatus;
use touchmark_wire::codec;
use touchmark_wire::registry::{StatementKind, Status, ThingKind};

#[derive(clap::Args, Debug)]
pub(crate) struct Revoke {
    /// Its id, or kind and number such as card/12
    thing: String,
    /// What happened to it
    #[arg(value_parser = registered::status())]
    status: Status,
    /// Why, in your own words
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    authority: Authority,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Reinstate {
    /// Its id, or kind and number such as card/12
    thing: String,
    /// Its new key; needed after stolen, lost and tampered
    #[arg(long, value_name = "COSE_KEY")]
    key: Option<String>,
    /// Why, in your own words
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    authority: Authority,
}

pub(super) fn revoke(session: &mut Session<'_, '_>, revoke: &Revoke) -> Result<Answer, Failure> {
    if revoke.status == Status::ACTIVE {
        return Err(Failure::new(Fault::Usage, "`active` revokes nothing")
            .hint("`touchmark center reinstate` brings a thing back"));
    }
    set(session, &revoke.authority, &revoke.thing, (revoke.status, revoke.reason.clone()), None)
}

pub(super) fn reinstate(
    session: &mut Session<'_, '_>,
    reinstate: &Reinstate,
) -> Result<Answer, Failure> {
    let to = (Status::ACTIVE, reinstate.reason.clone());
    set(session, &reinstate.authority, &reinstate.thing, to, reinstate.key.as_deref())
}

fn set(
    session: &mut Session<'_, '_>,
    authority: &Authority,
    thing: &str,
    (status, reason): (Status, Option<String>),
    key: Option<&str>,
) -> Result<Answer, Failure> {
    let mut office = authority.open(session)?;
    let thing = reference::thing(session, &office.client, office.organisation, thing)?;
    let keys = match key {
        None => None,
        Some(key) => {
            let kind = ThingKind::from_name(&office.client.thing(thing)?.kind);
            let purposes = usual_purposes(kind.unwrap_or(ThingKind::DEVICE));
            Some(vec![NewKey::new(session.cose_key(key)?, purposes)])
        }
    };
    let payload = codec::encode(&SetStatus { thing, status, reason, keys });
    let stated = office.state(session, StatementKind::STATUS, &payload)?;
    Ok(stated.answer(thing, &[("status", status.to_string())]))
}
