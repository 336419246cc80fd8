//! What a restart and every reader must answer.

use super::fixture::{Actor, Node, statement_id};
use crate::{EventAddress, ListedThing, Listing, Match, Order, Search, Snapshot, Value};
use touchmark_batch::{Batch, BatchLimits};
use touchmark_core::directory::status::SetStatus;
use touchmark_core::directory::update::Update;
use touchmark_core::event::Event;
use touchmark_core::refusal::Outcome;
use touchmark_core::view::{Read as _, View};
use touchmark_ledger::StateView as _;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{EvidenceId, Height, LeafIndex, Sequence, ThingId, TreeSize};
use touchmark_wire::merkle;
use touchmark_wire::registry::{EntryKind, StatementKind, Status, ThingKind};
use touchmark_wire::state::StateKey;
use touchmark_wire::trie::TrieProof;

/// A controller, two devices of it and a card; records, an update, taps.
struct Village {
    node: Node,
    folder: tempfile::TempDir,
    owner: Actor,
    devices: [Actor; 2],
    card: Actor,
    record: Vec<u8>,
    tap: Vec<u8>,
}

fn village() -> Village {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let (owner, first) = Actor::new(1, ThingKind::ORGANISATION, None, &[("name", "Ufficio")]);
    let device = |seed, serial| {
        let attributes = [("label", serial), ("model", "X\0Y")];
        Actor::new(seed, ThingKind::DEVICE, Some(owner.id), &attributes)
    };
    let (a, second) = device(2, "SN-001");
    let (b, third) = device(3, "SN-002");
    let (card, fourth) = Actor::new(4, ThingKind::CARD, None, &[]);
    node.batch(vec![first, second]);
    node.batch(vec![third, fourth]);
    node.batch(Vec::new());
    let mut devices = [a, b];
    let record = devices[0].record(b"23 degrees");
    let tap = card.tap(7);
    node.batch(vec![record.clone(), tap.clone()]);
    let update = devices[1].update(&[("label", "SN-0021"), ("place", "SN-001")], &["model"]);
    node.batch(vec![update]);
    Village { node, folder, owner, devices, card, record, tap }
}

#[test]
fn a_restart_changes_no_answer() {
    let village = village();
    let answers = |snapshot: &Snapshot| {
        let leaves: Vec<_> =
            (0..snapshot.size().0).map(|n| snapshot.leaf(LeafIndex(n)).unwrap()).collect();
        let events: Vec<_> =
            snapshot.events_from(EventAddress::default()).map(Result::unwrap).collect();
        let tip = snapshot.tip();
        let tip = (tip.batch.clone(), tip.frontier.clone(), tip.state_root, snapshot.counts());
        (leaves, events, tip, all_things(snapshot))
    };
    let before = answers(&village.node.snapshot());
    drop(village.node);
    let mut again = Node::open(village.folder.path());
    assert_eq!(answers(&again.snapshot()), before);
    // And it goes on from there.
    let mut device = village.devices.into_iter().next().unwrap();
    again.batch(vec![device.record(b"24 degrees")]);
    again = {
        drop(again);
        Node::open(village.folder.path())
    };
    assert_eq!(again.snapshot().height(), Height(before.2.0.height().0 + 1));
}

fn all_things(snapshot: &Snapshot) -> Vec<ListedThing> {
    snapshot.things(Listing::All, Order::OldestFirst, None, 100).unwrap()
}

#[test]
fn leaves_batches_and_bundles_belong_together() {
    let village = village();
    let snapshot = village.node.snapshot();
    assert_eq!((snapshot.height(), snapshot.size()), (Height(5), TreeSize(11)));
    let batches: Vec<Batch> = snapshot.batches(Height(0)).map(Result::unwrap).collect();
    let sizes: Vec<_> =
        batches.iter().map(|batch| (batch.first_leaf().0, batch.size().0)).collect();
    assert_eq!(sizes, [(0, 3), (3, 6), (6, 6), (6, 9), (9, 11)]);
    assert_eq!(batches[4], *snapshot.tip().batch);
    let limits = BatchLimits { body: 1 << 20, leaves: 100 };
    let stored = snapshot.batch(Height(4)).unwrap().unwrap();
    let bundle: Vec<u8> = batches.iter().flat_map(|batch| batch.body_bytes().to_vec()).collect();
    assert_eq!(snapshot.entry_bundle(0, 11).unwrap(), bundle);
    assert!(snapshot.entry_bundle(0, 12).is_err() && snapshot.entry_bundle(1, 1).is_err());
    let whole = snapshot.whole_batch(Height(4)).unwrap().unwrap();
    assert_eq!(
        Batch::from_parts(stored.header_bytes().to_vec(), whole.body_bytes().to_vec(), limits),
        Ok(whole)
    );
    for leaf in 0..11 {
        let (place, hash) =
            (LeafIndex(leaf), merkle::leaf_hash(&snapshot.leaf(LeafIndex(leaf)).unwrap()));
        let batch = snapshot.batch_of_leaf(place).unwrap();
        assert!(batch.first_leaf().0 <= leaf && leaf < batch.header().size.0);
        let path = snapshot.inclusion_path(place, TreeSize(11)).unwrap();
        let root = snapshot.tip().batch.header().root;
        assert_eq!(merkle::verify_inclusion(&hash, place, TreeSize(11), path, &root), Ok(()));
    }
    let of_size =
        |size| snapshot.batch_of_size(TreeSize(size)).unwrap().map(|batch| batch.header().height);
    assert_eq!((of_size(6), of_size(0), of_size(5)), (Some(Height(2)), Some(Height(0)), None));
    let range = snapshot.leaves(LeafIndex(9)..LeafIndex(50)).map(|leaf| leaf.unwrap().0.0);
    assert_eq!(range.collect::<Vec<_>>(), [9, 10]);
    assert_eq!(snapshot.leaves(LeafIndex(8)..LeafIndex(2)).count(), 0);
}

