//! A place to run commands at: a folder, variables, and what the last command said.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use touchmark_node::cli::{self, Environment, Exit, Terminal};

/// A person's folder, with everything that their commands keep.
pub(crate) struct Desk {
    folder: TempDir,
    variables: BTreeMap<String, String>,
    input: Vec<u8>,
    answers: Option<Vec<String>>,
    is_watched: bool,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home").display().to_string();
        let variables = BTreeMap::from([("TOUCHMARK__HOME".to_owned(), home)]);
        Self { folder, variables, input: Vec::new(), answers: None, is_watched: false }
    }

    pub(crate) fn at(node: &super::node::Node) -> Self {
        let mut desk = Self::new();
        desk.set("TOUCHMARK__CONTEXT__NODE", &node.url());
        desk
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.into(), value.into());
    }

    /// Gives standard input.
    pub(crate) fn input(&mut self, bytes: &[u8]) {
        self.input = bytes.to_vec();
    }

    /// Somebody sits at a terminal and gives these answers.
    pub(crate) fn person(&mut self, answers: &[&str]) {
        self.answers = Some(answers.iter().map(|answer| (*answer).to_owned()).collect());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Runs `touchmark` with the words of `line`.
    pub(crate) fn run(&mut self, line: &str) -> Ended {
        self.run_all(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// The same while somebody without any patience looks at standard error.
    #[allow(dead_code, reason = "not every test that shares this is about progress")]
    pub(crate) fn run_watched(&mut self, line: &str) -> Ended {
        self.is_watched = true;
        let ended = self.run(line);
        self.is_watched = false;
        ended
    }

    pub(crate) fn run_all(&mut self, arguments: &[&str]) -> Ended {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut person = self.answers.take().map(Person);
        let mut environment = Environment {
            stdin: &mut &self.input[..],
            stdout: &mut stdout,
            stderr: &mut stderr,
            folder: self.folder.path().to_path_buf(),
            variables: self.variables.clone(),
            terminal: person.as_mut().map(|person| person as &mut dyn Terminal),
            patience: self.is_watched.then_some(Duration::ZERO),
        };
        let words = ["touchmark"].iter().chain(arguments).map(|word| (*word).into());
        let exit = cli::run(words, &mut environment);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { exit, stdout: text(stdout), stderr: text(stderr) }
    }

    /// The document that a command answers, which must end well.
    pub(crate) fn json(&mut self, line: &str) -> Value {
        let ended = self.run(&format!("{line} --json"));
        assert_eq!(ended.exit, Exit::Fine, "{line}: {ended:?}");
        ended.document()
    }

    /// The error that a command ends with.
    pub(crate) fn error(&mut self, line: &str) -> (Exit, Value) {
        let ended = self.run(&format!("{line} --json"));
        let error = ended.document()["error"].clone();
        assert!(error.is_object(), "{line}: {ended:?}");
        assert!(!ended.stderr.is_empty());
        (ended.exit, error)
    }
}

impl Ended {
    pub(crate) fn document(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "one document: {self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }
}

struct Person(Vec<String>);

impl Terminal for Person {
    fn secret(&mut self, _: &str) -> io::Result<String> {
        if self.0.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(self.0.remove(0))
    }

    fn line(&mut self, prompt: &str) -> io::Result<String> {
        self.secret(prompt)
    }
}

/// The files in a folder, by name.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
