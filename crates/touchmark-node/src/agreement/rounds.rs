//! Rounds: who is asked again, for what, and whose answers count. Nothing is sent here.

use super::{Ballot, Count, Inquiry, NodeUrl, Outcome, Policy, Reply};
use std::net::IpAddr;
use touchmark_wire::ids::{NetworkId, TreeSize};

/// How often those that lag behind are asked again.
const AGAIN: u32 = 2;
/// How often they are once everyone was asked twice.
const AFTERWARDS: u32 = 1;

/// What was heard of nodes so far.
pub(super) struct Rounds<'r, A> {
    pub(super) policy: Policy,
    pub(super) network: Option<NetworkId>,
    /// How long a log every answer has to be about, whatever others say.
    pub(super) least: TreeSize,
    pub(super) nodes: &'r [&'r NodeUrl],
    /// The address at which each is asked; none if its name leads to none.
    pub(super) addresses: &'r [Option<IpAddr>],
    /// Asks nodes, by their places, once their logs have so many leaves.
    pub(super) ask: A,
    heard: Vec<Reply>,
}

impl<'r, A: FnMut(&[usize], TreeSize) -> Vec<Reply>> Rounds<'r, A> {
    pub(super) fn new(inquiry: &'r Inquiry<'_>, addresses: &'r [Option<IpAddr>], ask: A) -> Self {
        let Inquiry { policy, network, least, ref nodes, .. } = *inquiry;
        Self { policy, network, least, nodes, addresses, ask, heard: Vec::new() }
    }

    /// Asks until enough agree, or those who do not were asked once more.
    pub(super) fn run(mut self) -> (Ballot, Count) {
        let everyone: Vec<_> = (0..self.nodes.len()).collect();
        self.heard = (self.ask)(&everyone, self.least);
        let mut size = self.catch_up(AGAIN);
        let ballot = self.ballot();
        // What others have already may be on its way to those who agree.
        if let Some((behind, newer)) = ballot.overtaken(&ballot.count(size)) {
            self.hear(&behind, newer);
        }
        if self.ballot().count(size).outcome == Outcome::Split {
            // The thing may have changed while nodes answered.
            self.hear(&everyone, size);
            size = self.catch_up(AFTERWARDS);
        }
        let ballot = self.ballot();
        let count = ballot.count(size);
        (ballot, count)
    }

    /// Asks those that lag behind; how long a log an answer has to be about.
    fn catch_up(&mut self, times: u32) -> TreeSize {
        let mut size = self.size(&self.ballot());
        let mut again = 0;
        loop {
            let behind = self.ballot().behind(size);
            self.hear(&behind, size);
            again += 1;
            let ballot = self.ballot();
            let newer = self.size(&ballot);
            if ballot.count(size).outcome == Outcome::Agreed || newer == size || again == times {
                return size;
            }
            size = newer;
        }
    }

    /// How long a log an answer has to be about, from what was heard so far.
    fn size(&self, ballot: &Ballot) -> TreeSize {
        ballot.size().max(self.least)
    }

    /// Asks these again. Who has no newer word keeps the one before.
    fn hear(&mut self, places: &[usize], size: TreeSize) {
        if places.is_empty() {
            return;
        }
        for (place, reply) in places.iter().zip((self.ask)(places, size)) {
            if matches!(reply, Reply::Said(_)) {
                self.heard[*place] = reply;
            }
        }
    }

    /// What counts: of nodes with different names and the same address the first that said anything.
    fn ballot(&self) -> Ballot {
        let replies = self.heard.iter().enumerate().map(|(place, reply)| {
            match (reply, self.earlier(place)) {
                (Reply::Said(_), Some(first)) => Reply::Nothing {
                    reason: format!("it has the address of {}", self.nodes[first].as_str()),
                },
                _ => reply.clone(),
            }
        });
        Ballot::new(self.policy, self.network, replies.collect())
    }

    /// The first node at the same address that said anything, if it is another.
    fn earlier(&self, place: usize) -> Option<usize> {
        self.addresses[place]?;
        (0..place).find(|it| {
            self.addresses[*it] == self.addresses[place]
                && matches!(self.heard[*it], Reply::Said(_))
        })
    }
}

#[cfg(test)]
mod tests;
