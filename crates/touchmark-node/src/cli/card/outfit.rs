//! What a card gets besides its key and the thing that it stands for.

use super::code;
use crate::cli::failure::{Failure, Fault};
use crate::cli::session::Session;
use std::path::PathBuf;
use touchmark_card::client::{CardClient, Personalisation};
use touchmark_card::message::UrlBase;
use touchmark_card::profile::limit;
use touchmark_card::store::Locking;
use touchmark_card::transport::Transport;
use touchmark_wire::ids::ThingId;
use zeroize::Zeroizing;

/// What the card gets besides its key
#[derive(clap::Args, Debug)]
pub(crate) struct Outfit {
    /// Content of the card's data file, up to 72 kB
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// File with a code that opens the data file to readers; without one everybody reads it
    #[arg(long, value_name = "FILE")]
    reading_code: Option<PathBuf>,
    /// File with a code that allows to lock the card; without one nobody may
    #[arg(long, value_name = "FILE")]
    lock_code: Option<PathBuf>,
    /// Whoever reaches the card may lock it: for cards that stay inside of their reader
    #[arg(long, conflicts_with = "lock_code")]
    anyone_locks: bool,
}

/// The files of an [`Outfit`], read before a card is touched.
pub(crate) struct Ready {
    data: Vec<u8>,
    reading_code: Option<Zeroizing<Vec<u8>>>,
    lock_code: Option<Zeroizing<Vec<u8>>>,
    anyone_locks: bool,
}

impl Outfit {
    /// Whether anything is to be put on.
    pub(crate) const fn is_given(&self) -> bool {
        self.data.is_some()
            || self.reading_code.is_some()
            || self.lock_code.is_some()
            || self.anyone_locks
    }

    pub(crate) fn read(&self, session: &mut Session<'_, '_>) -> Result<Ready, Failure> {
        let data = self.data.as_ref().map(|path| session.read(path)).transpose()?;
        let data = data.unwrap_or_default();
        if data.len() > limit::DATA {
            let why = format!("{} bytes, at most {}", data.len(), limit::DATA);
            return Err(Failure::new(Fault::Malformed, "the data file is too long for a card")
                .because(why)
                .hint("put a digest of it into the card"));
        }
        Ok(Ready {
            data,
            reading_code: code::read_some(session, self.reading_code.as_deref())?,
            lock_code: code::read_some(session, self.lock_code.as_deref())?,
            anyone_locks: self.anyone_locks,
        })
    }
}

impl Ready {
    /// Ends the personalisation of a card that has made its key: from now on it is `thing`.
    pub(crate) fn put_on<T: Transport>(
        &self,
        card: &mut CardClient<T>,
        thing: ThingId,
        url_base: &UrlBase,
    ) -> Result<(), Failure> {
        card.personalise(&Personalisation {
            id: thing,
            url_base,
            serial: None,
            data: &self.data,
            reading_code: self.reading_code.as_ref().map(|code| code.as_slice()),
            locking: match &self.lock_code {
                Some(code) => Locking::Code(code),
                None if self.anyone_locks => Locking::Anyone,
                None => Locking::Nobody,
            },
        })?;
        Ok(())
    }
}
