//! The directory as the log alone tells it: every leaf is read and hashed, the root is compared
//! with a checkpoint that enough validators cosigned, and only then is anything believed.

use super::reference::Of;
use crate::cli::answer::{Answer, Table};
use crate::cli::failure::{Failure, Fault};
use crate::cli::session::Session;
use crate::cli::verify;
use serde_json::{Value, json};
use touchmark_api::client::Client;
use touchmark_core::event::Event;
use touchmark_core::roster::Roster;
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::{LeafIndex, ThingId, TreeSize};
use touchmark_wire::merkle::{self, Frontier};
use touchmark_wire::registry::RefusalCode;

#[derive(clap::Args, Debug)]
pub(crate) struct Follow {
    #[command(flatten)]
    of: Of,
    /// Tell only what happened from this leaf on
    #[arg(long, value_name = "LEAF", default_value_t = 0)]
    since: u64,
}

/// What following the log to a checkpoint gives.
pub(super) struct Followed {
    pub(super) roster: Roster,
    /// What happened to the organisation and its things, by leaf.
    changes: Vec<(LeafIndex, Event)>,
    size: TreeSize,
}

pub(super) fn run(session: &mut Session<'_, '_>, follow: &Follow) -> Result<Answer, Failure> {
    let organisation = follow.of.organisation(session)?;
    let followed = self::follow(session, organisation)?;
    let recent = followed.changes.iter().filter(|(leaf, _)| leaf.0 >= follow.since);
    let changes: Vec<Value> = recent.map(|(leaf, event)| followed.change(*leaf, event)).collect();
    let mut table = Table::new(&["leaf", "change", "thing", "detail"]);
    for change in &changes {
        let part = |name: &str| change[name].as_str().unwrap_or_default();
        let detail = ["status", "reason", "detail"].map(part);
        let detail: Vec<_> = detail.into_iter().filter(|text| !text.is_empty()).collect();
        let [what, thing] = ["change", "thing"].map(|name| part(name).to_owned());
        table.row([change["leaf"].to_string(), what, thing, detail.join(" ")]);
    }
    let text = format!("{table}the log of {} leaves is the certified one\n", followed.size);
    let document = json!({
        "organisation": organisation.to_string(), "size": followed.size.0, "changes": changes,
    });
    Ok(Answer::new(&document, text))
}

/// Follows the log from its beginning to the newest checkpoint.
pub(super) fn follow(
    session: &Session<'_, '_>,
    organisation: ThingId,
) -> Result<Followed, Failure> {
    let client = session.client()?;
    let network = session.network(&client)?;
    let genesis = Genesis::decode(&client.genesis()?)
        .ok()
        .filter(|genesis| genesis.network_id() == network)
        .ok_or_else(|| Failure::new(Fault::Answer, "the node shows another genesis document"))?;
    let note = client.checkpoint()?;
    let note = SignedCheckpoint::parse(note.as_bytes()).map_err(|error| {
        Failure::new(Fault::Answer, "the node shows no checkpoint").because(error)
    })?;
    verify::require_certified(&note, &genesis)?;
    let mut roster = Roster::new(network, organisation);
    let mut changes = Vec::new();
    let mut frontier = Frontier::new();
    let size = note.checkpoint().size;
    each_leaf(&client, size, |at, leaf| {
        frontier.append(merkle::leaf_hash(&leaf));
        let events = roster.take(at, &leaf).map_err(|contradiction| {
            false_log(format!("leaf {at} contradicts the rules: {contradiction}"))
        })?;
        changes.extend(events.into_iter().map(|event| (at, event)));
        Ok(())
    })?;
    if frontier.root() != note.checkpoint().root {
        return Err(false_log("its leaves do not have the root of the checkpoint"));
    }
    Ok(Followed { roster, changes, size })
}

fn false_log(why: impl std::fmt::Display) -> Failure {
    let mut failure =
        Failure::new(Fault::Answer, "the node shows a log that is not the certified one");
    failure.code = RefusalCode::CORRUPT.to_string();
    failure.because(why).hint("keep what it answered, and use another node")
}

fn each_leaf(
    client: &Client,
    size: TreeSize,
    mut take: impl FnMut(LeafIndex, Vec<u8>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut next = LeafIndex(0);
    while next.0 < size.0 {
        for leaf in client.leaves(next, size)? {
            take(next, leaf)?;
            next = LeafIndex(next.0 + 1);
        }
    }
    Ok(())
}

impl Followed {
    /// One thing that happened, for programs.
    fn change(&self, leaf: LeafIndex, event: &Event) -> Value {
        let (name, thing, more) = match event {
            Event::ThingRegistered { thing, kind, .. } => {
                ("registered", thing, json!({ "detail": kind.to_string() }))
            }
            Event::AttributesChanged { thing, set, removed } => {
                let pairs = set.iter().map(|(name, value)| format!("{name}={value}"));
                let gone = removed.iter().map(|name| format!("-{name}"));
                let detail = pairs.chain(gone).collect::<Vec<_>>().join(" ");
                ("attributes", thing, json!({ "detail": detail }))
            }
            Event::KeysRotated { thing, added, closed } => {
                let added = added.iter().map(|number| format!("+{number}"));
                let closed = closed.iter().map(|number| format!("-{number}"));
                let detail = added.chain(closed).collect::<Vec<_>>().join(" ");
                ("keys", thing, json!({ "detail": detail }))
            }
            Event::StatusChanged { thing, status, reason } => {
                ("status", thing, json!({ "status": status.to_string(), "reason": reason }))
            }
            Event::ThingAccredited { thing, roles, .. } => {
                ("accredited", thing, json!({ "detail": roles.join(" ") }))
            }
            Event::AccreditationWithdrawn { thing, .. } => ("withdrawn", thing, json!({})),
            _ => return json!({ "leaf": leaf.0, "change": "other" }),
        };
        let mut change = json!({ "leaf": leaf.0, "change": name, "thing": thing.to_string() });
        if let (Value::Object(change), Value::Object(more)) = (&mut change, more) {
            change.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
        }
        if let Some(number) = self.roster.member(*thing).and_then(|member| member.number()) {
            change["number"] = number.into();
        }
        change
    }
}
