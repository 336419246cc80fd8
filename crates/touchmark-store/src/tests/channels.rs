//! What readers find of channels.

use super::fixture::{Actor, Node};
use crate::{ChannelListing, EventAddress, ListedChannel, Order};
use touchmark_core::entry::Rights;
use touchmark_core::event::{ChannelEvent, Event};
use touchmark_core::refusal::Outcome;
use touchmark_core::view::{InChannel, Read as _};
use touchmark_wire::ids::{ChannelId, LeafIndex, Sequence};
use touchmark_wire::registry::RefusalCode;

/// Two authors, two writers; the second author's channel is empty.
struct Hall {
    node: Node,
    folder: tempfile::TempDir,
    actors: [Actor; 4],
    channels: [ChannelId; 3],
}

fn hall() -> Hall {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path());
    let (actors, inceptions): (Vec<_>, Vec<_>) = (0..4).map(Actor::device).unzip();
    let Ok(mut actors) = <[Actor; 4]>::try_from(actors) else { panic!("four") };
    node.batch(inceptions);
    let [(first, one), (second, two)] = [1, 2].map(|n| actors[0].open(n));
    let (third, three) = actors[1].open(1);
    node.batch(vec![one, two, three]);
    Hall { node, folder, actors, channels: [first, second, third] }
}

#[test]
fn channels_are_listed_by_author_in_pages() {
    let hall = hall();
    let snapshot = hall.node.snapshot();
    let [first, second, third] = hall.channels;
    let ids = |list, order, after, limit| -> Vec<ChannelId> {
        let listed = snapshot.channels(list, order, after, limit).unwrap();
        listed.into_iter().map(|listed| listed.channel).collect()
    };
    let (oldest, newest) = (Order::OldestFirst, Order::NewestFirst);
    assert_eq!(ids(ChannelListing::All, oldest, None, 9), [first, second, third]);
    let author = ChannelListing::Author(hall.actors[0].id);
    assert_eq!(ids(author, newest, None, 9), [second, first]);
    let page = snapshot.channels(ChannelListing::All, oldest, None, 2).unwrap();
    assert_eq!(page[1], ListedChannel { opened: LeafIndex(6), channel: second });
    assert_eq!(ids(ChannelListing::All, oldest, Some(page[1]), 9), [third]);
    assert_eq!(ids(ChannelListing::Author(hall.actors[2].id), oldest, None, 9), []);
}

#[test]
fn writers_are_those_who_have_rights_now() {
    let mut hall = hall();
    let [channel, other, _] = hall.channels;
    let [_, a, b, c] = [0, 1, 2, 3].map(|n: usize| hall.actors[n].id);
    let author = &mut hall.actors[0];
    let grants = [a, b, c].map(|thing| author.access(channel, thing, Rights::WRITE));
    hall.node.batch(grants.to_vec());
    let taken = author.access(channel, b, Rights::NONE);
    // Given and taken in one batch, and the other way round: the last word counts.
    let turns = [(a, Rights::NONE), (a, Rights::WRITE)];
    let turns = turns.map(|(thing, rights)| author.access(channel, thing, rights));
    let brief = [Rights::WRITE, Rights::NONE].map(|rights| author.access(other, c, rights));
    hall.node.batch([vec![taken], turns.to_vec(), brief.to_vec()].concat());
    let snapshot = hall.node.snapshot();
    let mut expected = [a, c];
    expected.sort();
    assert_eq!(snapshot.writers(channel, None, 9).unwrap(), expected);
    assert_eq!(snapshot.writers(channel, None, 1).unwrap(), expected[..1]);
    assert_eq!(snapshot.writers(channel, Some(expected[0]), 9).unwrap(), expected[1..]);
    assert_eq!(snapshot.writers(other, None, 9).unwrap(), []);
    let chain = |thing| snapshot.channel_chain(channel, thing).unwrap().unwrap();
    assert_eq!((chain(a).rights, chain(b).rights), (Rights::WRITE, Rights::NONE));
}

#[test]
fn leaves_of_a_channel_are_read_from_both_ends_and_those_of_strangers_apart() {
    let mut hall = hall();
    let channel = hall.channels[0];
    let [_, a, stranger, _] = [0, 1, 2, 3].map(|n: usize| hall.actors[n].id);
    let grant = hall.actors[0].access(channel, a, Rights::WRITE);
    let entries = [hall.actors[1].enter(channel, b"1"), hall.actors[0].enter(channel, b"2")];
    hall.node.batch([vec![grant], entries.to_vec()].concat());
    let (_, outcomes) = hall.node.try_batch(vec![hall.actors[2].enter(channel, b"3")]).unwrap();
    assert!(matches!(&outcomes[..],
        [Outcome::Denied(_, refusal)] if refusal.code == RefusalCode::NOT_AUTHORISED));
    let last = hall.actors[1].enter(channel, b"4");
    hall.node.batch(vec![last]);
    let answers = |node: &Node| {
        let snapshot = node.snapshot();
        let leaves = |order, after: Option<u64>, limit| {
            let after = after.map(LeafIndex);
            let leaves = snapshot.channel_leaves(channel, order, after, limit).unwrap();
            leaves.iter().map(|leaf| leaf.0).collect::<Vec<_>>()
        };
        let (oldest, newest) = (Order::OldestFirst, Order::NewestFirst);
        assert_eq!(leaves(oldest, None, 9), [5, 9, 10, 11, 13, 15]);
        assert_eq!(leaves(oldest, Some(10), 2), [11, 13]);
        assert_eq!(leaves(newest, None, 2), [15, 13]);
        assert_eq!(leaves(newest, Some(10), 9), [9, 5]);
        let complete = snapshot.complete_channel(channel, 9).unwrap();
        assert_eq!(complete.iter().map(|leaf| leaf.0).collect::<Vec<_>>(), [5, 9, 10, 11, 15]);
        let state = snapshot.channel(channel).unwrap().unwrap();
        assert_eq!((state.history.count, state.mentions.count), (5, 1));
        assert_eq!(snapshot.channel_leaves(hall.channels[2], oldest, None, 9).unwrap().len(), 1);
        let chain = snapshot.chain(a, Some(channel), Sequence(1), 9).unwrap();
        assert_eq!(chain.iter().map(|it| it.leaf.0).collect::<Vec<_>>(), [10, 15]);
        let happened = |leaf| snapshot.happened(LeafIndex(leaf)).unwrap().unwrap();
        assert_eq!(happened(10).channel, Some(InChannel::History(channel)));
        assert_eq!(happened(13).channel, Some(InChannel::Mention(channel)));
        assert_eq!(happened(13).about, [stranger]);
        assert_eq!(happened(0).channel, None);
        let events: Vec<_> =
            snapshot.events_from(EventAddress::default()).map(Result::unwrap).collect();
        let written = ChannelEvent::EntryWritten { thing: a }.of(channel);
        assert_eq!(events.iter().filter(|(_, event)| *event == written).count(), 2);
        let granted = ChannelEvent::AccessGranted { thing: a, rights: Rights::WRITE };
        assert!(events.iter().any(|(_, event)| *event == granted.clone().of(channel)));
        let opened = |event: &Event| {
            matches!(event, Event::Channel { event: ChannelEvent::Opened { .. }, .. })
        };
        assert_eq!(events.iter().filter(|(_, event)| opened(event)).count(), 3);
        events
    };
    let before = answers(&hall.node);
    drop(hall.node);
    assert_eq!(answers(&Node::open(hall.folder.path())), before);
}
