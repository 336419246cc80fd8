//! What a node proposes, every other node executes with the same result, whenever and in whatever
//! company it admitted the submissions.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod node;

use node::*;
use touchmark_batch::{Application, Batch, Halt, Member};
use touchmark_core::admission::Input;
use touchmark_core::channel::access::Access;
use touchmark_core::channel::opening::Opening;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::entry::{Purposes, Rights};
use touchmark_core::evidence::WrappedEvidence;
use touchmark_core::refusal::Outcome;
use touchmark_core::view::{Read, View};
use touchmark_ledger::{LedgerLimits, StateView};
use touchmark_wire::algorithm::{SignedBytes, Signer};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, KeyNumber, Sequence, ThingId, Timestamp};
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::registry::{
    ChannelKind, EvidenceFormat, RefusalCode, StatementKind, Status, Writers,
};
use touchmark_wire::statement::{Kid, Link, Statement};

fn card_url(card: ThingId, counter: u32, n: u8) -> Vec<u8> {
    let text = format!("https://t.example/?i={card}&c={counter:08x}&s=");
    let signature = key(n).sign(&SignedBytes::new([text.as_bytes()])).unwrap();
    let digit = |value: u8| b"0123456789ABCDEF"[usize::from(value)];
    let digits = signature.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    text.bytes().chain(digits).collect()
}

fn bare(bytes: &[u8]) -> Vec<u8> {
    Leaf::Evidence(BareEvidence { format: EvidenceFormat::CARD_URL, bytes, mark: None })
        .encode_to_vec()
}

fn wrapped(bytes: &[u8]) -> Vec<u8> {
    codec::encode(&WrappedEvidence { format: EvidenceFormat::CARD_URL, bytes, context: None })
}

/// Two nodes of one network, in which an issuer (key 0) and a reader (key 1) are registered.
struct Network {
    proposer: Node,
    validator: Node,
    issuer: ThingId,
    reader: ThingId,
}

impl Network {
    fn new() -> Self {
        Self::with(LedgerLimits::default())
    }

    fn with(limits: LedgerLimits) -> Self {
        let (issuer, reader) =
            (thing(0, Purposes::GENERAL, None), thing(1, Purposes::GENERAL, None));
        let (proposer, validator) = (Node::new(limits), Node::new(limits));
        let network = Self { proposer, validator, issuer: issuer.id(), reader: reader.id() };
        for (n, inception) in [(0, issuer), (1, reader)] {
            let payload = inception.encode_to_vec();
            let (id, kind) = (inception.id(), StatementKind::INCEPTION);
            network.proposer.submit(vec![network.proposer.statement(id, n, kind, &payload)]);
        }
        network.round();
        network
    }

    /// The proposer's batch is checked and delivered by both.
    fn round(&self) {
        let batch = self.proposer.propose();
        assert_eq!(self.validator.ledger.check(&[], &batch), Ok(()));
        self.validator.deliver(&batch);
        self.proposer.deliver(&batch);
    }

    /// Executes `change` after `early` was admitted, and before it is proposed.
    fn overtake(&self, early: Vec<Input>, change: Input) {
        self.validator.submit(vec![change]);
        let batch = self.validator.propose();
        self.proposer.submit(early);
        assert_eq!(self.proposer.ledger.check(&[], &batch), Ok(()));
        self.proposer.deliver(&batch);
        self.validator.deliver(&batch);
    }

    fn by_issuer(&self, kind: StatementKind, payload: &[u8]) -> Vec<u8> {
        self.proposer.statement(self.issuer, 0, kind, payload)
    }

    /// The next records of the reader, each valid once those before it are logged.
    fn records(&self, count: u8, payload: usize) -> Vec<Vec<u8>> {
        let mut link = self.proposer.next(self.reader, StatementKind::RECORD);
        let mut records = Vec::new();
        for n in 0..count {
            let payload = vec![n; payload];
            let record = draft(self.reader, link, &payload).sign(KeyNumber(0), &key(1)).unwrap();
            link.sequence.0 += 1;
            link.previous = Statement::parse(&record).unwrap().id().0;
            records.push(record);
        }
        records
    }

    fn with_card(&self) -> ThingId {
        let card = thing(2, Purposes::CARD, Some(self.issuer));
        let register = self.by_issuer(StatementKind::REGISTER, &card.encode_to_vec());
        self.proposer.submit(vec![register]);
        self.round();
        card.id()
    }

