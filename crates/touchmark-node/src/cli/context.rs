//! Contexts: which node, which identity, which trusted network, under one name.

use super::answer::{Answer, Table};
use super::failure::{Failure, Fault};
use super::session::{Session, network_id};
use super::sheet::Sheet;
use crate::disk::{self, Secrecy};
use crate::suggestion;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Commands about contexts
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Add a context, or change one, and use it when it is the first
    Add(Add),
    /// List the contexts; the one in use has a star
    List,
    /// Show what the next command would use
    Show,
    /// Use this context from now on
    Use {
        /// Its name
        name: String,
    },
}

#[derive(clap::Args, Debug)]
pub(super) struct Add {
    /// Its name
    name: String,
    /// Identity that signs where no other is named
    #[arg(long = "as", value_name = "IDENTITY")]
    identity: Option<String>,
    /// Network id to trust; without it the node is asked, and trusted this once
    #[arg(long, value_name = "HEX")]
    trust: Option<String>,
}

/// What a context says.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Context {
    /// Address of the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) node: Option<String>,
    /// Name of the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) identity: Option<String>,
    /// Trusted network id, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) network: Option<String>,
}

/// The file of contexts.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contexts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    contexts: BTreeMap<String, Context>,
}

impl Contexts {
    /// Reads the file; none is an empty one.
    pub(super) fn read(home: &Path) -> Result<Self, Failure> {
        let path = path(home);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(Failure::storage(&path, &error)),
        };
        toml::from_str(&text).map_err(|error| {
            let failure = Failure::new(Fault::Usage, format!("{} is not right", path.display()))
                .because(error.message());
            match misspelt(error.message()) {
                Some(name) => failure.hint(format!("did you mean `{name}`?")),
                None => {
                    failure.hint("known are current, and node, identity, network of each context")
                }
            }
        })
    }

    /// The named context, or the one in use; nothing where there is none.
    pub(super) fn chosen(&self, name: Option<&str>) -> Result<Context, Failure> {
        let Some(name) = name.or(self.current.as_deref()) else {
            return Ok(Context::default());
        };
        self.contexts.get(name).cloned().ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> Failure {
        let failure = Failure::new(Fault::Unknown, format!("there is no context `{name}`"));
        match suggestion::nearest(name, self.contexts.keys().map(String::as_str)) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("`touchmark context list` shows them, `context add` makes one"),
        }
    }

    fn write(&self, home: &Path) -> Result<(), Failure> {
        let path = path(home);
        let text = toml::to_string(self).map_err(|error| {
            Failure::new(Fault::Internal, "cannot write contexts").because(error)
        })?;
        disk::make_folder(home)
            .and_then(|()| disk::replace(&path, text.as_bytes(), Secrecy::Owner))
            .map_err(|error| Failure::storage(&path, &error))
    }
}

fn path(home: &Path) -> PathBuf {
    home.join("contexts.toml")
}

/// The nearest known key to the one that a TOML error calls unknown.
fn misspelt(message: &str) -> Option<&'static str> {
    let unknown = message.split('`').nth(1).filter(|_| message.contains("unknown field"))?;
    suggestion::nearest(unknown, ["current", "contexts", "node", "identity", "network"])
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    let home = session.home()?;
    match command {
        Command::Add(add) => run_add(session, &home, add),
        Command::List => {
            let contexts = Contexts::read(&home)?;
            let mut table = Table::new(&["", "name", "node", "identity", "network"]);
            for (name, context) in &contexts.contexts {
                let star = if contexts.current.as_deref() == Some(name) { "*" } else { "" };
                let context = context.clone();
                let cells = [context.node, context.identity, context.network];
                let cells = cells.map(Option::unwrap_or_default);
                table.row([star.to_owned(), name.clone()].into_iter().chain(cells));
            }
            Ok(Answer::new(&contexts, table.to_string()))
        }
        Command::Show => {
            let context = session.context()?;
            let mut sheet = Sheet::default();
            sheet.add("home", home.display().to_string());
            sheet.add_some("node", context.node);
            sheet.add_some("identity", context.identity);
            sheet.add_some("network", context.network);
            Ok(Answer::sheet(&sheet))
        }
        Command::Use { name } => {
            let mut contexts = Contexts::read(&home)?;
            contexts.chosen(Some(&name))?;
            contexts.current = Some(name.clone());
            contexts.write(&home)?;
            let document = serde_json::json!({ "current": name });
            Ok(Answer::new(&document, format!("using {name}\n")))
        }
    }
}

fn run_add(session: &mut Session<'_, '_>, home: &Path, add: Add) -> Result<Answer, Failure> {
    let mut contexts = Contexts::read(home)?;
    let before = contexts.contexts.get(&add.name).cloned().unwrap_or_default();
    let node = session.global.node.clone().or(before.node);
    let network = match (&add.trust, &node) {
        (Some(text), _) => Some(network_id(text)?.to_string()),
        (None, _) if before.network.is_some() => before.network,
        (None, None) => None,
        (None, Some(url)) => {
            let client = touchmark_api::client::Client::new(url)?;
            let network = session.network(&client)?.to_string();
            session.say(&format!("trusting network {network}, as the node says; compare it"));
            Some(network)
        }
    };
    let context = Context { node, identity: add.identity.or(before.identity), network };
    contexts.contexts.insert(add.name.clone(), context.clone());
    let current = contexts.current.get_or_insert_with(|| add.name.clone()).clone();
    contexts.write(home)?;
    let mut sheet = Sheet::default();
    sheet.add("name", add.name.as_str());
    sheet.add_some("node", context.node);
    sheet.add_some("identity", context.identity);
    sheet.add_some("network", context.network);
    sheet.add("current", current == add.name);
    Ok(Answer::sheet(&sheet))
}
