//! A tap: the URL that a card presents.

use super::place::Place;
use super::submission::Submission;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use touchmark_wire::registry::EvidenceFormat;

#[derive(clap::Args, Debug)]
pub(crate) struct Tap {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    submission: Submission,
}

pub(super) fn run(session: &mut Session<'_, '_>, tap: &Tap) -> Result<Answer, Failure> {
    let url = tap.place.card(session)?.tap()?;
    tap.submission.submit(session, EvidenceFormat::CARD_URL, url.as_bytes(), None)
}
