//! The control center: an organisation initialises cards, readers and sensors, and keeps their
//! directory.

mod authority;
mod creation;
mod export;
mod following;
mod import;
mod initialisation;
mod listing;
mod proposal;
mod reference;
mod revocation;

use super::answer::Answer;
use super::failure::Failure;
use super::session::Session;

/// Commands of an organisation's control center
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Make a member's key; its public half is what `center create --member` takes
    Key(creation::MakeKey),
    /// Create the organisation: one key, several keys here, or members with a key each
    Create(Box<creation::Create>),
    /// Initialise a card, reader or sensor: key, progressive number, serial number, specification
    Init(Box<initialisation::Init>),
    /// Initialise everything that a table lists
    Import(Box<import::Import>),
    /// Write the directory as a table
    Export(export::Export),
    /// List the directory, or search in it
    List(listing::List),
    /// Show one card, reader or sensor
    Show(listing::Show),
    /// Declare a thing stolen, lost, disabled, tampered and so on: its data no longer count
    Revoke(revocation::Revoke),
    /// Bring a thing back, from stolen, lost or tampered with a new key
    Reinstate(revocation::Reinstate),
    /// Add a member's signature to a proposal
    Sign(proposal::Sign),
    // Described where its arguments are.
    Follow(following::Follow),
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Key(make) => creation::make_key(session, &make),
        Command::Create(create) => creation::run(session, &create),
        Command::Init(init) => initialisation::run(session, &init),
        Command::Import(import) => import::run(session, &import),
        Command::Export(export) => export::run(session, &export),
        Command::List(list) => listing::run(session, list),
        Command::Show(show) => listing::show(session, &show),
        Command::Revoke(revoke) => revocation::revoke(session, &revoke),
        Command::Reinstate(reinstate) => revocation::reinstate(session, &reinstate),
        Command::Sign(sign) => proposal::run(session, &sign),
        Command::Follow(follow) => following::run(session, &follow),
    }
}
