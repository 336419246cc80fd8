//! Configuration of a node: one file, then environment variables, then options of the command.
//!
//! Every key stands once, in [`keys`]: its type, default, option and description. The struct, the
//! command line's options, the example file and the documentation are made from that table.
//! No key holds a secret: private keys are in files of their own, credentials of object storage in AWS's
//! own variables.

mod file;
mod keys;
mod page;
mod source;
mod value;

pub use keys::{
    AnchorSection, Config, EngineSection, HttpSection, LimitsSection, NetworkSection, NodeSection,
    ObjectsSection, SECTIONS, WitnessesSection,
};
pub use page::{example, reference};
pub use source::{Origin, Resolved, Sources};
pub use value::Addresses;

use crate::folder::NewNetwork;
use crate::http::Limits;
use crate::node::{NodeConfig, ObjectsConfig};
use crate::service::ServiceConfig;
use std::collections::BTreeMap;
use std::path::Path;
use touchmark_engine::Pacing;
use touchmark_objects::Place;
use touchmark_wire::ids::Timestamp;

/// Name of the file in the data folder.
pub const FILE: &str = "touchmark.toml";

/// A group of keys: a table of the file.
#[derive(Debug)]
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

/// A key of the configuration.
#[derive(Debug)]
pub struct Key {
    /// `section.key`.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// The default as text; empty where there is none.
    pub default: &'static str,
    /// The option of `node run`, without its two hyphens.
    pub flag: &'static str,
    /// What the option's help calls the value.
    pub value_name: &'static str,
    set: fn(&mut Config, &str) -> Result<(), String>,
    show: fn(&Config) -> String,
    toml: fn(&Config) -> String,
    resolve: fn(&mut Config, &Path),
}

impl Key {
    /// Every key, in the order of the file.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        SECTIONS.iter().flat_map(|section| section.keys)
    }

    /// The key of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|key| key.name == name)
    }

    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("TOUCHMARK__{}", self.name.to_uppercase().replace('.', "__"))
    }

    /// Its value in a configuration, as text; empty where there is none.
    pub fn value(&self, config: &Config) -> String {
        (self.show)(config)
    }

    /// Its value in a configuration as it stands in a TOML file; empty where there is none.
    pub fn toml(&self, config: &Config) -> String {
        (self.toml)(config)
    }
}

/// What is wrong with a configuration.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Fault {
    /// File and line, variable or option.
    pub place: String,
    /// What is wrong there. Never the value: somebody may have put a secret in the wrong place.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// Reads a time, such as 250ms, 2s, 5min or 1h; the error says what is expected.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    value::Value::parse(text)
}

impl Config {
    /// Where old leaves are kept, if not in the data folder; `variables` are those of the environment.
    pub fn objects(&self, variables: &BTreeMap<String, String>) -> Option<ObjectsConfig> {
        let section = &self.objects;
        Some(ObjectsConfig {
            place: Place {
                url: section.url.clone()?,
                endpoint: section.endpoint.clone(),
                region: section.region.clone(),
                variables: variables.clone(),
            },
            tail: section.tail as u64,
            interval: section.interval,
        })
    }

    /// What the service needs; a new network begins at `now`, and `variables` are those of the
    /// environment.
    pub fn service(&self, now: Timestamp, variables: &BTreeMap<String, String>) -> ServiceConfig {
        ServiceConfig {
            node: NodeConfig {
                data: self.node.data.clone(),
                engine_listen: self.engine.listen,
                pacing: Pacing {
                    idle_interval: self.engine.idle_interval,
                    busy_interval: self.engine.busy_interval,
                },
                new: NewNetwork {
                    origin: self.network.origin.clone(),
                    validator: self.network.validator.clone(),
                    time: now,
                },
                objects: self.objects(variables),
            },
            listen: self.http.listen,
            witness_interval: self.witnesses.interval,
            anchor: self.anchor.source.clone(),
            anchor_interval: self.anchor.interval,
            limits: Limits {
                writes: self.limits.source_writes,
                reads: self.limits.source_reads,
                identity: self.limits.identity_writes,
                connections: self.limits.connections,
                connections_of_source: self.limits.source_connections,
                requests: self.limits.requests,
                listeners: self.limits.listeners,
                trusted_proxies: self.limits.trusted_proxies.0.clone(),
                ..Limits::default()
            },
        }
    }
}

#[cfg(test)]
mod tests;
