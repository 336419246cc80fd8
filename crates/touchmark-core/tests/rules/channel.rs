//! Channels: who opens them, who writes, and what is in their histories.

mod model;

use crate::ledger::*;
use std::collections::BTreeMap;
use touchmark_core::channel::access::Access;
use touchmark_core::channel::opening::Opening;
use touchmark_core::confidence::{Code, of_leaf};
use touchmark_core::entry::{Channel, ChannelChain, Purposes, Rights};
use touchmark_core::event::{ChannelEvent, Event};
use touchmark_core::refusal::ChainHead;
use touchmark_core::view::Read as _;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, LeafIndex, Sequence, ThingId};
use touchmark_wire::limits;
use touchmark_wire::registry::{
    ChannelKind, EvidenceFormat, RefusalCode, StatementKind, Status, Writers,
};

const CHANNEL: StatementKind = StatementKind::CHANNEL;
const ACCESS: StatementKind = StatementKind::ACCESS;

/// An author (key 0), a writer (key 1), a stranger (key 2), and a channel of the author's.
struct Hall {
    ledger: Ledger,
    author: ThingId,
    writer: ThingId,
    stranger: ThingId,
    channel: ChannelId,
}

impl Hall {
    fn new(writers: Writers) -> Self {
        let mut ledger = Ledger::new();
        let [author, writer, stranger] = [0, 1, 2].map(|n| ledger.with(&device(n), n));
        let channel = ledger.open((author, 0), &opening(1, writers));
        Self { ledger, author, writer, stranger, channel }
    }

    fn granted() -> Self {
        let mut hall = Self::new(Writers::GRANTED);
        assert_eq!(hall.access(&grant(hall.channel, hall.writer)), Seen::Accepted);
        hall
    }

    fn access(&mut self, access: &Access) -> Seen {
        self.ledger.state((self.author, 0), ACCESS, access)
    }

    /// Writes an entry, signed by private key `n`.
    fn write(&mut self, (by, n): (ThingId, u8)) -> Seen {
        let entry = self.ledger.entry_in(self.channel, by, &format!("by {n}")).signed(0, n);
        self.ledger.see(&entry)
    }

    fn state(&self) -> Channel {
        self.ledger.channel(self.channel).unwrap().unwrap()
    }

    fn chain(&self, of: ThingId) -> ChannelChain {
        self.ledger.channel_chain(self.channel, of).unwrap().unwrap()
    }
}

#[test]
fn a_channel_has_an_id_that_its_author_knows_before_the_log() {
    let mut ledger = Ledger::new();
    let author = ledger.with(&device(0), 0);
    let attributes = BTreeMap::from([("name".into(), "cold chain".into())]);
    let first = Opening { attributes: Some(attributes), ..opening(1, Writers::GRANTED) };
    let id = first.id(author);
    let whole = [b"touchmark/wire/channel/v1", &author.0[..], &encoded(&first)];
    assert_eq!(id.0, Digest::of(&whole).0[..20]);
    assert_eq!(ledger.state((author, 0), CHANNEL, &first), Seen::Accepted);
    let writers = Writers::GRANTED;
    assert_eq!(ledger.last_events(), [ChannelEvent::Opened { author, writers }.of(id)]);
    let channel = ledger.channel(id).unwrap().unwrap();
    assert_eq!((channel.author, channel.opened, channel.history.count), (author, LeafIndex(1), 1));
    assert_eq!(ledger.channel_attributes(id).unwrap().0["name"], "cold chain");
    // The same payload of another author is another channel, and of the same one no second.
    assert_eq!(ledger.state((author, 0), CHANNEL, &first), Seen::Denied(RefusalCode::EXISTS));
    let other = ledger.with(&device(1), 1);
    assert_eq!(ledger.state((other, 1), CHANNEL, &first), Seen::Accepted);
    assert_ne!(first.id(other), id);
}

