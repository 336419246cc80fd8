//! The network that a node is part of, and forming a new one.

mod anchor;
mod attendance;
mod code;
mod draft;
mod failure;
mod following;
mod nodes;
mod show;
mod status;
mod succession;

use super::answer::Answer;
use super::failure::Failure;
use super::session::Session;

/// Commands about the network
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    Show(show::Show),
    Status(status::Status),
    Init(draft::Init),
    Invite(draft::Invite),
    Form(attendance::Form),
    Join(attendance::Join),
    Follow(following::Follow),
    Nodes(nodes::Nodes),
    Anchor(anchor::Anchor),
    Approve(succession::Approve),
    Appoint(Box<succession::Appoint>),
    Adopt(succession::Adopt),
}

pub(super) fn run(session: &mut Session<'_, '_>, command: &Command) -> Result<Answer, Failure> {
    match command {
        Command::Show(show) => show::run(session, show),
        Command::Status(status) => status::run(session, status),
        Command::Init(init) => draft::init(session, init),
        Command::Invite(invite) => draft::invite(session, invite),
        Command::Form(form) => attendance::form(session, form),
        Command::Join(join) => attendance::join(session, join),
        Command::Follow(follow) => following::follow(session, follow),
        Command::Nodes(nodes) => nodes::run(session, nodes),
        Command::Anchor(anchor) => anchor::run(session, anchor),
        Command::Approve(approve) => succession::approve(session, approve),
        Command::Appoint(appoint) => succession::appoint(session, appoint),
        Command::Adopt(adopt) => succession::adopt(session, adopt),
    }
}
