//! The network that a node is part of.

use super::answer::Answer;
use super::failure::Failure;
use super::session::Session;
use super::view;
use std::path::PathBuf;

/// Commands about the network
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Show the network's id, validators, and where its log stands
    Show {
        /// Also write the genesis document, which `verify` checks receipts and checkpoints with
        #[arg(long, value_name = "FILE")]
        genesis: Option<PathBuf>,
    },
}

pub(super) fn run(session: &Session<'_, '_>, command: &Command) -> Result<Answer, Failure> {
    let Command::Show { genesis } = command;
    let client = session.client()?;
    session.network(&client)?;
    let network = client.network()?;
    let mut sheet = view::network(&network);
    if let Some(path) = genesis {
        session.write(path, &network.genesis.0)?;
        sheet.add("genesis", path.display().to_string());
    }
    Ok(Answer::new(&network, sheet.to_string()))
}
