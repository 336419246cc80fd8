//! New identities are free: however many come, those who were there before keep their places.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod node;

use node::{Node, draft, key, thing};
use touchmark_batch::{Application as _, Batch, Proposal};
use touchmark_core::directory::inception::Inception;
use touchmark_core::entry::Purposes;
use touchmark_core::refusal::Outcome;
use touchmark_ledger::{LedgerLimits, Standing, StateView as _};
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, Sequence, ThingId, Timestamp};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::registry::{RefusalCode, StatementKind};
use touchmark_wire::statement::{Link, Statement};

/// The numbers of the keys of known things.
const KNOWN: [u8; 3] = [1, 2, 3];
/// That of the key of all things of a flood.
const FLOOD: u8 = 9;
/// Most of them in a batch, where known things write.
const NEW_IN_BATCH: usize = 128;

fn known(n: u8) -> Inception {
    thing(n, Purposes::GENERAL, None)
}

fn present(node: &Node, n: u8, inception: &Inception) -> Vec<u8> {
    node.statement(inception.id(), n, StatementKind::INCEPTION, &inception.encode_to_vec())
}

/// A node that started with a log in which some things are.
fn node(limits: LedgerLimits) -> Node {
    let node = Node::new(limits);
    node.submit(KNOWN.iter().map(|n| present(&node, *n, &known(*n))).collect());
    node.deliver(&node.propose());
    node.answers();
    node.again()
}

fn record(node: &Node, id: ThingId, n: u8) -> Vec<u8> {
    node.statement(id, n, StatementKind::RECORD, &[1])
}

fn flood(node: &Node, from: u16, count: u16) -> Vec<Vec<u8>> {
    let present = |number: u16| {
        let nonce = [&number.to_be_bytes()[..], &[7; 14]].concat();
        present(node, FLOOD, &Inception { nonce, ..thing(FLOOD, Purposes::GENERAL, None) })
    };
    (from..from + count).map(present).collect()
}

/// Who stated the leaves of a batch, in order.
fn issuers(batch: &Batch) -> Vec<ThingId> {
    let issuer = |leaf: &[u8]| match Leaf::decode(leaf) {
        Ok(Leaf::Accepted(bytes)) => Some(Statement::parse(bytes).unwrap().protected().kid.thing),
        _ => None,
    };
    batch.leaves().filter_map(issuer).collect()
}

#[test]
fn known_things_are_in_the_next_batch_and_new_ones_fill_it_no_further_than_is_quick() {
    let node = node(LedgerLimits::default());
    node.submit(flood(&node, 0, 200));
    node.submit(KNOWN.iter().map(|n| record(&node, known(*n).id(), *n)).collect());
    let batch = node.propose();
    let found = issuers(&batch);
    assert_eq!(found.len(), KNOWN.len() + NEW_IN_BATCH);
    let places = KNOWN.map(|n| found.iter().position(|id| *id == known(n).id()).unwrap());
    assert_eq!(places, [0, 2, 4], "in turns with the flood that came before");
    node.deliver(&batch);
    let rest = node.propose();
    assert_eq!(issuers(&rest).len(), 200 - NEW_IN_BATCH, "nobody is left out");
    node.deliver(&rest);
    let answers = node.answers();
    assert_eq!(answers.len(), 203);
    assert!(answers.iter().all(|answer| matches!(answer, Outcome::Accepted(_))));
}

#[test]
fn new_things_alone_fill_a_batch() {
    let node = Node::new(LedgerLimits::default());
    node.submit(flood(&node, 0, 700));
    assert_eq!(issuers(&node.propose()).len(), 700);
}

#[test]
fn a_known_controllers_things_are_known_and_those_that_merely_name_it_are_not() {
    let node = node(LedgerLimits::default());
    let owner = known(KNOWN[0]).id();
    let (its, other) =
        (thing(5, Purposes::GENERAL, Some(owner)), thing(6, Purposes::GENERAL, Some(owner)));
    let payload = its.encode_to_vec();
    node.submit(vec![
        node.statement(owner, KNOWN[0], StatementKind::REGISTER, &payload),
        present(&node, 6, &other),
    ]);
    node.deliver(&node.propose());
    let standing = |id, n| node.ledger.claimed(&[record(&node, id, n)]);
    assert_eq!(standing(its.id(), 5), Standing::Known);
    assert_eq!(standing(other.id(), 6), Standing::New);
    assert_eq!(standing(owner, KNOWN[0]), Standing::Known);
    let both = [record(&node, owner, KNOWN[0]), record(&node, other.id(), 6)];
    assert_eq!(node.ledger.claimed(&both), Standing::New, "one of them is");
    assert_eq!(node.ledger.claimed(&[b"no leaf".to_vec()]), Standing::New);
}

#[test]
fn what_is_in_the_log_for_an_hour_is_known() {
    let node = node(LedgerLimits::default());
    let newcomer = known(4);
    let later = |minutes: u64, inputs| {
        node.submit(inputs);
        let parent = node.store.state().tip().batch.clone();
        let now = Timestamp(parent.time().0 + minutes * 60_000);
        let proposal =
            Proposal { context: &[], parent: &parent, ancestry: &[], now, body_limit: 1 << 20 };
        node.deliver(&std::sync::Arc::new(node.ledger.propose(proposal).unwrap()));
    };
    later(1, vec![present(&node, 4, &newcomer)]);
    let standing = || node.ledger.claimed(&[record(&node, newcomer.id(), 4)]);
    assert_eq!(standing(), Standing::New);
    later(30, vec![record(&node, known(1).id(), 1)]);
    later(29, vec![record(&node, known(1).id(), 1)]);
    assert_eq!(standing(), Standing::New);
    later(1, vec![record(&node, known(1).id(), 1)]);
    assert_eq!(standing(), Standing::Known);
}

#[test]
fn new_things_have_a_quarter_of_the_room_where_known_ones_write() {
    let limits = LedgerLimits { pool: 64 << 10, ..LedgerLimits::default() };
    let node = node(limits);
    node.submit(vec![record(&node, known(1).id(), 1)]);
    let inceptions = flood(&node, 0, 300);
    let fit = (limits.pool / 4) / inceptions[0].len();
    node.submit(inceptions);
    let refused = node.answers();
    assert_eq!(refused.len(), 300 - fit);
    let overloaded = |outcome: &Outcome| matches!(outcome, Outcome::Refused(refusal) if refusal.code == RefusalCode::OVERLOADED);
    assert!(refused.iter().all(overloaded));
    // A known thing's own chain fits in beside them.
    let mut link = node.next(known(2).id(), StatementKind::RECORD);
    let chain = (0..100).map(|_| {
        let draft = draft(known(2).id(), link, &[2]);
        let previous: Digest = draft.id(KeyNumber(0), Algorithm::Es256).0;
        let signed = draft.sign(KeyNumber(0), &key(2)).unwrap();
        link = Link { sequence: Sequence(link.sequence.0 + 1), previous, ..link };
        signed
    });
    node.submit(chain.collect());
    assert!(node.answers().is_empty(), "all of it waits");
    // What is decided makes room.
    while node.ledger.backlog().items > 0 {
        node.deliver(&node.propose());
    }
    node.answers();
    node.submit(flood(&node, 300, fit as u16));
    assert!(node.answers().is_empty(), "all of it waits");
}
