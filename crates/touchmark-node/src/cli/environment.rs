//! What a command line needs of the outside world, passed in so that commands run in tests.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

/// The outside world of one command.
pub struct Environment<'a> {
    /// Where `-` reads from.
    pub stdin: &'a mut dyn Read,
    /// Where the answer goes, and nothing else.
    pub stdout: &'a mut dyn Write,
    /// Where everything else goes.
    pub stderr: &'a mut dyn Write,
    /// What relative paths are relative to.
    pub folder: PathBuf,
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// Asks people; nobody is there without a terminal.
    pub terminal: Option<&'a mut dyn Terminal>,
    /// How long a command takes before it shows how far it is; never where standard error is no
    /// terminal.
    pub patience: Option<Duration>,
}

/// A terminal with a person at it.
pub trait Terminal {
    /// Asks for a secret without showing it.
    fn secret(&mut self, prompt: &str) -> io::Result<String>;

    /// Asks for a line.
    fn line(&mut self, prompt: &str) -> io::Result<String>;
}
