//! Records: data that an identity writes into its chain.

use super::answer::Answer;
use super::failure::Failure;
use super::identity::signing::{Proposal, Signing};
use super::session::Session;
use super::{leaf, registered, view};
use std::path::{Path, PathBuf};
use touchmark_wire::ids::LeafIndex;
use touchmark_wire::registry::{ContentFormat, StatementKind};

/// Commands about records
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Write a file, or standard input, as a record
    Write(Write),
    /// Show the leaf at a position of the log
    Show {
        /// Leaf index
        position: u64,
    },
}

#[derive(clap::Args, Debug)]
pub(super) struct Write {
    #[command(flatten)]
    signing: Signing,
    /// The data; - is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// What the data are: text, json, cbor, senml+json, senml+cbor, octets, or a number; otherwise
    /// what the file's name says
    #[arg(long, value_parser = registered::content_format)]
    format: Option<ContentFormat>,
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Write(write) => {
            let data = session.read(&write.file)?;
            let format = write.format.unwrap_or_else(|| format_of(&write.file));
            let proposal = Proposal { format, ..Proposal::new(StatementKind::RECORD, &data) };
            let written = write.signing.state(session, &proposal)?;
            Ok(view::written(&written, None))
        }
        Command::Show { position } => {
            let view = session.client()?.judged_leaf(LeafIndex(position))?;
            Ok(Answer::new(&view, leaf::sheet(&view).to_string()))
        }
    }
}

/// The format that a file's name promises.
pub(super) fn format_of(file: &Path) -> ContentFormat {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("txt") => ContentFormat::TEXT,
        Some("json") => ContentFormat::JSON,
        Some("cbor") => ContentFormat::CBOR,
        Some("senml") => ContentFormat::SENML_JSON,
        Some("senmlc") => ContentFormat::SENML_CBOR,
        _ => ContentFormat::OCTETS,
    }
}
