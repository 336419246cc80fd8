//! The node's configuration: shown, checked, and an example of it.

use super::answer::{Answer, Table};
use super::failure::{Failure, Fault};
use super::session::Session;
use crate::config::{self, Config, Fault as Wrong, Key, Resolved, SECTIONS, Sources};
use crate::node::ObjectsConfig;
use clap::{Arg, ArgMatches};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Commands about the node's configuration
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Show what `node run` would use with the same options
    Show(Show),
    /// Check file, environment and options; say all that is wrong
    Check(Configured),
    /// Print a configuration file with every key at its default
    Example,
}

#[derive(clap::Args, Debug)]
pub(super) struct Show {
    /// Say of each value where it comes from
    #[arg(long)]
    origin: bool,
    #[command(flatten)]
    configured: Configured,
}

/// Where a node's configuration comes from
#[derive(clap::Args, Debug)]
pub(super) struct Configured {
    /// Configuration file; otherwise touchmark.toml in the data folder, if it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

/// An option for every key of the configuration.
#[derive(Debug)]
struct Flags(BTreeMap<&'static str, String>);

impl clap::Args for Flags {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(Key::all().map(|key| {
            let default = match key.default {
                "" => String::new(),
                default => format!(" [default: {default}]"),
            };
            Arg::new(key.name)
                .long(key.flag)
                .value_name(key.value_name)
                .help(format!("{}{default}", key.about))
                .help_heading("Configuration")
        }))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |key: &Key| matches.get_one::<String>(key.name).cloned();
        Ok(Self(Key::all().filter_map(|key| Some((key.name, given(key)?))).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Where a node's data folder is, by the same configuration as `node run` uses
#[derive(clap::Args, Debug)]
pub(super) struct DataFolder {
    /// Configuration file; otherwise touchmark.toml in the data folder, if it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder; otherwise what TOUCHMARK__NODE__DATA or the file says, or touchmark-data
    #[arg(long, value_name = "FOLDER")]
    data: Option<String>,
}

impl DataFolder {
    /// The folder; a failure says all that is wrong with the configuration.
    pub(super) fn path(&self, session: &Session<'_, '_>) -> Result<PathBuf, Failure> {
        Ok(self.resolve(session)?.node.data)
    }

    /// The folder, and the object storage that has what is not there.
    pub(super) fn with_objects(
        &self,
        session: &Session<'_, '_>,
    ) -> Result<(PathBuf, Option<ObjectsConfig>), Failure> {
        let config = self.resolve(session)?;
        let objects = config.objects(&session.environment.variables);
        Ok((config.node.data, objects))
    }

    fn resolve(&self, session: &Session<'_, '_>) -> Result<Config, Failure> {
        let given = self.data.iter().map(|folder| ("node.data", folder.clone()));
        Ok(resolve(session, self.config.as_deref(), &given.collect())?.config)
    }
}

impl Configured {
    /// The configuration; a failure says all that is wrong with it.
    pub(super) fn resolve(&self, session: &Session<'_, '_>) -> Result<Resolved, Failure> {
        resolve(session, self.config.as_deref(), &self.flags.0)
    }
}

fn resolve(
    session: &Session<'_, '_>,
    file: Option<&Path>,
    flags: &BTreeMap<&'static str, String>,
) -> Result<Resolved, Failure> {
    let (folder, variables) = (&session.environment.folder, &session.environment.variables);
    let sources = Sources { file, folder, variables, flags };
    sources.resolve().map_err(|wrong| failure(&wrong))
}

fn failure(wrong: &[Wrong]) -> Failure {
    let what = match wrong {
        [_] => "the configuration is not right".to_owned(),
        several => format!("the configuration is not right in {} places", several.len()),
    };
    let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    let failure = Failure::new(Fault::Config, what).because(lines.join("\n        "));
    match wrong.first() {
        Some(first) => failure.hint(first.hint.as_str()),
        None => failure,
    }
}

pub(super) fn run(session: &Session<'_, '_>, command: &Command) -> Result<Answer, Failure> {
    match command {
        Command::Show(show) => {
            let resolved = show.configured.resolve(session)?;
            let text = if show.origin { origins(&resolved) } else { values(&resolved.config) };
            Ok(Answer::new(&document(&resolved, show.origin), text))
        }
        Command::Check(configured) => {
            configured.resolve(session)?;
            let document = serde_json::json!({ "valid": true });
            Ok(Answer::new(&document, "the configuration is right\n"))
        }
        Command::Example => {
            let text = config::example();
            Ok(Answer::new(&serde_json::json!({ "example": text }), text))
        }
    }
}

/// What is in force, as a configuration file.
fn values(config: &Config) -> String {
    let sections = SECTIONS.iter().map(|section| {
        let name = |key: &'static Key| key.name.split_once('.').map_or(key.name, |it| it.1);
        let line = |key: &'static Key| match key.toml(config) {
            none if none.is_empty() => format!("# {} is not set\n", name(key)),
            value => format!("{} = {value}\n", name(key)),
        };
        format!("[{}]\n{}", section.name, section.keys.iter().map(line).collect::<String>())
    });
    sections.collect::<Vec<_>>().join("\n")
}

fn origins(resolved: &Resolved) -> String {
    let mut table = Table::new(&["key", "value", "from"]);
    for key in Key::all() {
        let value = key.value(&resolved.config);
        table.row([key.name.to_owned(), value, resolved.origin(key).to_string()]);
    }
    table.to_string()
}

fn document(resolved: &Resolved, with_origin: bool) -> serde_json::Value {
    let mut document = serde_json::Map::new();
    for section in SECTIONS {
        let keys = section.keys.iter().map(|key| {
            let name = key.name.split_once('.').map_or(key.name, |it| it.1);
            let value = match key.value(&resolved.config) {
                none if none.is_empty() => serde_json::Value::Null,
                value => value.into(),
            };
            let shown = if with_origin {
                let origin = resolved.origin(key).to_string();
                serde_json::json!({ "value": value, "origin": origin })
            } else {
                value
            };
            (name.to_owned(), shown)
        });
        document.insert(section.name.to_owned(), serde_json::Value::Object(keys.collect()));
    }
    document.into()
}