    fn set_status(&self, card: ThingId, status: Status, n: Option<u8>) -> Vec<u8> {
        let keys = n.map(|n| vec![NewKey::new(public(n), Purposes::CARD)]);
        let change = SetStatus { thing: card, status, reason: None, keys };
        self.by_issuer(StatementKind::STATUS, &codec::encode(&change))
    }
}

#[test]
fn evidence_of_a_card_that_gets_another_key_meanwhile() {
    let network = Network::new();
    let card = network.with_card();
    network.proposer.submit(vec![network.set_status(card, Status::LOST, None)]);
    network.round();
    network.proposer.answers();
    let url = card_url(card, 5, 2);
    let reader = &network.proposer;
    let wrapping = reader.statement(network.reader, 1, StatementKind::EVIDENCE, &wrapped(&url));
    network.overtake(vec![bare(&url), wrapping], network.set_status(card, Status::ACTIVE, Some(3)));
    network.round();
    let codes: Vec<_> =
        network.proposer.answers().iter().map(|outcome| outcome.refusal().unwrap().code).collect();
    assert_eq!(codes, [RefusalCode::FORGED, RefusalCode::FORGED]);
}

#[test]
fn evidence_of_a_card_that_is_registered_meanwhile() {
    let network = Network::new();
    network.proposer.answers();
    let card = thing(2, Purposes::CARD, Some(network.issuer));
    let register = network.by_issuer(StatementKind::REGISTER, &card.encode_to_vec());
    let payload = wrapped(&card_url(card.id(), 5, 2));
    let wrapping = network.proposer.statement(network.reader, 1, StatementKind::EVIDENCE, &payload);
    network.overtake(vec![wrapping], register);
    network.round();
    assert!(matches!(network.proposer.answers()[..], [Outcome::Accepted(_)]));
}

/// An entry that was admitted before its channel was opened, or its writer's right withdrawn, is
/// decided by the state at its place, on every node.
#[test]
fn entries_of_a_channel_that_changes_meanwhile() {
    let network = Network::new();
    let opening = Opening {
        nonce: vec![1; 16],
        kind: ChannelKind::PUBLIC,
        writers: Writers::GRANTED,
        attributes: None,
    };
    let channel = opening.id(network.issuer);
    let set = |rights| {
        let access = Access::of(channel, network.reader, rights);
        network.by_issuer(StatementKind::ACCESS, &codec::encode(&access))
    };
    let entry = |text: &[u8]| {
        let view = network.proposer.store.state();
        let head = view.channel_chain(channel, network.reader).unwrap();
        let (sequence, previous) =
            head.map_or((0, view.network().0), |head| (head.chain.sequence.0, head.chain.last));
        let kind = StatementKind::RECORD;
        let (sequence, channel) = (Sequence(sequence + 1), Some(channel));
        let link = Link { kind, sequence, previous, channel };
        draft(network.reader, link, text).sign(KeyNumber(0), &key(1)).unwrap()
    };
    network.proposer.answers();
    let opens = network.by_issuer(StatementKind::CHANNEL, &opening.encode_to_vec());
    network.overtake(vec![entry(b"early")], opens);
    network.round();
    network.overtake(vec![entry(b"allowed")], set(Rights::WRITE));
    network.round();
    network.overtake(vec![entry(b"late")], set(Rights::NONE));
    network.round();
    let seen: Vec<_> = network
        .proposer
        .answers()
        .iter()
        .map(|outcome| (outcome.leaf().is_some(), outcome.refusal().map(|it| it.code)))
        .collect();
    let denied = (true, Some(RefusalCode::NOT_AUTHORISED));
    assert_eq!(seen, [denied, (true, None), denied]);
    let state =
        [&network.proposer, &network.validator].map(|node| node.store.state().tip().state_root);
    assert_eq!(state[0], state[1]);
}