#[test]
fn an_opening_has_the_shape_of_one() {
    let mut ledger = Ledger::new();
    let author = ledger.with(&device(0), 0);
    let good = opening(1, Writers::GRANTED);
    let long = |n: usize| {
        let pair = |at| (format!("{at}"), "x".repeat(limits::TEXT));
        Some((0..n).map(pair).collect::<BTreeMap<_, _>>())
    };
    for (name, wrong, code) in [
        ("a short nonce", Opening { nonce: vec![1; 15], ..good.clone() }, RefusalCode::PAYLOAD),
        ("no kind", Opening { kind: ChannelKind(9), ..good.clone() }, RefusalCode::UNKNOWN_KIND),
        ("no writers", Opening { writers: Writers(0), ..good.clone() }, RefusalCode::UNKNOWN_KIND),
        ("much to say", Opening { attributes: long(8), ..good.clone() }, RefusalCode::LIMIT),
    ] {
        assert_eq!(ledger.state((author, 0), CHANNEL, &wrong), Seen::Denied(code), "{name}");
        assert_eq!(ledger.channel(wrong.id(author)).unwrap(), None, "{name}");
    }
    assert_eq!(ledger.state((author, 0), CHANNEL, &"nothing"), Seen::Denied(RefusalCode::PAYLOAD));
    let recorder = inception_for(1, Purposes::RECORD);
    let recorder = ledger.with(&recorder, 1);
    assert_eq!(
        ledger.state((recorder, 1), CHANNEL, &good),
        Seen::Refused(RefusalCode::PURPOSE),
        "a key for records opens no channel"
    );
}

fn inception_for(n: u8, purposes: Purposes) -> touchmark_core::directory::inception::Inception {
    touchmark_core::directory::inception::Inception {
        keys: vec![for_purposes(n, purposes)],
        ..device(n)
    }
}

#[test]
fn a_granted_thing_writes_in_a_chain_of_its_own_there() {
    let mut hall = Hall::granted();
    let (author, writer, channel) = (hall.author, hall.writer, hall.channel);
    let main = hall.ledger.head_of(writer);
    assert_eq!(hall.write((writer, 1)), Seen::Accepted);
    let written = ChannelEvent::EntryWritten { thing: writer }.of(channel);
    assert_eq!(hall.ledger.last_events(), std::slice::from_ref(&written));
    assert_eq!(hall.write((author, 0)), Seen::Accepted);
    assert_eq!(hall.write((writer, 1)), Seen::Accepted);
    assert_eq!(hall.chain(writer).chain.sequence, Sequence(2));
    assert_eq!(hall.chain(author).chain.sequence, Sequence(1));
    // Opening, grant, three entries.
    let state = hall.state();
    assert_eq!((state.history.count, state.mentions.count), (5, 0));
    let head = hall.ledger.head_of(writer);
    assert_eq!(head.chain, main.chain, "the main chain stays");
    assert_eq!(
        head.history.count,
        main.history.count + 2,
        "and the writer's history has its entries"
    );
    assert_eq!(hall.ledger.state((writer, 1), StatementKind::RECORD, &"main"), Seen::Accepted);
    assert_eq!(hall.chain(writer).chain.sequence, Sequence(2));
}

#[test]
fn only_the_next_place_of_a_chain_in_a_channel_is_taken() {
    let mut hall = Hall::granted();
    let (writer, channel, origin) = (hall.writer, hall.channel, hall.ledger.origin());
    let entry = hall.ledger.entry_in(channel, writer, "x");
    let main = hall.ledger.head_of(writer).chain.last;
    let elsewhere = ChannelId([7; 20]);
    let before = hall.ledger.clone();
    for (name, writing, code) in [
        ("beyond", entry.clone().at(2, origin), RefusalCode::OUT_OF_ORDER),
        ("on the main chain", entry.clone().at(1, main), RefusalCode::WRONG_NETWORK),
        (
            "in no channel",
            hall.ledger.entry_in(elsewhere, writer, "x"),
            RefusalCode::UNKNOWN_CHANNEL,
        ),
    ] {
        assert_eq!(hall.ledger.see(&writing.signed(0, 1)), Seen::Refused(code), "{name}");
        assert_eq!(hall.ledger, before, "{name}: nothing is stored");
    }
    let first = entry.signed(0, 1);
    assert_eq!(hall.ledger.see(&first), Seen::Accepted);
    let second = hall.ledger.entry_in(channel, writer, "y");
    let outcome = hall.ledger.submit(&second.at(2, origin).signed(0, 1));
    let last = hall.chain(writer).chain.last;
    let head = Some(ChainHead { sequence: Sequence(1), last });
    let refusal = outcome.refusal().unwrap();
    assert_eq!((refusal.code, refusal.head), (RefusalCode::CONFLICT, head));
    let known = hall.ledger.leaves.len() as u64 - 1;
    assert_eq!(hall.ledger.see(&first), Seen::Known(known));
}

