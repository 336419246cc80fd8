//! The network that a node is part of, and forming a new one.

mod attendance;
mod draft;
mod failure;
mod following;
mod status;
mod succession;

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
    Status(status::Status),
    Init(draft::Init),
    Invite(draft::Invite),
    Form(attendance::Form),
    Join(attendance::Join),
    Follow(following::Follow),
    Approve(succession::Approve),
    Appoint(Box<succession::Appoint>),
    Adopt(succession::Adopt),
}

pub(super) fn run(session: &mut Session<'_, '_>, command: &Command) -> Result<Answer, Failure> {
    match command {
        Command::Show { genesis } => show(session, genesis.as_ref()),
        Command::Status(status) => status::run(session, status),
        Command::Init(init) => draft::init(session, init),
        Command::Invite(invite) => draft::invite(session, invite),
        Command::Form(form) => attendance::form(session, form),
        Command::Join(join) => attendance::join(session, join),
        Command::Follow(follow) => following::follow(session, follow),
        Command::Approve(approve) => succession::approve(session, approve),
        Command::Appoint(appoint) => succession::appoint(session, appoint),
        Command::Adopt(adopt) => succession::adopt(session, adopt),
    }
}

fn show(session: &Session<'_, '_>, genesis: Option<&PathBuf>) -> Result<Answer, Failure> {
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
