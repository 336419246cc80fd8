//! Several untrusted nodes that are asked for the same, and what a reader gets of it.

mod chance;
mod report;

use super::failure::{Failure, Fault};
use super::session::Session;
use super::verify::root_of_trust;
use crate::agreement::{self, AgreementError, Inquiry, NodeList, Policy};
pub(super) use chance::Chance;
use report::Report;
use std::path::Path;
use touchmark_wire::ids::{ThingId, TreeSize};

/// How many of a list's nodes are asked, and how many have to say the same.
#[derive(clap::Args, Debug)]
pub(super) struct Asking {
    /// How many nodes to ask, drawn at random
    #[arg(long, value_name = "K", default_value_t = Policy::ASK)]
    ask: usize,
    /// How many of them have to say the same: more than half
    #[arg(long, value_name = "M", default_value_t = Policy::EQUAL)]
    equal: usize,
    /// How many leaves the log must have that they speak of, such as the position of what you wrote
    /// and one more; shorter logs count nothing
    #[arg(long, value_name = "SIZE", default_value_t = 0, hide_default_value = true)]
    at_least: u64,
}

impl Asking {
    /// The policy, for a list.
    pub(super) fn policy(&self, list: &NodeList) -> Result<Policy, Failure> {
        Ok(Policy::new(self.ask, self.equal, list.nodes().len())?)
    }

    /// How many leaves the log must have.
    pub(super) const fn least(&self) -> TreeSize {
        TreeSize(self.at_least)
    }
}

/// Asks nodes of the list about a thing, as a log of so many leaves at least has it.
pub(super) fn ask(
    session: &mut Session<'_, '_>,
    list: &NodeList,
    policy: Policy,
    (thing, least): (ThingId, TreeSize),
    trust: Option<&str>,
) -> Result<Report, Failure> {
    let network = match trust {
        Some(text) => Some(root_of_trust(session, text)?.0),
        None => session.trusted()?,
    };
    let nodes = agreement::draw(list.nodes(), policy)?;
    let inquiry = Inquiry { thing, network, policy, least, nodes };
    let (ballot, count) = session.wait("asking the nodes", || inquiry.ask());
    Ok(Report::new(list.nodes().len(), &inquiry, &ballot, &count))
}

/// The list in a file.
pub(super) fn list(session: &mut Session<'_, '_>, file: &Path) -> Result<NodeList, Failure> {
    let bytes = session.read(file)?;
    NodeList::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| {
        Failure::from(error).because(format!("{} is not as it has to be", file.display()))
    })
}

impl From<AgreementError> for Failure {
    fn from(error: AgreementError) -> Self {
        let what = error.to_string();
        match error {
            AgreementError::Policy { .. } => Self::new(Fault::Usage, what)
                .hint("give other numbers to --ask and --equal, or a longer list"),
            AgreementError::List { .. } => Self::new(Fault::NodeList, what)
                .hint("a list is TOML: nodes = [\"http://host:port\", …], one of each operator"),
            AgreementError::Randomness => Self::new(Fault::Internal, what),
        }
    }
}
