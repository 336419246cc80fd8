//! Where a passphrase comes from: a file, the environment, or the person at the terminal.

use super::failure::{Failure, Fault};
use super::session::Session;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where a passphrase comes from
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct Passphrase {
    /// File with the passphrase of the key files; otherwise TOUCHMARK_PASSPHRASE or a question
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Where the passphrase of a virtual card comes from
#[derive(clap::Args, Debug, Default)]
pub(crate) struct CardPassphrase {
    /// File with the passphrase of the virtual card; otherwise TOUCHMARK_CARD_PASSPHRASE or a
    /// question
    #[arg(long, value_name = "FILE")]
    card_passphrase_file: Option<PathBuf>,
}

impl Passphrase {
    /// Where to get it.
    pub(crate) fn source(&self) -> Source<'_> {
        Source {
            file: self.passphrase_file.as_deref(),
            variable: "TOUCHMARK_PASSPHRASE",
            hint: "give --passphrase-file or TOUCHMARK_PASSPHRASE; `identity create --unencrypted` does without",
        }
    }
}

impl CardPassphrase {
    /// Where to get it.
    pub(crate) fn source(&self) -> Source<'_> {
        Source {
            file: self.card_passphrase_file.as_deref(),
            variable: "TOUCHMARK_CARD_PASSPHRASE",
            hint: "give --card-passphrase-file or TOUCHMARK_CARD_PASSPHRASE; `card issue --unencrypted` does without",
        }
    }
}

/// A file, a variable, or a person.
pub(crate) struct Source<'a> {
    file: Option<&'a Path>,
    variable: &'static str,
    /// What to do where nobody can be asked.
    hint: &'static str,
}

impl Source<'_> {
    /// The passphrase of what is encrypted already.
    pub(crate) fn known(
        &self,
        session: &mut Session<'_, '_>,
        name: &str,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match self.given(session)? {
            Some(given) => Ok(given),
            None => self.ask(session, &format!("passphrase of {name}: ")),
        }
    }

    /// The passphrase of what is going to be encrypted, asked twice.
    pub(crate) fn chosen(
        &self,
        session: &mut Session<'_, '_>,
        name: &str,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if let Some(given) = self.given(session)? {
            return Ok(given);
        }
        let first = self.ask(session, &format!("new passphrase of {name}: "))?;
        let second = self.ask(session, "once more: ")?;
        if first.is_empty() || first != second {
            return Err(Failure::new(Fault::Passphrase, "the passphrase was not set")
                .because("it was empty, or the two were different")
                .hint("try again, or give --unencrypted"));
        }
        Ok(first)
    }

    fn given(&self, session: &mut Session<'_, '_>) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        if let Some(path) = self.file {
            let mut bytes = Zeroizing::new(session.read(path)?);
            while bytes.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
                bytes.pop();
            }
            return Ok(Some(bytes));
        }
        let variable = session.environment.variables.get(self.variable);
        Ok(variable.map(|text| Zeroizing::new(text.as_bytes().to_vec())))
    }

    fn ask(
        &self,
        session: &mut Session<'_, '_>,
        prompt: &str,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        session.clear_progress();
        let Some(terminal) = session.environment.terminal.as_mut() else {
            return Err(Failure::new(Fault::Passphrase, "a passphrase is needed")
                .because("nobody can be asked without a terminal")
                .hint(self.hint));
        };
        terminal.secret(prompt).map(|text| Zeroizing::new(text.into_bytes())).map_err(|error| {
            Failure::new(Fault::Passphrase, "the passphrase could not be read").because(error)
        })
    }
}