#[test]
fn statements_and_evidence_are_found_by_id_and_place() {
    let village = village();
    let snapshot = village.node.snapshot();
    let id = statement_id(&village.record);
    assert_eq!(snapshot.statement(id).unwrap(), Some(LeafIndex(6)));
    assert_eq!(snapshot.leaf(LeafIndex(6)).unwrap(), village.record);
    let device = village.devices[0].id;
    let place = snapshot.statement_in_chain(device, None, Sequence(2)).unwrap().unwrap();
    assert_eq!((place.leaf, place.id), (LeafIndex(6), id));
    assert_eq!(snapshot.statement_in_chain(device, None, Sequence(3)).unwrap(), None);
    let chain = snapshot.chain(device, None, Sequence(1), 9).unwrap();
    assert_eq!(chain.iter().map(|statement| statement.leaf.0).collect::<Vec<_>>(), [1, 6]);
    let evidence = match touchmark_wire::leaf::Leaf::decode(&village.tap).unwrap() {
        touchmark_wire::leaf::Leaf::Evidence(bare) => {
            touchmark_core::evidence::parse(bare.format, bare.bytes).unwrap().id(bare.format)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(View::evidence(&*snapshot, evidence).unwrap(), Some(LeafIndex(7)));
    assert_eq!(View::evidence(&*snapshot, EvidenceId(Digest::default())).unwrap(), None);
}

#[test]
fn events_are_read_from_any_address() {
    let village = village();
    let snapshot = village.node.snapshot();
    let all: Vec<_> = snapshot.events_from(EventAddress::default()).map(Result::unwrap).collect();
    // Three of the four inceptions have attributes, which are an event of their own.
    assert_eq!(all.len(), 7 + 2 + 1);
    for (place, (address, _)) in all.iter().enumerate() {
        let from: Vec<_> = snapshot.events_from(*address).map(Result::unwrap).collect();
        assert_eq!(from, all[place..]);
        let beyond: Vec<_> = snapshot.events_from(address.next()).map(Result::unwrap).collect();
        assert_eq!(beyond, all[place + 1..]);
    }
    let taken = snapshot.happened(LeafIndex(7)).unwrap().unwrap();
    assert_eq!(taken.about, [village.card.id]);
    assert!(matches!(taken.events[..], [Event::EvidenceTaken { counter: 7, reader: None, .. }]));
    assert_eq!(snapshot.happened(LeafIndex(8)).unwrap(), None, "a batch leaf");
}

#[test]
fn things_are_listed_by_kind_and_controller_in_pages() {
    let village = village();
    let snapshot = village.node.snapshot();
    let [a, b] = [village.devices[0].id, village.devices[1].id];
    let ids = |listing, order, after, limit| -> Vec<ThingId> {
        let listed = snapshot.things(listing, order, after, limit).unwrap();
        listed.into_iter().map(|listed| listed.thing).collect()
    };
    let all = [village.owner.id, a, b, village.card.id];
    assert_eq!(ids(Listing::All, Order::OldestFirst, None, 9), all);
    assert_eq!(ids(Listing::Kind(ThingKind::DEVICE), Order::NewestFirst, None, 9), [b, a]);
    assert_eq!(ids(Listing::Kind(ThingKind::LOT), Order::NewestFirst, None, 9), []);
    let first = snapshot.things(Listing::All, Order::NewestFirst, None, 1).unwrap();
    assert_eq!(first, [ListedThing { created: LeafIndex(4), thing: village.card.id }]);
    assert_eq!(ids(Listing::All, Order::NewestFirst, Some(first[0]), 1), [b]);
    assert_eq!(ids(Listing::All, Order::OldestFirst, Some(first[0]), 9), []);
    assert_eq!(snapshot.counts().things, 4);
    // The devices name the owner as their controller; that is not the owner's word.
    assert_eq!(ids(Listing::Controller(village.owner.id), Order::OldestFirst, None, 9), []);
}

#[test]
fn what_a_controller_registered_is_found_under_it_by_kind_status_and_attribute() {
    let mut village = village();
    let owner = village.owner.id;
    let mut register = |seed, kind, serial| {
        let payload = Actor::inception(seed, kind, Some(owner), &[("label", serial)]);
        (payload.id(), village.owner.state(StatementKind::REGISTER, &payload.encode_to_vec()))
    };
    let (x, first) = register(11, ThingKind::CARD, "SN-001");
    let (y, second) = register(12, ThingKind::READER, "SN-001");
    let (z, third) = register(13, ThingKind::CARD, "SN-0011");
    village.node.batch(vec![first, second]);
    village.node.batch(vec![third]);
    let mut set = |thing, status| {
        let change = SetStatus { thing, status, reason: None, keys: None };
        village.owner.state(StatementKind::STATUS, &codec::encode(&change))
    };
    // Two changes in one batch: the row of the first never stays.
    village.node.batch(vec![set(x, Status::SUSPENDED), set(x, Status::STOLEN)]);
    village.node.batch(vec![set(z, Status::SUSPENDED)]);
    village.node.batch(vec![set(z, Status::ACTIVE)]);
    let update =
        Update { thing: z, set: [("place".into(), "SN-001".into())].into(), remove: vec![] };
    village.node.batch(vec![village.owner.state(StatementKind::UPDATE, &codec::encode(&update))]);
    let snapshot = village.node.snapshot();
    let ids = |listing| -> Vec<ThingId> {
        let listed = snapshot.things(listing, Order::OldestFirst, None, 9).unwrap();
        listed.into_iter().map(|listed| listed.thing).collect()
    };
    assert_eq!(ids(Listing::Controller(owner)), [x, y, z]);
    assert_eq!(ids(Listing::ControllerKind(owner, ThingKind::CARD)), [x, z]);
    assert_eq!(ids(Listing::ControllerKind(x, ThingKind::CARD)), []);
    assert_eq!(ids(Listing::ControllerStatus(owner, Status::STOLEN)), [x]);
    assert_eq!(ids(Listing::ControllerStatus(owner, Status::SUSPENDED)), []);
    let find = |controller, value| -> Vec<ThingId> {
        let found = snapshot.find(Search { value, controller }, None, 9).unwrap();
        let mut things: Vec<_> = found.into_iter().map(|found| found.thing).collect();
        things.sort();
        things
    };
    let sorted = |mut things: Vec<ThingId>| {
        things.sort();
        things
    };
    let label = Value::Of { name: "label", value: "SN-001" };
    assert_eq!(find(Some(owner), label), sorted(vec![x, y]), "not the device that claims it");
    assert_eq!(find(None, label).len(), 3);
    assert_eq!(find(Some(owner), Value::Exact("SN-001")), sorted(vec![x, y, z]));
    // The label of two, the place and the label of the third.
    assert_eq!(find(Some(owner), Value::Prefix("SN-001")), sorted(vec![x, y, z, z]));
    assert_eq!(find(Some(x), label), []);
}

#[test]
fn long_lists_are_read_in_pages_of_any_length_from_both_ends() {
    let mut village = village();
    let owner = village.owner.id;
    let mut registered = Vec::new();
    // Batches of one thing, of less than a run, and of several runs.
    for (batch, size) in [1_u16, 20, 100, 1, 64].into_iter().enumerate() {
        let mut submissions = Vec::new();
        for number in 0..size {
            let kind = if number % 3 == 0 { ThingKind::CARD } else { ThingKind::READER };
            let label = format!("{batch}-{number}");
            let seed = 1_000 + 200 * batch as u64 + u64::from(number);
            let payload = Actor::inception(seed, kind, Some(owner), &[("label", &label)]);
            registered.push((payload.id(), kind));
            let payload = payload.encode_to_vec();
            submissions.push(village.owner.state(StatementKind::REGISTER, &payload));
        }
        village.node.batch(submissions);
    }
    let snapshot = village.node.snapshot();
    let of = |kind| registered.iter().filter(move |it| it.1 == kind).map(|it| it.0);
    let all: Vec<_> = registered.iter().map(|it| it.0).collect();
    for (listing, expected) in [
        (Listing::Controller(owner), all),
        (Listing::ControllerKind(owner, ThingKind::CARD), of(ThingKind::CARD).collect()),
        (Listing::Kind(ThingKind::READER), of(ThingKind::READER).collect::<Vec<_>>()),
    ] {
        for limit in [1, 7, 32, 33, 500] {
            for order in [Order::OldestFirst, Order::NewestFirst] {
                let (mut found, mut after) = (Vec::new(), None);
                loop {
                    let page = snapshot.things(listing, order, after, limit).unwrap();
                    let Some(last) = page.last() else { break };
                    assert!(page.len() <= limit);
                    after = Some(*last);
                    found.extend(page.iter().map(|listed| listed.thing));
                }
                if order == Order::NewestFirst {
                    found.reverse();
                }
                assert_eq!(found, expected, "{listing:?} {order:?} {limit}");
            }
        }
    }
}

#[test]
fn histories_are_read_from_both_ends() {
    let village = village();
    let snapshot = village.node.snapshot();
    let id = village.devices[1].id;
    let history = |order, after: Option<u64>, limit| {
        let leaves = snapshot.history(id, order, after.map(LeafIndex), limit).unwrap();
        leaves.iter().map(|leaf| leaf.0).collect::<Vec<_>>()
    };
    assert_eq!(history(Order::OldestFirst, None, 9), [3, 9]);
    assert_eq!(history(Order::NewestFirst, None, 1), [9]);
    assert_eq!(history(Order::NewestFirst, Some(9), 9), [3]);
    assert_eq!(history(Order::OldestFirst, Some(3), 9), [9]);
    let head = snapshot.head(id).unwrap().unwrap();
    assert_eq!(head.history.count, 2);
}

#[test]
fn attributes_are_found_exactly_and_by_their_beginning() {
    let village = village();
    let snapshot = village.node.snapshot();
    let [a, b] = [village.devices[0].id, village.devices[1].id];
    let find = |value| -> Vec<(String, ThingId)> {
        let found = snapshot.find(Search { value, controller: None }, None, 9).unwrap();
        found.into_iter().map(|found| (found.value, found.thing)).collect()
    };
    let hit = |value: &str, thing| (value.to_owned(), thing);
    let label = |value| Value::Of { name: "label", value };
    assert_eq!(find(label("SN-001")), [hit("SN-001", a)]);
    assert_eq!(find(label("SN-00")), []);
    // The value before the update is not found any more.
    assert_eq!(find(label("SN-002")), []);
    // The label of one and the place of the other, then the label of that.
    let found = find(Value::Prefix("SN-00"));
    assert_eq!(found.len(), 3);
    assert_eq!(found[2], hit("SN-0021", b));
    assert_eq!(find(Value::Of { name: "labe", value: "SN-001" }), []);
    assert_eq!(find(Value::Exact("SN-001")).len(), 2);
    // Zero bytes in a text do not end it; a removed attribute is not found.
    assert_eq!(find(Value::Of { name: "model", value: "X\0Y" }), [hit("X\0Y", a)]);
    assert_eq!(find(Value::Prefix("X")), [hit("X\0Y", a)]);
    assert_eq!(find(Value::Exact("X")), []);
    // In pages.
    let search = Search { value: Value::Prefix("SN-00"), controller: None };
    let first = snapshot.find(search, None, 1).unwrap();
    let expected = Match { name: "label".into(), value: "SN-001".into(), thing: a };
    assert_eq!(first, [expected]);
    assert_eq!(snapshot.find(search, first.first(), 9).unwrap().len(), 2);
}

#[test]
fn state_is_proved_from_pages_that_are_and_are_not_stored() {
    let village = village();
    let node = village.node;
    // Enough things that the trie has branches above its leaves.
    let inceptions = (100..400).map(|seed| Actor::device(seed).1);
    node.batch(inceptions.collect());
    drop(node);
    let node = Node::open(village.folder.path());
    let snapshot = node.snapshot();
    let absent = StateKey::thing(ThingId([9; 20]), EntryKind::THING);
    let present = StateKey::thing(village.card.id, EntryKind::THING);
    let proof = snapshot.prove(&[present, absent]).unwrap();
    let proof = TrieProof::verify(&proof, &snapshot.tip().state_root).unwrap();
    assert_eq!(proof.get(&present).unwrap(), snapshot.value(&present).unwrap().as_deref());
    assert!(proof.get(&present).unwrap().is_some());
    assert_eq!(proof.get(&absent), Ok(None));
}

#[test]
fn a_denied_statement_and_a_resubmission_are_where_they_were() {
    let village = village();
    let (batch, outcomes) =
        village.node.try_batch(vec![village.record.clone(), village.tap.clone()]).unwrap();
    assert_eq!(outcomes, [Outcome::Known(LeafIndex(6)), Outcome::Known(LeafIndex(7))]);
    assert_eq!(batch.size(), TreeSize(11));
}
