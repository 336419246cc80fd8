//! The list of nodes that readers without certificates choose from.

use crate::agreement::{NodeList, NodeUrl};
use crate::cli::agreement::{self, Asking};
use crate::cli::answer::Answer;
use crate::cli::failure::{Failure, Fault};
use crate::cli::session::Session;
use crate::cli::sheet::{Field, Sheet};
use crate::disk::{self, Secrecy};
use std::path::PathBuf;
use touchmark_wire::registry::Status;

/// Show what a list of untrusted nodes is worth, or bring it up to date
///
/// `touchmark thing ask` draws nodes from such a list. It is a TOML file: `nodes`, at most 64
/// addresses on different hosts, and `publisher`, the thing that publishes the list in its
/// attributes `nodes`, `nodes.2` and so on, addresses with spaces between. With --update nodes of
/// the present list are asked for what the publisher says. The file is replaced if enough of them
/// say the same, so nodes that lie cannot put more of their kind on the list, as long as they are
/// few.
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
    #[command(flatten)]
    asking: Asking,
}

pub(super) fn run(session: &mut Session<'_, '_>, nodes: &Nodes) -> Result<Answer, Failure> {
    let list = agreement::list(session, &nodes.file)?;
    if nodes.update {
        return update(session, nodes, &list);
    }
    let policy = nodes.asking.policy(&list)?;
    let listed = list.nodes().len();
    let mut sheet = Sheet::default();
    sheet.add_some("publisher", list.publisher.map(|thing| thing.to_string()));
    sheet.add("listed", listed).add("ask", policy.ask()).add("equal", policy.equal());
    let chances = [("a quarter", listed / 4), ("a third", listed / 3), ("half", listed / 2)];
    let chances = chances.map(|(part, lying)| {
        let mut line = Sheet::default();
        line.add("lying", format!("{part}, {lying}"));
        line.add("deceived", format!("{:.1e}", policy.deceived(listed, lying)));
        line.add("prevented", format!("{:.1e}", policy.prevented(listed, lying)));
        line
    });
    sheet.add("chances", chances.into_iter().collect::<Field>());
    sheet.add("nodes", list.nodes().iter().map(NodeUrl::as_str).collect::<Field>());
    Ok(Answer::sheet(&sheet))
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
    let report = nodes.asking.ask(session, list, publisher)?;
    let Some(said) = report.said() else { return Ok(report.answer()) };
    let active = Status::ACTIVE.to_string();
    let thing = said.thing.as_deref().filter(|thing| thing.status.status == active);
    let thing = thing.ok_or_else(|| not_taken("its publisher is not there, or not active"))?;
    let newer = NodeList::published(publisher, &thing.attributes);
    let newer = newer.map_err(|error| not_taken(&error.to_string()))?;
    // From a list that is too short nobody could be asked for the next one.
    nodes.asking.policy(&newer).map_err(|failure| not_taken(&failure.what))?;
    if !nodes.dry_run {
        disk::replace(&session.path(&nodes.file), newer.text().as_bytes(), Secrecy::Public)
            .map_err(|error| Failure::storage(&nodes.file, &error))?;
    }
    let mut sheet = Sheet::default();
    sheet.add("publisher", publisher.to_string()).add("updated", !nodes.dry_run);
    sheet.add("nodes", newer.nodes().len());
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
