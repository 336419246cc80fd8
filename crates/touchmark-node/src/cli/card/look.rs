//! What cards and readers tell everybody.

use super::{code, place};
use crate::cli::answer::{Answer, Table};
use crate::cli::failure::Failure;
use crate::cli::input;
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use std::path::PathBuf;
use touchmark_card::client::CardInfo;
use touchmark_card::reader::Reader;
use touchmark_wire::codec;

#[derive(clap::Args, Debug)]
pub(crate) struct Read {
    #[command(flatten)]
    place: place::Place,
    /// Write the card's data file here
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Write the card's public key here, as a COSE_Key
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// File with the code that opens the card's data file
    #[arg(long, value_name = "FILE", requires = "data")]
    reading_code: Option<PathBuf>,
}

pub(super) fn readers() -> Result<Answer, Failure> {
    let readers = Reader::list()?;
    let mut table = Table::new(&["reader", "card"]);
    let mut documents = Vec::new();
    for reader in readers {
        let card = if reader.has_card { "yes" } else { "no" };
        documents.push(serde_json::json!({ "reader": reader.name, "card": reader.has_card }));
        table.row([reader.name, card.to_owned()]);
    }
    Ok(Answer::new(&documents, table.to_string()))
}

pub(super) fn run(session: &mut Session<'_, '_>, read: &Read) -> Result<Answer, Failure> {
    let mut card = read.place.card(session)?;
    let info = card.info()?;
    let mut sheet = sheet(&info);
    if let Some(path) = &read.data {
        let code = code::read_some(session, read.reading_code.as_deref())?;
        let data = card.read_data(code.as_ref().map(|code| code.as_slice()))?;
        session.write(path, &data)?;
        sheet.add("data file", path.display().to_string());
    }
    if let (Some(path), Some(key)) = (&read.key, &info.public_key) {
        session.write(path, &codec::encode(key))?;
        sheet.add("key file", path.display().to_string());
    }
    Ok(Answer::sheet(&sheet))
}

/// A card as people and programs see it.
pub(in crate::cli) fn sheet(info: &CardInfo) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add_some("thing", info.id.map(|id| id.to_string()));
    sheet.add("state", info.lifecycle.name());
    sheet.add("serial", input::to_hexadecimal(&info.serial));
    sheet.add_some("url", info.url_base.as_deref());
    sheet.add("counter", info.counter);
    sheet.add("data bytes", info.data_length);
    if let Some(key) = &info.public_key {
        sheet.add("key", &codec::encode(key)[..]);
        sheet.add("key digest", key.digest().to_string());
    }
    sheet
}
