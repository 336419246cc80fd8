//! How a network is doing, as one of its nodes has it, or how far it is formed.

use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::cli::sheet::{Field, Sheet};
use crate::formation::{Convening, Draft, Role};
use crate::node::now;
use std::path::PathBuf;
use touchmark_api::{AnchorView, NetworkView, NodeView, Readiness, ValidatorView, WitnessesView};
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
    if let Some(AnchorView { network, by, size, leaf, time, problem }) = &node.anchor {
        let mut anchor = Sheet::default();
        anchor.add("name", format!("{network}:{by}")).add_some("size", *size);
        anchor.add_some("leaf", *leaf);
        anchor.add_some("time", time.map(Timestamp));
        anchor.add_some("problem", problem.as_deref());
        sheet.add("anchor", anchor);
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

/// Since when nothing is certified, in milliseconds, for that to be worth a word: an idle network
/// makes a batch a second.
const SILENCE: u64 = 30_000;

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
    } else if node.clock.saturating_sub(network.time) > SILENCE {
        let all = "the next batch: nothing is certified, though enough members are connected; some of \
                   them may not vote, so ask each";
        waits.push(all.to_owned());
    }
    let is_member =
        network.validators.iter().any(|member| Some(&member.peer) == node.peer.as_ref());
    if is_member && !node.votes {
        let first = node.term_ends.saturating_add(1);
        waits.push(format!(
            "batch {first}, before which this node does not vote: it lost what it voted for in this \
             term, or did not take its place"
        ));
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use touchmark_api::Base64;

    /// What the first of four members waits for, of whom it is connected with so many.
    fn waiting(connected: usize, votes: bool, silence: u64) -> Vec<String> {
        let none = || Base64(Vec::new());
        let validators = ["a", "b", "c", "d"].map(|name| ValidatorView {
            name: name.to_owned(),
            peer: name.to_owned(),
            log_key: none(),
            cosigner_key: none(),
        });
        let network = NetworkView {
            network: String::new(),
            origin: String::new(),
            genesis: none(),
            committee: 0,
            appointed: None,
            validators: validators.into(),
            threshold: 3,
            height: 7,
            time: 1_000,
            size: 9,
            root: String::new(),
            log_key: None,
            next_log_key: None,
        };
        let connected = &["b", "c", "d"][..connected];
        let node = json!({
            "peer": "a", "clock": 1_000 + silence, "term": 0, "term_ends": 511, "view": 9,
            "votes": votes, "connected": connected, "finalized": 7, "height": 7,
            "pending": 0, "pending_bytes": 0,
        });
        let readiness = Readiness {
            ready: true,
            reasons: Vec::new(),
            warnings: Vec::new(),
            height: 7,
            size: 9,
        };
        waits(&network, &serde_json::from_value(node).unwrap(), &readiness)
    }

    #[test]
    fn a_network_that_certifies_waits_for_nothing() {
        assert_eq!(waiting(3, true, SILENCE), Vec::<String>::new());
        assert_eq!(waiting(2, true, 0), Vec::<String>::new());
    }

    #[test]
    fn what_keeps_a_network_from_certifying_is_named() {
        assert_eq!(waiting(1, true, 0), ["1 more of c, d: nothing is certified"]);
        let [silent] = &waiting(3, true, SILENCE + 1)[..] else { panic!() };
        assert!(silent.contains("some of them may not vote"), "{silent}");
        let [abstaining] = &waiting(3, false, 0)[..] else { panic!() };
        assert!(abstaining.starts_with("batch 512, before which this node"), "{abstaining}");
    }
}