/// A channel's opening, a grant and an entry come in one call.
#[test]
fn a_channel_is_written_into_before_its_opening_is_final() {
    let mut ledger = Ledger::new();
    let (author, opening) = (device(0), opening(1, Writers::GRANTED));
    let id = author.id();
    let inception = ledger.next(id, StatementKind::INCEPTION, encoded(&author)).signed(0, 0);
    let mut next = ledger.next(id, CHANNEL, encoded(&opening));
    next.link.sequence = Sequence(2);
    next.link.previous = touchmark_wire::statement::Statement::parse(&inception).unwrap().id().0;
    let entry = ledger.entry_in(opening.id(id), id, "first").signed(0, 0);
    let outcomes = ledger.submit_all(&[inception, next.signed(0, 0), entry]);
    assert_eq!(outcomes.iter().map(Seen::from).collect::<Vec<_>>(), [Seen::Accepted; 3]);
}

#[test]
fn who_may_not_write_is_denied_and_lengthens_nobodys_history_but_its_own() {
    let mut hall = Hall::granted();
    let (stranger, channel) = (hall.stranger, hall.channel);
    let before = hall.state();
    for place in 1..=3 {
        assert_eq!(hall.write((stranger, 2)), Seen::Denied(RefusalCode::NOT_AUTHORISED));
        assert_eq!(hall.chain(stranger).chain.sequence, Sequence(place), "it used its place");
    }
    // Forks, and evidence that cannot be read, are a stranger's word as well.
    let twin = hall.ledger.entry_in(channel, stranger, "twin").at(1, hall.ledger.origin());
    assert_eq!(hall.ledger.see(&twin.signed(0, 2)), Seen::Forked);
    let nonsense = hall.ledger.entry_in(channel, stranger, "").of_kind(StatementKind::EVIDENCE);
    assert_eq!(hall.ledger.see(&nonsense.signed(0, 2)), Seen::Denied(RefusalCode::NOT_AUTHORISED));
    let after = hall.state();
    assert_eq!(after.history, before.history);
    assert_eq!(after.mentions.count, 5);
    assert_eq!(hall.ledger.head_of(stranger).history.count, 1 + 5);
    // A grant to the stranger in the author's channel is a mention of the stranger, no more.
    let mentions = hall.ledger.head_of(stranger).mentions.count;
    assert_eq!(hall.access(&grant(channel, stranger)), Seen::Accepted);
    assert_eq!(hall.ledger.head_of(stranger).mentions.count, mentions + 1);
    assert_eq!(hall.write((stranger, 2)), Seen::Accepted);
}

#[test]
fn what_a_writer_is_denied_is_in_the_history() {
    let mut hall = Hall::granted();
    let (writer, channel) = (hall.writer, hall.channel);
    let before = hall.state().history.count;
    let nonsense = hall.ledger.entry_in(channel, writer, "").of_kind(StatementKind::EVIDENCE);
    assert_eq!(hall.ledger.see(&nonsense.signed(0, 1)), Seen::Denied(RefusalCode::PAYLOAD));
    let twin = hall.ledger.entry_in(channel, writer, "twin").at(1, hall.ledger.origin());
    assert_eq!(hall.ledger.see(&twin.signed(0, 1)), Seen::Forked);
    assert_eq!((hall.state().history.count, hall.state().mentions.count), (before + 2, 0));
}

