//! How a network is doing, as one of its nodes has it, or how far it is formed.

use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::cli::sheet::{Field, Sheet};
use crate::formation::{Convening, Draft, Role};
use crate::node::now;
use std::path::PathBuf;
use touchmark_api::{NetworkView, NodeView, Readiness, ValidatorView, WitnessesView};
use touchmark_wire::ids::Timestamp;

/// Show how the network is doing, or with a data folder how far one is formed there
///
/// Of a running node: where its log stands and since when, which term consensus is in and when the
/// committee can change, who certifies and is connected with it, and what it waits for.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Status {
    /// Data folder in which a network is being formed
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

pub(super) fn run(session: &Session<'_, '_>, status: &Status) -> Result<Answer, Failure> {
    if let Some(data) = &status.data {
        let draft = Draft::open(&session.path(data))?;
        return Ok(Answer::sheet(&forming(&draft)));
    }
    let client = session.client()?;
    session.network(&client)?;
    let (network, node, readiness) = (client.network()?, client.node()?, client.readiness()?);
    Ok(Answer::sheet(&running(&network, &node, &readiness)))
}

fn running(network: &NetworkView, node: &NodeView, readiness: &Readiness) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("network", network.network.as_str()).add("origin", network.origin.as_str());
    sheet.add_some("build", node.build.as_deref()).add_some("rules", node.rules);
    sheet.add("height", network.height).add("size", network.size);
    sheet.add("root", network.root.as_str()).add("time", Timestamp(network.time));
    sheet.add("milliseconds since", node.clock.saturating_sub(network.time));
    sheet.add("term", node.term).add("term ends at", node.term_ends);
    sheet.add("committee", network.committee);
    sheet.add_some("appointed", network.appointed);
    sheet.add("threshold", network.threshold);
    sheet.add_some("log key", network.log_key.as_deref());
    sheet.add_some("next log key", network.next_log_key.as_deref());
    let members = network.validators.iter().map(|member| {
        let mut line = Sheet::default();
        line.add("name", member.name.as_str()).add("is", standing(member, node));
        line
    });
    sheet.add("members", members.collect::<Field>());
    sheet.add("peers", node.connected.len()).add("votes", node.votes);
    sheet.add("pending", node.pending).add("pending bytes", node.pending_bytes);
    if let Some(WitnessesView { items, reason }) = &node.witnesses {
        let items = items.iter().map(|witness| {
            let mut line = Sheet::default();
            line.add("name", witness.name.as_str()).add_some("size", witness.size);
            line.add_some("problem", witness.problem.as_deref());
            line
        });
        sheet.add("witnesses", items.collect::<Field>());
        sheet.add_some("no witness is asked", reason.as_deref());
    }
    sheet.add("ready", readiness.ready);
    let waits = waits(network, node, readiness).into_iter();
    sheet.add("waits for", waits.collect::<Field>());
    sheet
}

/// What a member is to the node that is asked.
fn standing(member: &ValidatorView, node: &NodeView) -> &'static str {
    if Some(&member.peer) == node.peer.as_ref() {
        "this node"
    } else if node.peer.is_none() {
        "a validator"
    } else if node.connected.contains(&member.peer) {
        "connected"
    } else {
        "not connected"
    }
}

/// What has to happen before the node goes on.
fn waits(network: &NetworkView, node: &NodeView, readiness: &Readiness) -> Vec<String> {
    let mut waits = readiness.reasons.clone();
    if node.finalized > node.height {
        waits.push(format!("batches up to {}, which are final, from others", node.finalized));
    }
    // Who follows has no part in certifying, and no connection with those who do.
    if node.peer.is_none() {
        return waits;
    }
    let is_there = |member: &&ValidatorView| match standing(member, node) {
        "this node" => node.votes,
        standing => standing == "connected",
    };
    let (there, away): (Vec<_>, Vec<_>) = network.validators.iter().partition(is_there);
    let missing = usize::from(network.threshold).saturating_sub(there.len());
    if missing > 0 {
        let names: Vec<_> = away.iter().map(|member| member.name.as_str()).collect();
        waits.push(format!("{missing} more of {}: nothing is certified", names.join(", ")));
    }
    waits
}

fn forming(draft: &Draft) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("formation", draft.formation().to_string());
    let own = &draft.record.record;
    sheet.add("name", own.name.as_str()).add("peer key", own.peer.to_string());
    sheet.add("address", own.address.as_str());
    match &draft.role {
        Role::Convener(convening) => convened(&mut sheet, convening, &own.name),
        Role::Member(invitation) => {
            sheet.add("convener", invitation.convener.as_str());
            sheet.add("invitation", invitation.number.0);
        }
    }
    sheet
}

fn convened(sheet: &mut Sheet, convening: &Convening, own: &str) {
    sheet.add("origin", convening.origin.as_str()).add("validators", convening.validators);
    let joined = convening.issued.iter().filter_map(|issued| issued.record.as_ref());
    let joined = joined.map(|member| member.record.name.as_str());
    sheet.add("joined", [own].into_iter().chain(joined).collect::<Field>());
    let open = convening.issued.iter().filter(|issued| issued.record.is_none());
    let open = open.map(|issued| {
        let mut line = Sheet::default();
        line.add("number", issued.number.0).add("name", issued.name.as_str());
        line.add("expires", issued.expires).add("expired", issued.expires < now());
        line
    });
    sheet.add("invitations", open.collect::<Field>());
}
