//! Receipts: signed proofs of inclusion for COSE tools.

use super::answer::Answer;
use super::failure::Failure;
use super::session::Session;
use std::path::PathBuf;
use touchmark_api::Base64;
use touchmark_wire::ids::LeafIndex;

/// Commands about receipts
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Fetch the receipt of a leaf
    Fetch {
        /// Leaf index
        position: u64,
        /// Where to write it; otherwise standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Receipts of so many validators that one of them is honest (f+1), as far as they are to be
        /// had, one after the other
        #[arg(long)]
        quorum: bool,
        /// Also write the leaf, which checking the receipt needs
        #[arg(long, value_name = "FILE")]
        leaf: Option<PathBuf>,
    },
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    let Command::Fetch { position, quorum, out, leaf } = command;
    let client = session.client()?;
    let receipts = if quorum {
        client.receipts(LeafIndex(position))?
    } else {
        vec![client.receipt(LeafIndex(position))?]
    };
    let (count, receipt) = (receipts.len(), receipts.concat());
    if let Some(path) = leaf {
        session.write(&path, &client.leaf_bytes(LeafIndex(position))?)?;
    }
    let mut document = serde_json::json!({
        "position": position, "bytes": receipt.len(), "receipts": count,
    });
    let Some(path) = out else {
        document["receipt"] = Base64(receipt.clone()).to_string().into();
        return Ok(Answer::raw(document, receipt));
    };
    session.write(&path, &receipt)?;
    document["file"] = path.display().to_string().into();
    let what = if count == 1 { "receipt".to_owned() } else { format!("{count} receipts") };
    Ok(Answer::new(&document, format!("{what} of leaf {position}: {}\n", path.display())))
}
