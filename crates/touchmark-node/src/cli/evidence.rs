//! Evidence that cards and devices made.

use super::answer::Answer;
use super::failure::Failure;
use super::identity::signing::{Proposal, Signing};
use super::session::Session;
use super::{input, registered, view};
use std::path::Path;
use touchmark_core::evidence::WrappedEvidence;
use touchmark_wire::codec;
use touchmark_wire::registry::{EvidenceFormat, StatementKind};

/// Commands about evidence
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Submit what a card presented, as it is or in a reader's statement
    Submit(Submit),
}

#[derive(clap::Args, Debug)]
pub(super) struct Submit {
    /// How it is read
    #[arg(value_parser = registered::evidence_format())]
    format: EvidenceFormat,
    /// The evidence: a file, - for standard input, or the URL itself
    #[arg(value_name = "FILE|URL")]
    evidence: String,
    /// Wrap it in a statement of the identity, which vouches for having read it
    #[arg(long)]
    wrap: bool,
    #[command(flatten)]
    signing: Signing,
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    let Command::Submit(submit) = command;
    let bytes = bytes(session, submit.format, &submit.evidence)?;
    let thing = touchmark_core::evidence::parse(submit.format, &bytes).ok();
    let thing = thing.map(|inner| inner.thing.to_string());
    let written = if submit.wrap {
        let wrapped = WrappedEvidence { format: submit.format, bytes: &bytes, context: None };
        let payload = codec::encode(&wrapped);
        let proposal = Proposal::new(StatementKind::EVIDENCE, &payload);
        submit.signing.state(session, &proposal)?
    } else {
        session.client()?.submit_evidence(submit.format, &bytes)?
    };
    Ok(view::written(&written, thing.as_deref()))
}

/// A URL stands for itself, and ends where its line ends; other formats may be written as text.
fn bytes(
    session: &mut Session<'_, '_>,
    format: EvidenceFormat,
    argument: &str,
) -> Result<Vec<u8>, Failure> {
    let given = if argument.contains("://") {
        argument.as_bytes().to_vec()
    } else {
        session.read(Path::new(argument))?
    };
    if format == EvidenceFormat::CARD_URL {
        return Ok(given.trim_ascii().to_vec());
    }
    let readable = |bytes: &[u8]| touchmark_core::evidence::parse(format, bytes).is_ok();
    let found = input::decodings(&given).into_iter().find(|decoding| readable(&decoding.bytes));
    Ok(found.map_or(given, |decoding| decoding.bytes))
}
