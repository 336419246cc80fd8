//! A network's root of trust, for whoever verifies.

use super::code::Code;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::cli::view;
use std::path::PathBuf;

/// Show the network's id, validators, and where its log stands
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Show {
    /// Also write the genesis document, which `verify` checks receipts and checkpoints with
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Also draw the network's id as a QR code, as --trust takes it
    #[arg(long)]
    qr: bool,
    /// Also write that code as a drawing (SVG)
    #[arg(long, value_name = "FILE")]
    qr_svg: Option<PathBuf>,
}

pub(super) fn run(session: &Session<'_, '_>, show: &Show) -> Result<Answer, Failure> {
    let client = session.client()?;
    // The id that the genesis document has, whatever the node calls it.
    let code = Code::of(session.network(&client)?);
    let network = client.network()?;
    let mut sheet = view::network(&network);
    if let Some(path) = &show.genesis {
        session.write(path, &network.genesis.0)?;
        sheet.add("genesis", path.display().to_string());
    }
    if let Some(path) = &show.qr_svg {
        session.write(path, code.svg().as_bytes())?;
        sheet.add("qr code", path.display().to_string());
    }
    let mut answer = Answer::new(&network, sheet.to_string());
    if show.qr {
        let rows = code.rows();
        answer.text.extend(format!("\n{}\n", rows.join("\n")).bytes());
        answer.document["qr"] = rows.into();
    }
    Ok(answer)
}
