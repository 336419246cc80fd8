//! Where the card is: in a reader, or in a folder.

use crate::cli::failure::{Failure, Fault};
use crate::cli::passphrase::CardPassphrase;
use crate::cli::session::Session;
use std::path::{Path, PathBuf};
use touchmark_card::card::Card;
use touchmark_card::client::CardClient;
use touchmark_card::reader::Reader;
use touchmark_card::store::VirtualCard;
use touchmark_card::transport::Transport;
use zeroize::Zeroizing;

/// Which card
#[derive(clap::Args, Debug)]
pub(crate) struct Place {
    /// Reader with the card, or the beginning of its name; otherwise the first with a card in it
    #[arg(long, value_name = "NAME", conflicts_with = "folder")]
    reader: Option<String>,
    /// Folder of a virtual card
    #[arg(long = "virtual", value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    passphrase: CardPassphrase,
}

/// How a virtual card keeps the key that it makes
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Unencrypted {
    /// Keep a virtual card's private key as it is, readable by you alone
    #[arg(long, conflicts_with = "card_passphrase_file")]
    pub(crate) unencrypted: bool,
}

impl Place {
    /// Whether somebody said where.
    pub(crate) const fn is_named(&self) -> bool {
        self.reader.is_some() || self.folder.is_some()
    }

    /// The card, for this command alone.
    pub(crate) fn card(
        &self,
        session: &mut Session<'_, '_>,
    ) -> Result<CardClient<Box<dyn Transport>>, Failure> {
        self.known(session)?.card()
    }

    /// A card that may make its key now.
    pub(crate) fn blank_card(
        &self,
        session: &mut Session<'_, '_>,
        unencrypted: Unencrypted,
    ) -> Result<CardClient<Box<dyn Transport>>, Failure> {
        if self.folder.is_none() && unencrypted.unencrypted {
            return Err(Failure::new(Fault::Usage, "a card in a reader keeps its own key")
                .hint("leave --unencrypted out"));
        }
        self.reach(session, Some(unencrypted))?.card()
    }

    /// How to reach the card whenever it is needed.
    pub(crate) fn known(&self, session: &mut Session<'_, '_>) -> Result<Reach, Failure> {
        self.reach(session, None)
    }

    fn reach(
        &self,
        session: &mut Session<'_, '_>,
        new_key: Option<Unencrypted>,
    ) -> Result<Reach, Failure> {
        Ok(match &self.folder {
            Some(folder) => Reach::Folder(Opening::of(session, folder, &self.passphrase, new_key)?),
            None => Reach::Reader(self.reader.clone().unwrap_or_default()),
        })
    }
}

/// A way to a card that asks nobody anything any more.
pub(crate) enum Reach {
    /// In the first reader with a card whose name begins so.
    Reader(String),
    /// A virtual card.
    Folder(Opening),
}

impl Reach {
    /// The card, for this program until it is dropped.
    pub(crate) fn card(&self) -> Result<CardClient<Box<dyn Transport>>, Failure> {
        let transport: Box<dyn Transport> = match self {
            Self::Reader(name) => Box::new(Reader::connect(name)?),
            Self::Folder(opening) => Box::new(opening.card()?),
        };
        Ok(CardClient::new(transport))
    }
}

/// The folder of a virtual card, with what opens its key.
pub(crate) struct Opening {
    folder: PathBuf,
    passphrase: Option<Zeroizing<Vec<u8>>>,
}

impl Opening {
    /// `new_key` says how a key is kept that the card may make now.
    pub(super) fn of(
        session: &mut Session<'_, '_>,
        folder: &Path,
        passphrase: &CardPassphrase,
        new_key: Option<Unencrypted>,
    ) -> Result<Self, Failure> {
        let path = session.path(folder);
        let name = folder.display().to_string();
        let source = passphrase.source();
        let passphrase = match (VirtualCard::key_file(&path)?, new_key) {
            (Some(file), _) if file.is_encrypted() => Some(source.known(session, &name)?),
            (None, Some(Unencrypted { unencrypted: false })) => {
                Some(source.chosen(session, &name)?)
            }
            _ => None,
        };
        Ok(Self { folder: path, passphrase })
    }

    /// The card, switched on.
    pub(super) fn card(&self) -> Result<Card<VirtualCard>, Failure> {
        let store = VirtualCard::open(&self.folder, self.passphrase.clone())?;
        Ok(Card::switch_on(store)?)
    }
}
