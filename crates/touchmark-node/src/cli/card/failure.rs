//! What cards and readers say, as failures of a command.

use crate::cli::failure::{Failure, Fault};
use touchmark_card::apdu::Status;
use touchmark_card::client::ClientError;
use touchmark_card::store::StoreError;
use touchmark_card::transport::TransportError;
use touchmark_keys::file::KeyFileError;

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused { during, status } => refused(during, status),
            ClientError::Transport(error) => error.into(),
            ClientError::TooLong => Self::new(Fault::Malformed, "it is too long for a card"),
            other => Self::new(Fault::CardAnswer, "the card does not answer as cards do")
                .because(other)
                .hint("`touchmark card read` tells what kind of card it is"),
        }
    }
}

fn refused(during: &str, status: Status) -> Failure {
    let fault = match status {
        Status::LOCKED => Fault::CardLocked,
        Status::MEMORY | Status::FAULT => Fault::Storage,
        _ => Fault::CardRefused,
    };
    let hint = match status {
        Status::LOCKED => "a locked card never signs again; issue another one",
        Status::SECURITY | Status::WRONG_CODE => {
            "give the code that the card was issued with; without one nobody may"
        }
        Status::CONDITIONS => {
            "`touchmark card read` tells the card's state; a blank one is issued first"
        }
        Status::NOT_FOUND => "use a card of this profile (spec/card.md)",
        _ => "spec/card.md explains the status words",
    };
    Failure::new(fault, format!("the card refused to {during}"))
        .because(format!("{status}: {}", status.meaning()))
        .hint(hint)
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        let hint = match error {
            TransportError::NoService(_) => {
                "install and start pcscd (Debian: apt-get install pcscd), or use --virtual FOLDER"
            }
            TransportError::NoReader(_) => {
                "plug the reader in; `touchmark card list` shows what is there"
            }
            TransportError::NoCard(_) => "put a card on the reader",
            TransportError::Busy(_) => "wait until the other program has ended",
            _ => "hold the card still and try again",
        };
        Self::new(Fault::Reader, error.to_string()).hint(hint)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Absent => {
                Self::new(Fault::Unknown, text).hint("`touchmark card new FOLDER` makes one")
            }
            StoreError::Exists => Self::new(Fault::Exists, text).hint("choose another folder"),
            StoreError::Busy => {
                Self::new(Fault::Busy, text).hint("wait until the other command has ended")
            }
            StoreError::Key(KeyFileError::Passphrase | KeyFileError::PassphraseNeeded) => {
                Self::new(Fault::Passphrase, "cannot open the card's key")
                    .because(text)
                    .hint("give the passphrase that the card was issued with")
            }
            StoreError::Key(_) | StoreError::Damaged => {
                Self::new(Fault::Damaged, text).hint("restore the card's folder from a backup")
            }
            _ => Self::new(Fault::Storage, "cannot use the card's folder")
                .because(text)
                .hint("check free space and permissions of the folder"),
        }
    }
}