/// A lost view costs a chain nothing: what its batch carried is proposed again at once, in its
/// order, and only where it is not carried already.
#[test]
fn what_an_abandoned_branch_carried_is_proposed_again_at_once() {
    let network = Network::new();
    let node = &network.proposer;
    node.answers();
    let first = network.by_issuer(StatementKind::RECORD, b"1");
    let previous = Statement::parse(&first).unwrap().id().0;
    let mut link = network.proposer.next(network.issuer, StatementKind::RECORD);
    (link.sequence, link.previous) = (Sequence(link.sequence.0 + 1), previous);
    let second = draft(network.issuer, link, b"2").sign(KeyNumber(0), &key(0)).unwrap();

    node.submit(vec![first.clone()]);
    let lost = node.propose_in(b"1", &[]);
    node.submit(vec![second.clone()]);
    // On the batch that carries the first, the second alone.
    let child = node.propose_in(b"2", std::slice::from_ref(&lost));
    assert_eq!(carried(&child), std::slice::from_ref(&second));
    // Its view was lost, and so is the child's: both again, in their order.
    let again = node.propose_in(b"3", &[]);
    assert_eq!(carried(&again), [first.clone(), second.clone()]);
    let beside = node.propose_in(b"4", &[]);
    assert_eq!(carried(&beside), [first, second]);
    let next = node.propose_in(b"5", std::slice::from_ref(&beside));
    assert_eq!(carried(&next), Vec::<Vec<u8>>::new());
    // One of them becomes final; the engine says later that the others did not.
    node.deliver(&beside);
    for batch in [&lost, &child, &again] {
        node.ledger.discarded(batch);
    }
    assert!(matches!(node.answers()[..], [Outcome::Accepted(_), Outcome::Accepted(_)]));
    assert_eq!(node.ledger.backlog().items, 0);
    assert_eq!(carried(&node.propose()), Vec::<Vec<u8>>::new());
}

/// The submissions of a batch.
fn carried(batch: &Batch) -> Vec<Vec<u8>> {
    let leaves: Vec<_> = batch.leaves().map(<[u8]>::to_vec).collect();
    leaves[..leaves.len().saturating_sub(1)].to_vec()
}

#[test]
fn keys_that_only_a_refused_statement_brought() {
    let network = Network::new();
    network.proposer.answers();
    let ghost = thing(5, Purposes::GENERAL, None);
    let payload = ghost.encode_to_vec();
    let link = network.proposer.next(ghost.id(), StatementKind::INCEPTION);
    let never = Link { sequence: Sequence(9), ..link };
    let never = draft(ghost.id(), never, &payload).sign(KeyNumber(0), &key(5)).unwrap();
    let link = network.proposer.next(network.reader, StatementKind::RECORD);
    let (mine, its) = (key(1), key(5));
    let signers: [(Kid, &dyn Signer); 2] = [
        (Kid::new(network.reader, KeyNumber(0)), &mine),
        (Kid::new(ghost.id(), KeyNumber(0)), &its),
    ];
    let record = draft(network.reader, link, b"x").sign_many(&signers).unwrap();
    network.proposer.submit(vec![never, record]);
    network.round();
    assert!(network.proposer.answers().iter().all(|outcome| outcome.leaf().is_none()));
}

/// The same submission reaches two nodes; the one that did not propose it forgets it.
#[test]
fn what_another_node_proposed_leaves_the_pool() {
    let network = Network::new();
    let record = |n: u32| {
        let mut link = network.proposer.next(network.reader, StatementKind::RECORD);
        link.sequence.0 += n;
        (link, draft(network.reader, link, b"x"))
    };
    let (_, draft) = record(0);
    let twin = draft.sign(KeyNumber(0), &key(1)).unwrap();
    network.proposer.submit(vec![twin.clone()]);
    network.validator.submit(vec![twin]);
    let own = network.by_issuer(StatementKind::RECORD, b"mine");
    network.validator.submit(vec![own]);
    network.round();
    let backlog = network.validator.ledger.backlog();
    assert_eq!(backlog.items, 1, "only its own is left");
    let batch = network.validator.propose();
    assert_eq!(batch.leaf_hashes().len(), 2, "a record and the batch leaf");
    let backlog = network.validator.ledger.backlog();
    assert_eq!((backlog.items, backlog.bytes), (0, 0));
}

/// What one node was asked for another one proposes; the first one answers.
#[test]
fn what_is_passed_on_is_proposed_elsewhere_and_answered_here() {
    let network = Network::new();
    let (here, elsewhere) = (&network.validator, &network.proposer);
    here.answers();
    elsewhere.answers();
    let record = network.by_issuer(StatementKind::RECORD, b"x");
    assert!(elsewhere.ledger.pass_on(1, 1 << 20).is_empty(), "nothing was submitted there");
    here.submit(vec![record.clone()]);
    let passed = here.ledger.pass_on(1, 1 << 20);
    assert_eq!(passed, std::slice::from_ref(&record));
    assert!(here.ledger.pass_on(1, 1 << 20).is_empty(), "once in a turn");
    assert_eq!(here.ledger.pass_on(2, 1 << 20), [record], "and once more in the next one");

    elsewhere.ledger.receive(Member(1), passed.clone());
    elsewhere.ledger.receive(Member(2), passed);
    assert_eq!(elsewhere.ledger.backlog().items, 1, "whoever brings it");
    assert!(elsewhere.ledger.pass_on(1, 1 << 20).is_empty(), "only its submitter's node passes on");
    network.round();
    assert!(matches!(here.answers()[..], [Outcome::Accepted(_)]));
    assert_eq!(elsewhere.answers(), [], "nobody waits there");
    assert_eq!(here.ledger.backlog(), elsewhere.ledger.backlog());
    assert!(here.ledger.pass_on(3, 1 << 20).is_empty());
}

