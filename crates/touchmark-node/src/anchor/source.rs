//! Where checkpoints of the log are recorded, and how the last one is had from there.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use touchmark_api::client::{Client, ClientError, ProofQuery};
use touchmark_core::verdict::TrustedAnchor;
use touchmark_wire::bundle::{Anchor, Claim};
use touchmark_wire::ids::{LeafIndex, NetworkId, StatementId, ThingId};

/// How long an exchange may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A node of another network, and whose records there count. As text `URL NETWORK:THING`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    url: String,
    network: NetworkId,
    by: ThingId,
}

/// What is no [`Source`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected URL NETWORK:THING")]
pub struct NoSource;

impl FromStr for Source {
    type Err = NoSource;

    fn from_str(text: &str) -> Result<Self, NoSource> {
        let (url, anchor) = text.split_once(' ').ok_or(NoSource)?;
        Client::new(url).map_err(|_| NoSource)?;
        match trusted(anchor.trim()) {
            Some(TrustedAnchor { network, by: Some(by), .. }) => {
                Ok(Self { url: url.into(), network, by })
            }
            _ => Err(NoSource),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:{}", self.url, self.network, self.by)
    }
}

/// Reads `NETWORK` or `NETWORK:THING`: the network's id in hexadecimal, a thing's id.
pub fn trusted(text: &str) -> Option<TrustedAnchor> {
    let (network, by) = match text.split_once(':') {
        Some((network, by)) => (network, Some(by.parse().ok()?)),
        None => (text, None),
    };
    Some(TrustedAnchor { network: network.parse().ok()?, by, age: None })
}

impl Source {
    /// Whose word counts.
    pub(super) const fn trusted(&self) -> TrustedAnchor {
        TrustedAnchor { network: self.network, by: Some(self.by), age: None }
    }

    /// A bundle of the last statement of whoever records; an error says why there is none.
    pub(super) fn last_word(&self) -> Result<Vec<u8>, String> {
        let unreached = |error: ClientError| error.to_string();
        let client = Client::patient(&self.url, PATIENCE).map_err(unreached)?;
        let client = client.reading_at_most(Anchor::LIMIT as u64);
        let head = client.thing(self.by).map_err(unreached)?.head;
        let last: StatementId = head
            .last
            .parse()
            .map_err(|_| "the thing's head there has no last statement".to_owned())?;
        let leaf = LeafIndex(client.statement(last).map_err(unreached)?.index);
        let claims = vec![Claim::Record(leaf), Claim::Latest(leaf)];
        let query = ProofQuery { claims, without_anchor: true, ..ProofQuery::default() };
        client.proof(&query).map_err(unreached)
    }
}
