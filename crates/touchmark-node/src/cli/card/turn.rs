//! The end of a card's use: locked, terminated.

use super::{code, look, place};
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub(crate) struct Turn {
    #[command(flatten)]
    place: place::Place,
    /// File with the code that the card was issued with
    #[arg(long, value_name = "FILE")]
    lock_code: Option<PathBuf>,
}

pub(super) fn lock(session: &mut Session<'_, '_>, turn: &Turn) -> Result<Answer, Failure> {
    let code = code::read_some(session, turn.lock_code.as_deref())?;
    let mut card = turn.place.card(session)?;
    card.lock(code.as_ref().map(|code| code.as_slice()))?;
    Ok(Answer::sheet(&look::sheet(&card.info()?)))
}

pub(super) fn terminate(session: &mut Session<'_, '_>, turn: &Turn) -> Result<Answer, Failure> {
    let code = code::read_some(session, turn.lock_code.as_deref())?;
    let mut card = turn.place.card(session)?;
    card.terminate(code.as_ref().map(|code| code.as_slice()))?;
    Ok(Answer::sheet(&look::sheet(&card.info()?)))
}