/// As many leaves as fit into a message, the others in the next one, each in its order.
#[test]
fn what_is_passed_on_fits_its_message() {
    let network = Network::new();
    let node = &network.validator;
    let records = network.records(4, 1);
    node.submit(records.clone());
    let length = records[0].len() + 2;
    assert!(node.ledger.pass_on(1, length - 1).is_empty());
    assert_eq!(node.ledger.pass_on(1, length), records[..1]);
    assert_eq!(node.ledger.pass_on(1, 2 * length), records[1..3]);
    assert_eq!(node.ledger.pass_on(1, 9 * length), records[3..]);
}

/// A member that floods another one fills its own share and waits in its own lane.
#[test]
fn a_noisy_member_takes_neither_the_room_nor_the_turns_of_others() {
    let limits = LedgerLimits { member: 4_096, ..LedgerLimits::default() };
    let network = Network::with(limits);
    let node = &network.proposer;
    let flood = network.records(100, 64);
    node.ledger.receive(Member(3), flood.clone());
    let backlog = node.ledger.backlog();
    assert!(backlog.items > 9 && backlog.bytes <= 4_096, "{backlog:?}");

    node.answers();
    let own = network.by_issuer(StatementKind::RECORD, b"own");
    node.submit(vec![own.clone()]);
    let batch = node.propose();
    let place = batch.leaves().position(|leaf| leaf == own).unwrap();
    assert!(place <= 1, "it waited behind {place} of a flood");
    node.deliver(&batch);
    // Its share is free again.
    node.ledger.receive(Member(3), flood);
    assert!(node.ledger.backlog().items > 9);
}

/// What another member brought first and then its own submitter too waits with what was submitted
/// here, and counts no more as that member's.
#[test]
fn what_a_member_forestalled_does_not_wait_in_its_lane() {
    let limits = LedgerLimits { member: 4_096, ..LedgerLimits::default() };
    let network = Network::with(limits);
    let node = &network.proposer;
    node.answers();
    let mut brought = network.records(9, 64);
    let own = network.by_issuer(StatementKind::RECORD, b"own");
    brought.push(own.clone());
    node.ledger.receive(Member(3), brought);
    node.submit(vec![own.clone()]);
    let batch = node.propose();
    let place = batch.leaves().position(|leaf| leaf == own).unwrap();
    assert!(place <= 1, "it waited behind {place}");
    assert_eq!(batch.leaves().filter(|leaf| *leaf == own).count(), 1);
    node.deliver(&batch);
    assert!(matches!(node.answers()[..], [Outcome::Accepted(_)]));
    assert_eq!((node.ledger.backlog().items, node.ledger.backlog().bytes), (0, 0));
}

/// Whoever checked a statement when it came does not check it again in another's batch.
#[test]
fn a_signature_is_checked_once_on_each_node() {
    let network = Network::new();
    let record = network.by_issuer(StatementKind::RECORD, b"x");
    network.proposer.submit(vec![record.clone()]);
    network.validator.ledger.receive(Member(0), vec![record.clone()]);
    network.validator.ledger.receive(Member(2), vec![record]);
    let (before, batch) = (network.validator.checks(), network.proposer.propose());
    network.validator.ledger.check(&[], &batch).unwrap();
    assert_eq!(network.validator.checks(), before, "it was checked when it came");
    let fresh = network.by_issuer(StatementKind::RECORD, b"y");
    network.proposer.submit(vec![fresh]);
    let batch = network.proposer.propose_in(b"other", &[]);
    network.validator.ledger.check(&[], &batch).unwrap();
    assert!(network.validator.checks() > before, "nobody checked this one before");
}

