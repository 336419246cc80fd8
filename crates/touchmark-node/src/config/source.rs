//! Where values come from: defaults, the file, the environment, options; the later wins.

use super::file::{self, did_you_mean};
use super::{Config, FILE, Fault, Key};
use crate::suggestion;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// File and line.
    File(String),
    /// An environment variable.
    Variable(String),
    /// An option of the command.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => f.write_str(place),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "option --{name}"),
        }
    }
}

/// What a configuration is put together from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The file that was named; otherwise it is `touchmark.toml` in the data folder, if there.
    pub file: Option<&'a Path>,
    /// What relative paths of variables and options are relative to.
    pub folder: &'a Path,
    /// Environment variables.
    pub variables: &'a BTreeMap<String, String>,
    /// Options that were given: key and value.
    pub flags: &'a BTreeMap<&'static str, String>,
}

/// A configuration, and where each value of it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolved {
    /// The configuration.
    pub config: Config,
    /// Where keys come from that somebody set.
    origins: BTreeMap<&'static str, Origin>,
}

impl Resolved {
    /// Where the value of `key` comes from.
    pub fn origin(&self, key: &Key) -> Origin {
        self.origins.get(key.name).cloned().unwrap_or(Origin::Default)
    }

    fn set(&mut self, key: &'static Key, value: &str, origin: Origin) -> Result<(), Fault> {
        let place = match &origin {
            Origin::File(place) => place.clone(),
            other => other.to_string(),
        };
        (key.set)(&mut self.config, value).map_err(|what| {
            let hint = format!("`{}`: {}", key.name, key.about);
            Fault { place, what, hint }
        })?;
        self.origins.insert(key.name, origin);
        Ok(())
    }
}

/// Variables that begin like ours and are not of the node's configuration.
const OTHERS: [&str; 5] = [
    "TOUCHMARK__HOME",
    "TOUCHMARK__LOG",
    "TOUCHMARK__CONTEXT__NODE",
    "TOUCHMARK__CONTEXT__IDENTITY",
    "TOUCHMARK__CONTEXT__NETWORK",
];
const PREFIX: &str = "TOUCHMARK__";
const DATA: &str = "node.data";

impl Sources<'_> {
    /// Puts the configuration together; otherwise all that is wrong with it.
    pub fn resolve(&self) -> Result<Resolved, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut resolved = Resolved { config: Config::default(), origins: BTreeMap::new() };
        // The data folder must be known before its file can be found.
        self.overrides(&mut resolved, &mut Vec::new());
        let file = self.file.map_or_else(
            || self.folder.join(&resolved.config.node.data).join(FILE),
            |file| self.folder.join(file),
        );
        self.file(&file, &mut resolved, &mut faults);
        self.overrides(&mut resolved, &mut faults);
        for key in Key::all() {
            (key.resolve)(&mut resolved.config, self.folder);
        }
        if faults.is_empty() { Ok(resolved) } else { Err(faults) }
    }

    fn file(&self, path: &Path, resolved: &mut Resolved, faults: &mut Vec<Fault>) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.file.is_none() => {
                return;
            }
            Err(error) => {
                let (place, what) = (path.display().to_string(), error.to_string());
                let hint = "check the path given with --config, and its permissions".into();
                faults.push(Fault { place, what, hint });
                return;
            }
        };
        let (settings, wrong) = file::read(path, &text);
        faults.extend(wrong);
        for setting in settings {
            if setting.key.name == DATA && self.file.is_none() {
                let what = "a file in the data folder cannot name another data folder".into();
                let hint = "give --data, or keep the file elsewhere and name it with --config";
                faults.push(Fault { place: setting.place, what, hint: hint.into() });
                continue;
            }
            let set = resolved.set(setting.key, &setting.value, Origin::File(setting.place));
            match set {
                Ok(()) => {
                    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
                    (setting.key.resolve)(&mut resolved.config, &folder);
                }
                Err(fault) => faults.push(fault),
            }
        }
    }

    fn overrides(&self, resolved: &mut Resolved, faults: &mut Vec<Fault>) {
        let ours = self.variables.iter().filter(|(name, _)| name.starts_with(PREFIX));
        for (name, value) in ours.filter(|(name, _)| !OTHERS.contains(&name.as_str())) {
            let set = match Key::all().find(|key| key.variable() == *name) {
                Some(key) => resolved.set(key, value, Origin::Variable(name.clone())),
                None => Err(unknown_variable(name)),
            };
            faults.extend(set.err());
        }
        for (name, value) in self.flags {
            if let Some(key) = Key::named(name) {
                faults.extend(resolved.set(key, value, Origin::Flag(key.flag)).err());
            }
        }
    }
}

fn unknown_variable(name: &str) -> Fault {
    let known: Vec<String> = Key::all().map(Key::variable).collect();
    let known = known.iter().map(String::as_str).chain(OTHERS);
    Fault {
        place: format!("environment {name}"),
        what: "there is no key of this name".into(),
        hint: did_you_mean(suggestion::nearest(name, known)),
    }
}
