//! Records: data that an identity writes into its chain.

use super::answer::Answer;
use super::failure::{Failure, Fault};
use super::identity::signing::{Proposal, Signing};
use super::session::Session;
use super::sheet::Sheet;
use super::{explain, leaf, registered, view};
use std::path::{Path, PathBuf};
use touchmark_api::{Kind, PayloadView};
use touchmark_wire::ids::LeafIndex;
use touchmark_wire::limits;
use touchmark_wire::registry::{ContentFormat, StatementKind};
use touchmark_wire::statement::{Claims, Content, Preimage, Statement};

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
    /// Give the node salt and data that a record commits to
    Disclose {
        /// Leaf index
        position: u64,
        /// What `record write --commit` wrote
        file: PathBuf,
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
    /// Write only a salted hash of the data; salt and data go into this file, and to the node,
    /// which keeps them beside the log until they are erased
    #[arg(long, value_name = "FILE")]
    commit: Option<PathBuf>,
    /// What the record is about, in your own words: makes it a Signed Statement (RFC 9943)
    #[arg(long, value_name = "TEXT", value_parser = subject)]
    subject: Option<String>,
    /// Only sign: the statement goes into this file and waits with those that no node has yet
    #[arg(long, value_name = "FILE", conflicts_with = "commit")]
    sign_only: Option<PathBuf>,
    /// Do not give salt and data to the node (`record disclose` does it later)
    #[arg(long, requires = "commit")]
    withhold: bool,
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Write(write) => {
            let data = session.read(&write.file)?;
            let format = write.format.unwrap_or_else(|| format_of(&write.file));
            if let Some(file) = &write.commit {
                return commit(session, &write, file, format, &data);
            }
            let (content, subject) = (Content::Inline(format), write.subject.as_deref());
            let proposal = Proposal::new(StatementKind::RECORD, &data);
            let proposal = Proposal { content, subject, ..proposal };
            if let Some(file) = &write.sign_only {
                return sign_only(session, &write, file, &proposal);
            }
            let written = write.signing.state(session, &proposal)?;
            Ok(view::written(&written, None))
        }
        Command::Show { position } => show(session, LeafIndex(position)),
        Command::Disclose { position, file } => {
            let bytes = session.read(&file)?;
            session.client()?.keep_payload(LeafIndex(position), &bytes)?;
            let document = serde_json::json!({ "position": position, "payload": "kept" });
            Ok(Answer::new(&document, format!("the node keeps what leaf {position} commits to\n")))
        }
    }
}

/// Writes a commitment. Salt and data are in the file before anything is sent: without them
/// nobody could ever say what was meant.
fn commit(
    session: &mut Session<'_, '_>,
    write: &Write,
    file: &Path,
    format: ContentFormat,
    data: &[u8],
) -> Result<Answer, Failure> {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(|error| {
        Failure::new(Fault::Internal, "the operating system gave no randomness").because(error)
    })?;
    let preimage = Preimage { salt, content: data };
    let (bytes, commitment) = (preimage.encode_to_vec(), preimage.commitment());
    if bytes.len() > limits::PREIMAGE && !write.withhold {
        return Err(Failure::new(Fault::Malformed, "the data are longer than a node keeps")
            .because(format!("at most {} bytes with the salt", limits::PREIMAGE))
            .hint("give --withhold, and keep them elsewhere"));
    }
    session.write(file, &bytes)?;
    let (content, subject) = (Content::Committed(format), write.subject.as_deref());
    let proposal = Proposal::new(StatementKind::RECORD, &commitment.0);
    let proposal = Proposal { content, subject, ..proposal };
    let written = write.signing.state(session, &proposal)?;
    let mut answer = view::written(&written, None);
    let disclosed = match written.position.filter(|_| !write.withhold) {
        Some(position) => {
            let hint = format!("`touchmark record disclose {position} {}`", file.display());
            let kept = session.client()?.keep_payload(LeafIndex(position), &bytes);
            kept.map_err(|error| {
                let mut failure = Failure::from(error).hint(hint);
                failure.position = Some(position);
                failure
            })?;
            "kept"
        }
        None => "withheld",
    };
    answer.document["payload"] = disclosed.into();
    Ok(answer)
}

/// Signs a record for another way into the log than this command.
fn sign_only(
    session: &mut Session<'_, '_>,
    write: &Write,
    file: &Path,
    proposal: &Proposal<'_>,
) -> Result<Answer, Failure> {
    let bytes = write.signing.sign_only(session, proposal, file)?;
    let id = Statement::parse(&bytes).map(|statement| statement.id().to_string()).ok();
    let mut sheet = Sheet::default();
    sheet.add_some("id", id.as_deref());
    sheet.add("signed", file.display().to_string());
    let document = serde_json::json!({ "id": id, "file": file.display().to_string() });
    Ok(Answer::raw(document, sheet.to_string().into_bytes()))
}

/// A subject that a claim can hold.
fn subject(text: &str) -> Result<String, String> {
    const LIMIT: usize = Claims::TEXT_LIMIT;
    match text.len() {
        1..=LIMIT => Ok(text.to_owned()),
        length => Err(format!("{length} bytes; a subject has 1 to {LIMIT}")),
    }
}

/// A leaf, with what it commits to as long as the node has that.
fn show(session: &Session<'_, '_>, position: LeafIndex) -> Result<Answer, Failure> {
    let client = session.client()?;
    let view = client.judged_leaf(position)?;
    let mut sheet = leaf::sheet(&view);
    let mut document = Answer::new(&view, "").document;
    let statement = view.statement.as_ref().filter(|statement| statement.committed);
    if let Some(statement) = statement
        && view.kind == Kind::Accepted
    {
        match client.payload(position)? {
            None => {
                sheet.add("committed", "not here: not given to this node, or erased");
            }
            Some(kept) if is_genuine(&kept, &statement.payload.0) => {
                sheet.add("committed", explain::payload::kept(&kept));
                document["committed"] = Answer::new(&kept, "").document;
            }
            Some(_) => {
                sheet.add("committed", "what the node has is NOT what the leaf commits to");
            }
        }
    }
    Ok(Answer::raw(document, sheet.to_string().into_bytes()))
}

/// Whether the node's word is what was signed.
fn is_genuine(kept: &PayloadView, commitment: &[u8]) -> bool {
    let salt = kept.salt.0.as_slice().try_into();
    salt.is_ok_and(|salt| Preimage { salt, content: &kept.content.0 }.commitment().0 == *commitment)
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