#[test]
fn forks_are_of_one_chain_and_proved_once() {
    let mut hall = Hall::granted();
    let (writer, channel, origin) = (hall.writer, hall.channel, hall.ledger.origin());
    let first = hall.ledger.entry_in(channel, writer, "one");
    let twin = |text: &str, hall: &Hall| {
        hall.ledger.entry_in(channel, writer, text).at(1, origin).signed(0, 1)
    };
    let (second, third) = (twin("two", &hall), twin("three", &hall));
    assert_eq!(hall.ledger.see(&first.signed(0, 1)), Seen::Accepted);
    assert_eq!(hall.ledger.see(&second), Seen::Forked);
    let fork = hall.chain(writer).chain.fork.unwrap();
    assert_eq!(fork.leaf.0, hall.ledger.leaves.len() as u64 - 1);
    assert_eq!(hall.ledger.head_of(writer).chain.fork, None, "the main chain is whole");
    let before = hall.ledger.clone();
    assert_eq!(hall.ledger.see(&third), Seen::Refused(RefusalCode::CONFLICT));
    assert_eq!(hall.ledger.see(&second), Seen::Forked, "known as the proof");
    assert_eq!(hall.ledger, before);
    // Its other chains go on, each with a fork of its own.
    let other = hall.ledger.open((hall.author, 0), &opening(2, Writers::ANYONE));
    let entry = hall.ledger.entry_in(other, writer, "x").signed(0, 1);
    assert_eq!(hall.ledger.see(&entry), Seen::Accepted);
    let main = hall.ledger.record(writer, "other inception").at(1, origin);
    assert_eq!(hall.ledger.see(&main.signed(0, 1)), Seen::Forked);
    assert_eq!(hall.ledger.channel_chain(other, writer).unwrap().unwrap().chain.fork, None);
    // A record of the chain that forked is doubtful; one of the other is not, for that.
    for (channel, forked) in [(channel, true), (other, false)] {
        let at = LeafIndex(hall.ledger.leaves.len() as u64);
        let entry = hall.ledger.entry_in(channel, writer, "later").signed(0, 1);
        assert_eq!(hall.ledger.see(&entry), Seen::Accepted);
        let found = of_leaf(at, &entry, &hall.ledger).unwrap().unwrap();
        assert_eq!(found.reasons.iter().any(|reason| reason.code == Code::Forked), forked);
    }
}

#[test]
fn only_records_and_evidence_are_entries() {
    let mut hall = Hall::granted();
    let (author, channel) = (hall.author, hall.channel);
    let before = hall.ledger.clone();
    let update = |hall: &Hall| hall.ledger.entry_in(channel, author, "x");
    for kind in [
        StatementKind::INCEPTION,
        StatementKind::UPDATE,
        StatementKind::STATUS,
        StatementKind::GROUP,
        CHANNEL,
        ACCESS,
        StatementKind(99),
    ] {
        let mut writing = update(&hall).of_kind(kind);
        if kind == StatementKind::INCEPTION {
            writing.payload = encoded(&device(0));
        }
        let seen = hall.ledger.see(&writing.signed(0, 0));
        assert_eq!(seen, Seen::Refused(RefusalCode::UNKNOWN_KIND), "{kind}");
        assert_eq!(hall.ledger, before, "{kind}: nothing is stored");
    }
    let card = hall.ledger.next(author, StatementKind::REGISTER, encoded(&card(9, author)));
    let id = touchmark_core::directory::inception::Inception::id_of(&card.payload);
    assert_eq!(hall.ledger.see(&card.signed(0, 0)), Seen::Accepted);
    let url = card_url(id, 1, 9);
    let mut entry = update(&hall).of_kind(StatementKind::EVIDENCE);
    entry.payload = wrapped(EvidenceFormat::CARD_URL, url.as_bytes());
    entry.content = hall.ledger.next(author, CHANNEL, Vec::new()).content;
    assert_eq!(hall.ledger.see(&entry.signed(0, 0)), Seen::Accepted);
    let taken = Event::EvidenceTaken {
        thing: id,
        evidence: evidence_id(&url),
        format: EvidenceFormat::CARD_URL,
        counter: 1,
        reader: Some(author),
    };
    assert_eq!(hall.ledger.last_events(), [taken]);
}

fn evidence_id(url: &str) -> touchmark_wire::ids::EvidenceId {
    let format = EvidenceFormat::CARD_URL;
    touchmark_core::evidence::parse(format, url.as_bytes()).unwrap().id(format)
}

