//! `touchmark doctor`: what is wrong with a data folder and the node there, and how to mend it.
//!
//! Each part examines one thing and says what it found. A node that runs holds its folder's lock:
//! it is asked over HTTP then, and only files that are replaced as a whole are read.

mod against;
mod build;
mod clock;
mod disk;
mod finding;
mod objects;
mod others;
mod ports;
mod premises;
mod presence;

use super::answer::Answer;
use super::config::Configured;
use super::failure::Exit;
use super::reach;
use super::session::Session;
use crate::config::Config;
use crate::folder::Equipment;
use crate::node::ObjectsConfig;
use finding::{Finding, Report};
use presence::Presence;
use std::path::Path;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::hash::Digest;

/// Examine a data folder, its configuration and the node there, and say how to mend what is wrong
///
/// One line for each check: whether it is fine, a warning or failed, what was found, and a hint. It
/// changes nothing. A node that runs is asked over HTTP, at --node or where the configuration says
/// that it listens. Exit code 1 when a check failed.
#[derive(clap::Args, Debug)]
pub(super) struct Doctor {
    /// Another node of the network, whose clock to compare with this machine's and whose build to
    /// name; repeatable
    #[arg(long, value_name = "URL")]
    against: Vec<String>,
    #[command(flatten)]
    configured: Configured,
}

/// What is examined: a folder that has a node.
struct Patient {
    config: Config,
    genesis: Genesis,
    equipment: Equipment,
    /// Who of the validators it is.
    peer: Digest,
    presence: Presence,
}

pub(super) fn run(session: &mut Session<'_, '_>, doctor: &Doctor) -> Answer {
    let checks = match doctor.configured.resolve(session) {
        Ok(resolved) => {
            let mut config = resolved.config;
            config.node.data = session.path(&config.node.data);
            let node = session.global.node.clone();
            let objects = config.objects(&session.environment.variables);
            let examine = || examine(config, objects.as_ref(), node, &doctor.against);
            session.wait("examining", examine)
        }
        Err(failure) => vec![Finding::of("configuration", &failure)],
    };
    let report = Report::new(checks);
    let exit = if report.healthy { Exit::Fine } else { Exit::Refused };
    Answer::new(&report, report.to_string()).ending(exit)
}

fn examine(
    config: Config,
    objects: Option<&ObjectsConfig>,
    node: Option<String>,
    against: &[String],
) -> Vec<Finding> {
    let mut checks = vec![Finding::fine("configuration", "every key is right")];
    let (genesis, equipment, peer) = match premises::whole(&config.node.data) {
        Ok(whole) => whole,
        Err(finding) => {
            checks.push(finding);
            return checks;
        }
    };
    let url = node.unwrap_or_else(|| reach::url(config.http.listen));
    let presence = Presence::find(&config.node.data, &url, peer, objects);
    let patient = Patient { config, genesis, equipment, peer, presence };
    checks.push(premises::folder(&patient));
    checks.push(premises::secrecy(&patient));
    checks.push(premises::ledger(&patient));
    checks.extend(disk::examine(patient.data()));
    checks.extend(objects::examine(&patient));
    checks.push(presence::node(&patient));
    let others = against::ask(against);
    checks.extend(build::examine(&patient, &others));
    checks.extend(ports::examine(&patient));
    checks.extend(clock::examine(&patient, others));
    checks.extend(others::examine(&patient));
    checks
}

impl Patient {
    fn data(&self) -> &Path {
        &self.config.node.data
    }
}
