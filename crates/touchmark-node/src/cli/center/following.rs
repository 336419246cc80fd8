//! The directory as the log alone tells it: every leaf is read and hashed, the root is compared
//! with a checkpoint that the network certified, and only then is anything believed. The next reading
//! goes on where this one ended.

mod position;
mod reading;

use super::reference::Of;
use crate::cli::answer::{Answer, Table};
use crate::cli::failure::{Failure, Fault};
use crate::cli::session::Session;
use crate::rules;
use crate::shown::{Source, Tip};
use position::{Place, Position, Seen};
use reading::Reading;
use serde_json::{Value, json};
use std::path::Path;
use touchmark_api::client::Client;
use touchmark_core::event::Event;
use touchmark_core::roster::Roster;
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, NetworkId, ThingId, TreeSize};
use touchmark_wire::leaf::BatchLeaf;

/// Follow the directory in the log itself, without trust in the node's answers
///
/// Goes on where it ended the last time, and refuses a log that does not continue what was seen.
#[derive(clap::Args, Debug)]
pub(crate) struct Follow {
    #[command(flatten)]
    of: Of,
    /// Tell only what happened from this leaf on
    #[arg(long, value_name = "LEAF", default_value_t = 0)]
    since: u64,
    /// Forget what was seen before, and read from the first leaf
    #[arg(long)]
    restart: bool,
}

/// Where reading begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Start {
    /// Where it ended the last time.
    Position,
    /// At the first leaf, whatever was seen before.
    FirstLeaf,
}

/// What following the log to a checkpoint gives.
pub(super) struct Followed {
    pub(super) roster: Roster,
    /// What happened to the organisation and its things, by leaf.
    changes: Vec<(LeafIndex, Event)>,
    /// The first leaf that was read now.
    from: LeafIndex,
    size: TreeSize,
    root: Digest,
    /// The last batch.
    batch: Option<BatchLeaf>,
}

pub(super) fn run(session: &mut Session<'_, '_>, follow: &Follow) -> Result<Answer, Failure> {
    let organisation = follow.of.organisation(session)?;
    let start = if follow.restart { Start::FirstLeaf } else { Start::Position };
    let followed = self::follow(session, organisation, start)?;
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
    let (size, read) = (followed.size, followed.read());
    let text =
        format!("{table}the log of {size} leaves is the certified one; {read} were read now\n");
    let document = json!({
        "organisation": organisation.to_string(),
        "from": followed.from.0,
        "read": read,
        "size": size.0,
        "root": followed.root.to_string(),
        "height": followed.batch.map(|batch| batch.height.0),
        "time": followed.batch.map(|batch| batch.time.0),
        "changes": changes,
    });
    Ok(Answer::new(&document, text))
}

/// Follows the log to the newest checkpoint, and keeps where it ended.
pub(super) fn follow(
    session: &mut Session<'_, '_>,
    organisation: ThingId,
    start: Start,
) -> Result<Followed, Failure> {
    let client = session.client()?;
    let network = session.network(&client)?;
    let genesis = genesis(&client, network)?;
    rules::require(&genesis)?;
    // Before the checkpoint: nobody else can go further meanwhile.
    let place = Place::open(&session.home()?, network, organisation)?;
    let seen = match start {
        Start::Position => place.seen()?,
        Start::FirstLeaf => None,
    };
    let source = Source::open(client.base(), Path::new(""))?;
    let Tip { note, .. } = Tip::read(&source, &genesis)?;
    let signed = SignedCheckpoint::parse(note.as_bytes()).map_err(|error| {
        Failure::new(Fault::Answer, "the node shows no checkpoint").because(error)
    })?;
    let shown = signed.checkpoint();
    if let Some(seen) = &seen {
        place.compare(seen, &note, shown)?;
    }
    let (believed, position) = match seen {
        Some(Seen { note, position }) => (Some(note), position),
        None => (None, Position::default()),
    };
    let from = LeafIndex(position.frontier.size().0);
    let mut reading = Reading::resume(network, organisation, position)
        .map_err(|contradiction| place.damaged(contradiction))?;
    each_leaf(&client, from, shown.size, |leaf| {
        reading.take(leaf);
        session.progress("leaf", reading.position.frontier.size().0, shown.size.0);
    })?;
    if reading.position.frontier.root() != shown.root {
        return Err(match believed {
            Some(believed) => place.not_extended(from, [&believed, &note], shown),
            None => false_log("its leaves do not have the root of the checkpoint"),
        });
    }
    if let Some((at, contradiction)) = reading.contradiction {
        return Err(false_log(format!("leaf {at} contradicts the rules: {contradiction}")));
    }
    let Reading { roster, changes, position, .. } = reading;
    let batch = position.batch;
    if believed.is_none() || from.0 < shown.size.0 {
        place.keep(&note, position)?;
    }
    Ok(Followed { roster, changes, from, size: shown.size, root: shown.root, batch })
}

/// The genesis document of the network.
fn genesis(client: &Client, network: NetworkId) -> Result<Genesis, Failure> {
    Genesis::decode(&client.genesis()?)
        .ok()
        .filter(|genesis| genesis.network_id() == network)
        .ok_or_else(|| Failure::new(Fault::Answer, "the node shows another genesis document"))
}

fn false_log(why: impl std::fmt::Display) -> Failure {
    Failure::new(Fault::FalseLog, "the node shows a log that is not the certified one")
        .because(why)
        .hint("keep what it answered, and use another node")
}

/// The leaves from `next` on, in order.
fn each_leaf(
    client: &Client,
    mut next: LeafIndex,
    size: TreeSize,
    mut take: impl FnMut(Vec<u8>),
) -> Result<(), Failure> {
    while next.0 < size.0 {
        for leaf in client.leaves(next, size)? {
            take(leaf);
            next = LeafIndex(next.0 + 1);
        }
    }
    Ok(())
}

impl Followed {
    /// How many leaves were read now.
    const fn read(&self) -> u64 {
        self.size.0 - self.from.0
    }

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