#[test]
fn rights_are_the_authors_to_give_and_take() {
    let mut hall = Hall::new(Writers::GRANTED);
    let Hall { author, writer, stranger, channel, .. } = hall;
    let denied = |code| Seen::Denied(code);
    for theirs in [grant(channel, writer), Access::closing(channel)] {
        let seen = hall.ledger.state((writer, 1), ACCESS, &theirs);
        assert_eq!(seen, denied(RefusalCode::NOT_AUTHORISED), "{theirs:?}");
    }
    for (name, access, code) in [
        ("no channel", grant(ChannelId([3; 20]), writer), RefusalCode::UNKNOWN_CHANNEL),
        ("no thing", grant(channel, ThingId([3; 20])), RefusalCode::UNKNOWN_THING),
        ("no right", Access::of(channel, writer, Rights(2)), RefusalCode::PAYLOAD),
        ("nothing to withdraw", withdraw(channel, writer), RefusalCode::STATUS),
        ("its author", grant(channel, author), RefusalCode::STATUS),
        ("everybody", Access { thing: None, ..grant(channel, writer) }, RefusalCode::PAYLOAD),
    ] {
        assert_eq!(hall.access(&access), denied(code), "{name}");
    }
    let before = hall.state().history.count;
    assert_eq!(hall.access(&grant(channel, writer)), Seen::Accepted);
    let granted = ChannelEvent::AccessGranted { thing: writer, rights: Rights::WRITE }.of(channel);
    assert_eq!(hall.ledger.last_events(), [granted]);
    let since = Some(LeafIndex(hall.ledger.leaves.len() as u64 - 1));
    assert_eq!((hall.chain(writer).rights, hall.chain(writer).since), (Rights::WRITE, since));
    assert_eq!(hall.access(&grant(channel, writer)), denied(RefusalCode::STATUS), "again");
    assert_eq!(hall.write((writer, 1)), Seen::Accepted);
    assert_eq!(hall.access(&withdraw(channel, writer)), Seen::Accepted);
    let withdrawn = ChannelEvent::AccessWithdrawn { thing: writer }.of(channel);
    assert_eq!(hall.ledger.last_events(), [withdrawn]);
    assert_eq!(hall.write((writer, 1)), denied(RefusalCode::NOT_AUTHORISED));
    assert_eq!(hall.chain(writer).chain.sequence, Sequence(2), "a denied entry uses its place");
    assert_eq!(hall.access(&grant(channel, writer)), Seen::Accepted);
    assert_eq!(hall.write((writer, 1)), Seen::Accepted, "the chain goes on where it was");
    // Grant, entry, withdrawal, grant, entry; the denied statements are about their issuer only.
    assert_eq!((hall.state().history.count, hall.state().mentions.count), (before + 5, 1));
    assert_eq!(hall.write((stranger, 2)), denied(RefusalCode::NOT_AUTHORISED));
}

#[test]
fn anyone_writes_where_the_author_says_so() {
    let mut hall = Hall::new(Writers::ANYONE);
    assert_eq!(hall.write((hall.stranger, 2)), Seen::Accepted);
    assert_eq!(hall.write((hall.author, 0)), Seen::Accepted);
    assert_eq!(hall.state().history.count, 3);
    let access = hall.access(&grant(hall.channel, hall.writer));
    assert_eq!(access, Seen::Denied(RefusalCode::STATUS), "there is nothing to grant");
    let card = hall.ledger.with(&inception_for(3, Purposes::CONTROL), 3);
    assert_eq!(hall.write((card, 3)), Seen::Refused(RefusalCode::PURPOSE));
    let status = status(hall.writer, Status::SUSPENDED, &[]);
    assert_eq!(hall.ledger.state((hall.writer, 1), StatementKind::STATUS, &status), Seen::Accepted);
    assert_eq!(hall.write((hall.writer, 1)), Seen::Refused(RefusalCode::REVOKED));
}

#[test]
fn a_closed_channel_is_final() {
    let mut hall = Hall::granted();
    let Hall { author, writer, channel, .. } = hall;
    assert_eq!(hall.write((writer, 1)), Seen::Accepted);
    let theirs = hall.ledger.state((writer, 1), ACCESS, &Access::closing(channel));
    assert_eq!(theirs, Seen::Denied(RefusalCode::NOT_AUTHORISED));
    assert_eq!(hall.access(&Access::closing(channel)), Seen::Accepted);
    assert_eq!(hall.ledger.last_events(), [ChannelEvent::Closed.of(channel)]);
    let closed = hall.state();
    assert_eq!(closed.closed, Some(LeafIndex(hall.ledger.leaves.len() as u64 - 1)));
    for by in [(author, 0), (writer, 1)] {
        assert_eq!(hall.write(by), Seen::Denied(RefusalCode::CLOSED));
    }
    let twin = hall.ledger.entry_in(channel, writer, "twin").at(1, hall.ledger.origin());
    assert_eq!(hall.ledger.see(&twin.signed(0, 1)), Seen::Forked);
    for access in
        [Access::closing(channel), grant(channel, hall.stranger), withdraw(channel, writer)]
    {
        assert_eq!(hall.access(&access), Seen::Denied(RefusalCode::CLOSED));
    }
    let after = hall.state();
    assert_eq!(after.history, closed.history);
    assert_eq!(after.mentions.count, 3);
}
