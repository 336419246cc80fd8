//! Virtual cards: made, and put into a virtual reader.

use super::place::{self, Unencrypted};
use crate::cli::answer::Answer;
use crate::cli::failure::{Failure, Fault};
use crate::cli::input;
use crate::cli::passphrase::CardPassphrase;
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use touchmark_card::store::{CardStore as _, VirtualCard};
use touchmark_card::vpcd;

#[derive(clap::Args, Debug)]
pub(crate) struct New {
    /// Its folder
    folder: PathBuf,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Serve {
    /// Folder of the virtual card
    folder: PathBuf,
    /// Where vpcd listens
    #[arg(long, value_name = "ADDRESS", default_value_t = vpcd::ADDRESS)]
    vpcd: SocketAddr,
    #[command(flatten)]
    passphrase: CardPassphrase,
    #[command(flatten)]
    unencrypted: Unencrypted,
}

pub(super) fn create(session: &mut Session<'_, '_>, new: &New) -> Result<Answer, Failure> {
    let path = session.path(&new.folder);
    VirtualCard::create(&path)?;
    let memory = VirtualCard::open(&path, None)?.load()?.memory;
    let mut sheet = Sheet::default();
    sheet.add("card", new.folder.display().to_string());
    sheet.add("state", memory.lifecycle.name());
    sheet.add("serial", input::to_hexadecimal(&memory.serial));
    Ok(Answer::sheet(&sheet))
}

/// Ends when the reader closes the connection.
pub(super) fn serve(session: &mut Session<'_, '_>, serve: &Serve) -> Result<Answer, Failure> {
    let mut card =
        place::Opening::of(session, &serve.folder, &serve.passphrase, Some(serve.unencrypted))?
            .card()?;
    let unreachable = |error: std::io::Error| {
        Failure::new(Fault::Reader, format!("no virtual reader at {}", serve.vpcd))
            .because(error)
            .hint("start pcscd with the driver of Debian's package vsmartcard-vpcd")
    };
    let reader = TcpStream::connect(serve.vpcd).map_err(unreachable)?;
    session.say(&format!("the card is in the reader at {}", serve.vpcd));
    vpcd::serve(&mut card, &reader).map_err(unreachable)?;
    let mut sheet = Sheet::default();
    sheet.add("card", serve.folder.display().to_string()).add("ended", "by the reader");
    Ok(Answer::sheet(&sheet))
}
