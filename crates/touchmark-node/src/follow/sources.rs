//! The nodes that are followed: one is asked, and the next when it has nothing to say.

use super::FollowError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use touchmark_api::client::{Client, ClientError};

/// How long an exchange may take: a source keeps who waits for a batch for 10 s.
const PATIENCE: Duration = Duration::from_secs(20);

/// Nodes in the order in which they are asked.
pub(super) struct Sources {
    clients: Vec<Client>,
    /// Counts the changes.
    turn: AtomicU64,
}

impl Sources {
    pub(super) fn new(urls: &[String]) -> Result<Self, FollowError> {
        let clients: Result<Vec<_>, ClientError> =
            urls.iter().map(|url| Client::patient(url, PATIENCE)).collect();
        let clients = clients?;
        if clients.is_empty() {
            return Err(FollowError::Nobody);
        }
        Ok(Self { clients, turn: AtomicU64::new(0) })
    }

    /// Who is asked now, and how often that changed.
    pub(super) fn now(&self) -> (u64, &Client) {
        let turn = self.turn.load(Ordering::Relaxed);
        let place = turn % self.clients.len() as u64;
        (turn, &self.clients[place as usize])
    }

    /// Asks the next one, unless somebody changed it since `turn`.
    pub(super) fn pass(&self, turn: u64) {
        let next = turn.wrapping_add(1);
        // Whoever comes second finds that it was done.
        let _ = self.turn.compare_exchange(turn, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    /// All of them, first who is asked now.
    pub(super) fn all(&self) -> impl Iterator<Item = &Client> {
        let (first, _) = self.now();
        (0..self.clients.len() as u64).map(move |place| {
            let place = first.wrapping_add(place) % self.clients.len() as u64;
            &self.clients[place as usize]
        })
    }
}