/// A node that cannot read its state for a moment loses nothing that it was given.
#[test]
fn a_proposal_that_fails_gives_back_what_it_took() {
    let network = Network::new();
    let node = &network.proposer;
    node.answers();
    let inputs: Vec<_> = [(network.issuer, 0), (network.reader, 1)]
        .map(|(thing, n)| node.statement(thing, n, StatementKind::RECORD, b"x"))
        .into();
    node.submit(inputs.clone());
    let backlog = node.ledger.backlog();
    node.store.state().fail(true);
    assert!(node.try_to_propose(&[], &[]).is_none());
    assert_eq!(node.ledger.backlog(), backlog);
    assert_eq!(node.answers(), []);
    node.store.state().fail(false);
    network.round();
    let positions: Vec<_> =
        node.answers().iter().map(|outcome| outcome.leaf().unwrap().0).collect();
    assert!(positions.is_sorted() && positions.len() == 2, "in their order: {positions:?}");
}

/// What is said of a batch stands for ever, so a disk that cannot be read today says nothing.
#[test]
fn a_batch_is_not_refused_because_the_state_cannot_be_read() {
    let network = Network::new();
    let (node, other) = (&network.proposer, &network.validator);
    node.submit(vec![node.statement(network.issuer, 0, StatementKind::RECORD, b"x")]);
    let batch = node.try_to_propose(&[], &[]).unwrap();
    other.store.state().fail(true);
    let halt = Halt("the state cannot be read".to_owned());
    assert_eq!(other.ledger.check(&[], &batch), Err(halt.clone().into()));
    assert_eq!(other.ledger.deliver(batch.clone()), Err(halt));
    other.store.state().fail(false);
    assert_eq!(other.ledger.check(&[], &batch), Ok(()));
}

/// Whoever carries a statement can leave signatures out: the copy must not stand in for it.
#[test]
fn a_copy_with_fewer_signatures_does_not_keep_the_full_one_out() {
    let network = Network::new();
    let node = &network.proposer;
    let keys = [7, 8].map(|n| NewKey::new(public(n), Purposes::GENERAL)).into();
    let board = Inception { keys, threshold: 2, ..thing(7, Purposes::GENERAL, None) };
    let payload = board.encode_to_vec();
    let by = |kind, payload: &[u8], numbers: &[u32]| {
        let link = node.next(board.id(), kind);
        let keys: Vec<_> = numbers.iter().map(|number| key(7 + *number as u8)).collect();
        let signers: Vec<(Kid, &dyn Signer)> = numbers
            .iter()
            .zip(&keys)
            .map(|(number, key)| (Kid::new(board.id(), KeyNumber(*number)), key as &dyn Signer))
            .collect();
        draft(board.id(), link, payload).sign_many(&signers).unwrap()
    };
    node.submit(vec![by(StatementKind::INCEPTION, &payload, &[0, 1])]);
    network.round();
    node.answers();
    let [short, full] = [&[0][..], &[0, 1]].map(|numbers| by(StatementKind::RECORD, b"x", numbers));
    node.submit(vec![short, full.clone(), full]);
    network.round();
    let answers = node.answers();
    let refused = |outcome: &&Outcome| matches!(outcome, Outcome::Refused(refusal) if refusal.code == RefusalCode::THRESHOLD);
    let accepted = |outcome: &&Outcome| matches!(outcome, Outcome::Accepted(_));
    assert_eq!(answers.len(), 3);
    assert_eq!(answers.iter().filter(refused).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(accepted).count(), 2, "the same bytes wait together");
}

#[test]
fn a_header_that_claims_fewer_leaves_than_its_body_has_is_refused() {
    use touchmark_batch::BatchLimits;
    use touchmark_wire::header::BatchHeader;
    use touchmark_wire::ids::{Height, TreeSize};
    let hash = touchmark_wire::merkle::leaf_hash(b"leaf");
    for (size, fits) in [(0, false), (1, true), (2, true)] {
        let header = BatchHeader {
            context: &[],
            parent: Digest::default(),
            height: Height(1),
            time: Timestamp(0),
            epoch: Epoch(0),
            data_root: BatchHeader::data_root(&[hash]),
            size: TreeSize(size),
            root: Digest::default(),
            next: Digest::default(),
        };
        let body = [&[0, 4][..], b"leaf"].concat();
        let limits = BatchLimits { body: 100, leaves: 9 };
        let batch = Batch::from_parts(codec::encode(&header), body, limits);
        assert_eq!(batch.map(|batch| batch.first_leaf().0).ok(), fits.then(|| size - 1));
    }
}
