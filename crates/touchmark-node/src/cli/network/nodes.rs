//! The list of nodes that readers without certificates choose from.

use crate::agreement::{NodeList, NodeUrl, Policy};
use crate::cli::agreement::{self, Asking, Chance};
use crate::cli::answer::Answer;
use crate::cli::failure::{Failure, Fault};
use crate::cli::session::Session;
use crate::cli::sheet::{Field, Sheet};
use crate::disk::{self, Secrecy};
use serde::Serialize;
use std::path::{Path, PathBuf};
use touchmark_wire::registry::Status;

/// Show what a list of untrusted nodes is worth, or bring it up to date
///
/// `touchmark thing ask` draws nodes from such a list. It is a TOML file: `nodes`, at most 64
/// addresses on different hosts, and `publisher`, the thing that publishes the list in its
/// attributes `nodes`, `nodes.2` and so on, addresses with spaces between. With --update all nodes
/// of the present list are asked for what the publisher says, and the file is replaced if three
/// quarters of the list say the same. No chance is in it: fewer than three quarters that lie cannot
/// put their kind on the list however often it is updated, and a quarter that lies or is away
/// cannot prevent an update; more than that can.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Nodes {
    /// File with the list
    file: PathBuf,
    /// Replace the list by the published one
    #[arg(long)]
    update: bool,
    /// Thing id or DID of the publisher; otherwise the one that the list names
    #[arg(long, value_name = "ID", requires = "update")]
    publisher: Option<String>,
    /// Say what would change, and change nothing
    #[arg(long, requires = "update")]
    dry_run: bool,
    /// Network to trust: its id in hexadecimal, or its genesis document; otherwise the context's.
    /// Where nothing says which, the nodes have to agree on it, too
    #[arg(long, value_name = "ID|FILE", requires = "update")]
    trust: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

/// A list and what it is worth.
#[derive(Serialize)]
struct Worth<'l> {
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<String>,
    listed: usize,
    ask: usize,
    equal: usize,
    chances: [Chance; 3],
    nodes: Vec<&'l str>,
}

pub(super) fn run(session: &mut Session<'_, '_>, nodes: &Nodes) -> Result<Answer, Failure> {
    if nodes.update && nodes.file == Path::new("-") {
        return Err(Failure::new(Fault::Usage, "standard input cannot be replaced")
            .hint("give the file with the list, or leave --update out"));
    }
    let list = agreement::list(session, &nodes.file)?;
    if nodes.update {
        return update(session, nodes, &list);
    }
    let policy = nodes.asking.policy(&list)?;
    let listed = list.nodes().len();
    let worth = Worth {
        publisher: list.publisher.map(|thing| thing.to_string()),
        listed,
        ask: policy.ask(),
        equal: policy.equal(),
        chances: [4, 3, 2].map(|part| Chance::one_of(part, policy, listed)),
        nodes: list.nodes().iter().map(NodeUrl::as_str).collect(),
    };
    Ok(Answer::new(&worth, worth.sheet().to_string()))
}

impl Worth<'_> {
    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::default();
        sheet.add_some("publisher", self.publisher.as_deref());
        sheet.add("listed", self.listed).add("ask", self.ask).add("equal", self.equal);
        sheet.add("chances", self.chances.iter().map(|chance| chance.sheet()).collect::<Field>());
        sheet.add("nodes", self.nodes.iter().copied().collect::<Field>());
        sheet
    }
}

fn update(
    session: &mut Session<'_, '_>,
    nodes: &Nodes,
    list: &NodeList,
) -> Result<Answer, Failure> {
    let publisher = match &nodes.publisher {
        Some(text) => session.thing(text)?,
        None => list.publisher.ok_or_else(|| {
            Failure::new(Fault::Usage, "the list names no publisher")
                .hint("give --publisher once; the list names it from then on")
        })?,
    };
    // Each draw of a few would be another chance for those who lie, and one is enough for them.
    let policy = Policy::whole(list.nodes().len());
    let about = (publisher, nodes.asking.least());
    let report = agreement::ask(session, list, policy, about, nodes.trust.as_deref())?;
    let Some(said) = report.said() else { return Ok(report.answer()) };
    let active = Status::ACTIVE.to_string();
    let thing = said.thing.as_deref().filter(|thing| thing.status.status == active);
    let thing = thing.ok_or_else(|| not_taken("its publisher is not there, or not active"))?;
    let newer = NodeList::published(publisher, &thing.attributes);
    let newer = newer.map_err(|error| not_taken(&error.to_string()))?;
    // Of a list that is too short nobody could be asked as before.
    nodes.asking.policy(&newer).map_err(|failure| not_taken(&failure.what))?;
    if !nodes.dry_run {
        disk::replace(&session.path(&nodes.file), newer.text().as_bytes(), Secrecy::Public)
            .map_err(|error| Failure::storage(&nodes.file, &error))?;
    }
    let mut sheet = Sheet::default();
    sheet.add("publisher", publisher.to_string()).add("updated", !nodes.dry_run);
    sheet.add("published", newer.nodes().len());
    sheet.add("added", missing(list, &newer)).add("removed", missing(&newer, list));
    Ok(report.with(&sheet))
}

/// The addresses of a list that another does not have.
fn missing(from: &NodeList, of: &NodeList) -> Field {
    let nodes = of.nodes().iter().filter(|node| !from.nodes().contains(node));
    nodes.map(NodeUrl::as_str).collect()
}

fn not_taken(reason: &str) -> Failure {
    Failure::new(Fault::PublishedList, "the published list is not taken")
        .because(reason)
        .hint("the list stays as it is; ask the publisher, or edit the file")
}
