//! `touchmark network follow`: a folder for a node that follows others.

use crate::cli::answer::Answer;
use crate::cli::config::DataFolder;
use crate::cli::failure::{Failure, Fault};
use crate::cli::session::Session;
use crate::cli::sheet::{Field, Sheet};
use crate::cli::verify::root_of_trust;
use crate::folder;
use crate::rules;
use crate::shown::Source;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::NetworkId;

/// Prepare a data folder for a node that follows others
///
/// Such a node has no vote. It copies the log, checks the committee's certificates and executes
/// every batch itself, answers reads and proofs like any other, and passes on what is submitted to
/// it. The folder is empty, restored from a backup, or follows already; `touchmark node run` runs
/// the node.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Follow {
    /// Nodes with the log, by their URLs: validators or others that follow. When one gives nothing,
    /// the next is asked
    #[arg(required = true, value_name = "URL")]
    sources: Vec<String>,
    /// Network to trust: its id in hexadecimal, or its genesis document; otherwise the context's.
    /// Where nothing says which, the first source's own is taken and shown
    #[arg(long, value_name = "ID|FILE")]
    trust: Option<String>,
    #[command(flatten)]
    data: DataFolder,
}

pub(super) fn follow(session: &mut Session<'_, '_>, follow: &Follow) -> Result<Answer, Failure> {
    let path = follow.data.path(session)?;
    let (trusted, known) = match &follow.trust {
        Some(text) => {
            let (network, genesis) = root_of_trust(session, text)?;
            (Some(network), genesis)
        }
        None => (session.trusted()?, None),
    };
    let genesis = match known {
        Some(genesis) => genesis,
        None => genesis(&follow.sources, trusted)?,
    };
    rules::require(&genesis)?;
    for source in &follow.sources {
        Source::node(source)?;
    }
    let network = genesis.network_id();
    folder::follow(&path, &genesis, &follow.sources)?;
    if trusted.is_none() {
        session.say_trusting(network);
    }
    let sources = follow.sources.iter().map(|url| Field::Text(url.clone()));
    let mut sheet = Sheet::default();
    sheet
        .add("network", network.to_string())
        .add("trusted", trusted.is_some())
        .add("data", path.display().to_string())
        .add("sources", Field::List(sources.collect()));
    session.say("next: `touchmark node run` with this folder");
    Ok(Answer::sheet(&sheet))
}

/// The genesis document as the first of the sources has it that answers.
fn genesis(sources: &[String], trusted: Option<NetworkId>) -> Result<Genesis, Failure> {
    let mut first = None;
    for source in sources {
        match Source::node(source)?.genesis(trusted) {
            Ok(genesis) => return Ok(genesis),
            Err(error) => drop(first.get_or_insert(error)),
        }
    }
    let nobody = Failure::new(Fault::Usage, "there is no node to follow");
    Err(first.map_or(nobody, Failure::from))
}
