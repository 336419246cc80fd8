//! Smart cards: issued, read, tapped, asked to sign, locked.
//!
//! A card stands in a reader of this machine or is a virtual one in a folder; every command works
//! with both.

mod challenge;
pub(super) mod code;
mod failure;
pub(super) mod issue;
pub(super) mod look;
pub(super) mod outfit;
pub(super) mod place;
mod sign;
mod software;
mod submission;
mod tap;
mod turn;

use super::answer::Answer;
use super::failure::Failure;
use super::session::Session;

/// Commands about cards
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Make a virtual card in a folder, blank as from the factory
    New(software::New),
    /// List the readers of this machine
    List,
    /// Show what a card tells everybody; changes nothing
    Read(look::Read),
    /// Have a blank card make its key, register it as a thing, personalise and activate it
    Issue(Box<issue::Issue>),
    /// Read the URL of a new tap and submit it
    Tap(tap::Tap),
    /// Have a card sign readings and position, and submit that
    Sign(Box<sign::Sign>),
    /// Find out whether a card is the one it says, and what its status is
    Challenge(challenge::Challenge),
    /// Lock a card at once and for ever
    Lock(turn::Turn),
    /// Destroy a card's private key
    Terminate(turn::Turn),
    /// Put a virtual card into a virtual reader of the system (vsmartcard-vpcd)
    Serve(software::Serve),
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::New(new) => software::create(session, &new),
        Command::List => look::readers(),
        Command::Read(read) => look::run(session, &read),
        Command::Issue(issue) => issue::run(session, &issue),
        Command::Tap(tap) => tap::run(session, &tap),
        Command::Sign(sign) => sign::run(session, &sign),
        Command::Challenge(challenge) => challenge::run(session, &challenge),
        Command::Lock(turn) => turn::lock(session, &turn),
        Command::Terminate(turn) => turn::terminate(session, &turn),
        Command::Serve(serve) => software::serve(session, &serve),
    }
}
