//! Who certifies each batch, over two changes of the committee.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

#[allow(dead_code, reason = "the other tests use all of it")]
mod node;

use node::{Node, thing};
use std::sync::Arc;
use touchmark_batch::{Application as _, Batch};
use touchmark_core::entry::Purposes;
use touchmark_core::refusal::Outcome;
use touchmark_ledger::{Ledger, LedgerLimits, genesis_batch};
use touchmark_testkit::committee::Panel;
use touchmark_wire::codec;
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{Epoch, Height, ThingId, Timestamp};
use touchmark_wire::limits::TERM;
use touchmark_wire::registry::StatementKind;

const PANELS: [Panel<'_>; 3] = [
    Panel { number: 0, validators: &[1] },
    Panel { number: 1, validators: &[1, 2, 3, 4] },
    Panel { number: 2, validators: &[1, 2, 3, 5] },
];

/// Heights at which the second and third are appointed: in the middle of a term, and in its last
/// batch.
const APPOINTED: [u64; 2] = [100, 2 * TERM - 1];

/// Number of the committee in office at a height.
fn office(height: u64) -> usize {
    (height / TERM).min(2) as usize
}

fn genesis() -> Genesis {
    let (origin, time) = ("test.example/log".into(), Timestamp(0));
    Genesis { rules: 1, origin, committee: PANELS[0].committee(), time }
}

/// Two nodes; key 0 of a thing carries the appointments.
struct Chain {
    proposer: Node,
    validator: Node,
    carrier: ThingId,
    height: u64,
}

impl Chain {
    fn new() -> Self {
        let nodes = [(); 2].map(|()| Node::of(&genesis(), LedgerLimits::default()));
        let [proposer, validator] = nodes;
        let inception = thing(0, Purposes::GENERAL, None);
        let (carrier, kind) = (inception.id(), StatementKind::INCEPTION);
        proposer.submit(vec![proposer.statement(carrier, 0, kind, &inception.encode_to_vec())]);
        let mut chain = Self { proposer, validator, carrier, height: 0 };
        chain.round();
        chain
    }

    /// The next batch of the proposer, checked and taken by both.
    fn round(&mut self) -> Arc<Batch> {
        let batch = self.proposer.propose();
        assert_eq!(self.validator.ledger.check(&[], &batch), Ok(()));
        self.proposer.deliver(&batch);
        self.validator.deliver(&batch);
        self.height += 1;
        assert_eq!(batch.height().0, self.height);
        batch
    }

    fn to(&mut self, height: u64) {
        while self.height < height {
            self.round();
        }
    }

    /// Waits for the next batch that the committee with this number appoints the next one in.
    fn appoint(&self, by: usize) {
        let places: &[usize] = if by == 0 { &[0] } else { &[0, 2, 3] };
        let network = genesis().network_id();
        let payload = PANELS[by].appoint(network, &PANELS[by + 1].committee(), places);
        let kind = StatementKind::APPOINT;
        self.proposer.submit(vec![self.proposer.statement(self.carrier, 0, kind, &payload)]);
    }
}

fn committees(ledger: &Ledger) -> (Committee, Option<Committee>) {
    let appointed = ledger.appointed().map(|it| it.as_ref().clone());
    let next = Height(ledger.finalized().0 + 1);
    let after_its_term = ledger.committee(next.next_term());
    assert_eq!(after_its_term, None, "that may still change");
    (ledger.committee(next).unwrap().as_ref().clone(), appointed)
}

#[test]
fn headers_name_who_certifies_and_who_is_next() {
    let mut chain = Chain::new();
    chain.proposer.answers();
    for height in 2..=2 * TERM + 3 {
        if let Some(by) = APPOINTED.iter().position(|at| *at == height) {
            chain.appoint(by);
        }
        let batch = chain.round();
        let header = batch.header();
        let (present, next) = (office(height), office(height + 1));
        assert_eq!(header.epoch, Epoch(present as u64), "height {height}");
        assert_eq!(header.next, PANELS[next].committee().digest(), "height {height}");
        let waits =
            APPOINTED.iter().position(|at| *at <= height && height + 1 < (at / TERM + 1) * TERM);
        let expected = (PANELS[next].committee(), waits.map(|by| PANELS[by + 1].committee()));
        for ledger in [&chain.proposer.ledger, &chain.validator.ledger] {
            assert_eq!(committees(ledger), expected, "height {height}");
        }
        if height % 100 == 0 {
            assert_eq!(committees(&chain.proposer.again().ledger), expected, "height {height}");
        }
    }
    let answers = chain.proposer.answers();
    assert!(matches!(answers[..], [Outcome::Accepted(_), Outcome::Accepted(_)]), "{answers:?}");
}

/// What is not final yet counts for the batches above it.
#[test]
fn an_appointment_in_an_ancestor_counts_at_the_boundary() {
    let mut chain = Chain::new();
    chain.to(TERM - 2);
    chain.appoint(0);
    let last = chain.proposer.propose();
    let ancestry = [last.clone()];
    let first = chain.proposer.propose_in(&[], &ancestry);
    assert_eq!((last.epoch(), first.epoch()), (Epoch(0), Epoch(1)));
    assert_eq!(last.header().next, PANELS[1].committee().digest());
    let checked = chain.validator.ledger.check(&ancestry, &first);
    assert_eq!(checked, Ok(()));
    // Another branch, in which nobody was appointed.
    let empty = chain.validator.propose();
    assert_eq!(empty.header().next, PANELS[0].committee().digest());
    let above = chain.validator.propose_in(&[], &[empty]);
    assert_eq!(above.epoch(), Epoch(0));
}

#[test]
fn a_header_that_names_others_is_refused() {
    let mut chain = Chain::new();
    chain.appoint(0);
    let [first, second] = [0, 1].map(|at: usize| PANELS[at].committee().digest());
    for height in [2, TERM - 1, TERM, TERM + 1] {
        chain.to(height - 1);
        let batch = chain.proposer.propose();
        let (epoch, next) = (batch.epoch(), batch.header().next);
        let lies = |change: &dyn Fn(&mut BatchHeader<'_>)| {
            let mut header = batch.header();
            change(&mut header);
            let (body, hashes) = (batch.body_bytes().to_vec(), batch.leaf_hashes().to_vec());
            let lying = Batch::with_leaf_hashes(codec::encode(&header), body, hashes).unwrap();
            chain.validator.ledger.check(&[], &lying)
        };
        assert_eq!(lies(&|_| {}), Ok(()), "height {height}");
        for other in [0, 1, 2].into_iter().filter(|other| *other != epoch.0) {
            assert!(lies(&|it| it.epoch = Epoch(other)).is_err(), "height {height}");
        }
        for other in [first, second, Digest::default()].into_iter().filter(|it| *it != next) {
            assert!(lies(&|it| it.next = other).is_err(), "height {height}");
        }
    }
}

#[test]
fn a_ledger_does_not_begin_where_the_state_cannot_be_read() {
    let chain = Chain::new();
    chain.proposer.store.state().fail(true);
    let first = Arc::new(genesis_batch(&genesis(), &[]));
    let verifier = Arc::new(touchmark_core::admission::OneByOne);
    let (store, limits) = (chain.proposer.store.clone(), LedgerLimits::default());
    assert!(Ledger::new(store, verifier, first, limits, Box::new(|_, _| {})).is_err());
}
