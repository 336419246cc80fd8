//! Asking: nodes are drawn at random, and asked all at once.

use super::rounds::Rounds;
use super::{AgreementError, Ballot, Count, NodeUrl, Policy, Reply, Said};
use crate::foreign::excerpt;
use rand::SeedableRng as _;
use rand::rngs::{StdRng, SysRng};
use rand::seq::index;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use touchmark_api::client::{Client, ClientError};
use touchmark_wire::ids::{NetworkId, ThingId, TreeSize};
use touchmark_wire::registry::RefusalCode;

/// How long one exchange with a node may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer that is read, bytes: a thing's state has at most two entries of 8,192 bytes, of
/// which JSON makes six times as many at most.
const LONGEST: u64 = 131_072;
/// Longest text of a node that is not compared and is shown, characters.
const EXCERPT: usize = 200;

/// What is asked, and of whom.
#[derive(Clone, Debug)]
pub struct Inquiry<'n> {
    /// The thing that nodes are to tell of.
    pub thing: ThingId,
    /// The network that is trusted, if one is.
    pub network: Option<NetworkId>,
    /// How many have to say the same.
    pub policy: Policy,
    /// How many leaves the log must have that they speak of.
    pub least: TreeSize,
    /// Those who are asked.
    pub nodes: Vec<&'n NodeUrl>,
}

/// Chooses so many of a list's nodes, each as likely as any other, by the system's randomness.
pub fn draw(list: &[NodeUrl], policy: Policy) -> Result<Vec<&NodeUrl>, AgreementError> {
    let mut random = StdRng::try_from_rng(&mut SysRng).map_err(|_| AgreementError::Randomness)?;
    let chosen = index::sample(&mut random, list.len(), policy.ask().min(list.len()));
    Ok(chosen.into_iter().map(|place| &list[place]).collect())
}

impl Inquiry<'_> {
    /// Asks, waits about a minute at most, and counts.
    pub fn ask(&self) -> (Ballot, Count) {
        let endpoints = endpoints(&self.nodes);
        let addresses: Vec<_> =
            endpoints.iter().map(|it| it.map(|it| it.ip().to_canonical())).collect();
        let ask = |places: &[usize], size| self.replies(&endpoints, places, size);
        Rounds::new(self, &addresses, ask).run()
    }

    /// What these say, all asked at once.
    fn replies(
        &self,
        endpoints: &[Option<SocketAddr>],
        places: &[usize],
        size: TreeSize,
    ) -> Vec<Reply> {
        let ask = |place: usize| Reply::of(self.nodes[place], endpoints[place], self.thing, size);
        thread::scope(|scope| {
            let asking = places.iter().map(|place| scope.spawn(move || ask(*place)));
            let asking: Vec<_> = asking.collect();
            asking.into_iter().map(|it| it.join().expect("asking does not panic")).collect()
        })
    }
}

/// The one address of each node at which it is asked, of those that are found in time: the one that
/// the system names first. A name is looked up once, so what is compared is what is asked.
fn endpoints(nodes: &[&NodeUrl]) -> Vec<Option<SocketAddr>> {
    let end = Instant::now() + PATIENCE;
    let resolving: Vec<_> = nodes
        .iter()
        .map(|node| {
            let (host, port) = node.endpoint();
            let (host, (tell, told)) = (host.to_owned(), mpsc::channel());
            // The system's resolver cannot be given up; this thread ends when it does.
            thread::spawn(move || {
                let address = (host.as_str(), port).to_socket_addrs().ok();
                // Nobody listens any more if it took too long.
                let _ = tell.send(address.and_then(|mut found| found.next()));
            });
            told
        })
        .collect();
    let left = || end.saturating_duration_since(Instant::now());
    resolving.into_iter().map(|told| told.recv_timeout(left()).ok().flatten()).collect()
}

impl Reply {
    fn of(node: &NodeUrl, at: Option<SocketAddr>, thing: ThingId, size: TreeSize) -> Self {
        let said = at.map(|address| Said::by(node, address, thing, size));
        match said.unwrap_or_else(|| Err("its name leads to no address".to_owned())) {
            Ok(said) => Self::Said(said),
            // It may be any text that the node likes.
            Err(reason) => Self::Nothing { reason: excerpt(&reason, EXCERPT) },
        }
    }
}

impl Said {
    /// Asks a node which network it is of, how long its log is, and what it knows of a thing, once
    /// its log has so many leaves.
    fn by(
        node: &NodeUrl,
        address: SocketAddr,
        thing: ThingId,
        size: TreeSize,
    ) -> Result<Self, String> {
        let client =
            Client::at(node.as_str(), address, PATIENCE).map_err(|error| error.to_string())?;
        let client = client.reading_at_most(LONGEST);
        let view = client.network_at_least(size).map_err(|error| error.to_string())?;
        let network = view.network.parse().map_err(|_| "its network id is none".to_owned())?;
        let size = TreeSize(view.size);
        // Several machines may answer at one address.
        match client.thing_at_least(thing, size) {
            Ok(view) if view.id != thing.to_string() => {
                Err("it tells of another thing than it was asked for".to_owned())
            }
            Ok(view) => {
                Ok(Self { network, size: TreeSize(view.size), thing: Some(Box::new(view)) })
            }
            Err(ClientError::Refused(problem))
                if problem.code() == Some(RefusalCode::NOT_FOUND) =>
            {
                Ok(Self { network, size, thing: None })
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::NodeList;

    #[test]
    fn every_node_is_drawn_and_none_twice() {
        let addresses: Vec<_> = (0..36).map(|n| format!("http://n{n}.example")).collect();
        let list = NodeList::new(None, addresses.iter().map(String::as_str)).unwrap();
        let policy = Policy::new(Policy::ASK, Policy::EQUAL, 36).unwrap();
        let mut drawn = vec![0; 36];
        for _ in 0..300 {
            let nodes = draw(list.nodes(), policy).unwrap();
            for node in &nodes {
                drawn[list.nodes().iter().position(|it| it == *node).unwrap()] += 1;
                assert_eq!(nodes.iter().filter(|it| *it == node).count(), 1);
            }
        }
        // Each a hundred times, give or take six deviations.
        assert!(drawn.iter().all(|times| (50..=150).contains(times)), "{drawn:?}");
    }
}
