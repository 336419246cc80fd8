use super::*;
use crate::agreement::ballot::tests::{any_reply, many, nothing, policy, said};
use crate::agreement::{NodeList, Place};
use proptest::prelude::*;
use std::collections::BTreeSet;
use touchmark_wire::ids::ThingId;

/// Who was asked, and for how long a log.
type Asked = Vec<(Vec<usize>, TreeSize)>;

/// The rounds among twelve nodes, at these addresses, of which this tells what each says once its
/// log has so many leaves.
fn settle(
    addresses: &[Option<IpAddr>],
    tells: impl FnMut(usize, usize, TreeSize) -> Reply,
) -> (Ballot, Count, Asked) {
    settle_from(TreeSize(0), addresses, tells)
}

/// The same for who wants to hear of a log with so many leaves at least.
fn settle_from(
    least: TreeSize,
    addresses: &[Option<IpAddr>],
    mut tells: impl FnMut(usize, usize, TreeSize) -> Reply,
) -> (Ballot, Count, Asked) {
    let urls: Vec<_> = (0..12).map(|n| format!("http://n{n}.example")).collect();
    let list = NodeList::new(None, urls.iter().map(String::as_str)).unwrap();
    let nodes: Vec<_> = list.nodes().iter().collect();
    let (thing, policy, network) = (ThingId([0; 20]), policy(), None);
    let inquiry = Inquiry { thing, network, policy, least, nodes };
    let mut asked = Asked::new();
    let ask = |places: &[usize], size| {
        let round = asked.len();
        asked.push((places.to_vec(), size));
        places.iter().map(|place| tells(round, *place, size)).collect()
    };
    let (ballot, count) = Rounds::new(&inquiry, addresses, ask).run();
    (ballot, count, asked)
}

fn address(number: u8) -> IpAddr {
    [192, 0, 2, number].into()
}

fn apart() -> Vec<Option<IpAddr>> {
    (0..12).map(|place| Some(address(place))).collect()
}

fn status<'b>(ballot: &'b Ballot, count: &Count) -> &'b str {
    let thing = ballot.said(count.groups[0][0]).unwrap().thing.as_ref().unwrap();
    &thing.status.status
}

#[test]
fn a_name_that_says_nothing_silences_nobody_at_its_address() {
    // Three names of which none answers, ahead of honest nodes and at their addresses.
    let addresses: Vec<_> = (0..12).map(|place| Some(address(place % 9))).rev().collect();
    let (_, count, _) = settle(&addresses, |_, place, _| match place {
        0..3 => nothing(),
        _ => said("stolen", 9),
    });
    assert_eq!((count.outcome, count.groups[0].len()), (Outcome::Agreed, 9));
    // One that does says it for all of that address.
    let (ballot, count, _) = settle(&addresses, |_, _, _| said("stolen", 9));
    assert_eq!((count.outcome, count.groups[0].len()), (Outcome::Agreed, 9));
    let Reply::Nothing { reason } = &ballot.replies()[11] else { panic!() };
    assert_eq!(reason, "it has the address of http://n2.example");
    // Names that lead nowhere have no address in common.
    let nowhere = [vec![None; 3], apart()[3..].to_vec()].concat();
    let (_, count, _) = settle(&nowhere, |_, _, _| said("stolen", 9));
    assert_eq!(count.groups[0].len(), 12);
}

#[test]
fn what_is_older_than_the_reader_wants_counts_nothing() {
    // Nine do not care what they are asked for; three have it.
    let tells = |_, place, size: TreeSize| match place {
        0..9 => said("active", 10),
        _ => said("stolen", size.0.max(10)),
    };
    let (_, count, _) = settle(&apart(), tells);
    assert_eq!((count.outcome, count.size), (Outcome::Agreed, TreeSize(10)));
    let (_, count, asked) = settle_from(TreeSize(20), &apart(), tells);
    assert_eq!((count.outcome, count.size), (Outcome::Split, TreeSize(20)));
    assert_eq!(count.places[..9], [Place::Behind; 9]);
    assert!(asked.iter().all(|(_, size)| size.0 >= 20), "{asked:?}");
    // Where all have it, it is as without.
    let (_, count, _) = settle_from(TreeSize(20), &apart(), |_, _, size| said("stolen", size.0));
    assert_eq!((count.outcome, count.size), (Outcome::Agreed, TreeSize(20)));
}

#[test]
fn who_falls_behind_those_who_caught_up_is_asked_again_too() {
    let (ballot, count, asked) = settle(&apart(), |_, place, size| match (place, size.0) {
        (0..4, ..30) => said("lost", 20),
        (_, 0) => said("active", 10),
        _ => said("stolen", 30),
    });
    assert_eq!((count.outcome, count.size), (Outcome::Agreed, TreeSize(30)));
    assert_eq!(status(&ballot, &count), "stolen");
    let everyone = (0..12).collect();
    let rounds = [(everyone, 0), ((4..12).collect(), 20), ((0..4).collect(), 30)];
    assert_eq!(asked, rounds.map(|(places, size): (Vec<_>, _)| (places, TreeSize(size))));
}

#[test]
fn a_change_on_its_way_is_waited_for_once() {
    // One is away, and three have what eight have a moment later.
    let (ballot, count, asked) = settle(&apart(), |round, place, _| match (place, round) {
        (0, _) => nothing(),
        (1..4, _) => said("stolen", 11),
        (_, 0) => said("active", 10),
        _ => said("stolen", 11),
    });
    assert_eq!((count.outcome, status(&ballot, &count)), (Outcome::Agreed, "stolen"));
    assert_eq!(asked, [((0..12).collect(), TreeSize(0)), ((0..12).collect(), TreeSize(10))]);
    // Who stays with what they said is asked no third time.
    let (_, count, asked) = settle(&apart(), |_, place, _| match place {
        0..4 => said("stolen", 10),
        _ => said("active", 10),
    });
    assert_eq!((count.outcome, asked.len()), (Outcome::Split, 2));
}

#[test]
fn those_who_agree_are_asked_for_the_longer_log_of_those_who_do_not() {
    let (ballot, count, asked) = settle(&apart(), |_, place, size| match (place, size.0) {
        (0..3, _) => said("stolen", 15),
        (_, ..15) => said("active", 10),
        _ => said("stolen", 15),
    });
    assert_eq!((count.outcome, status(&ballot, &count)), (Outcome::Agreed, "stolen"));
    assert_eq!(asked[1..], [((3..12).collect(), TreeSize(15))]);
    // A log that nobody has changes nothing.
    let (ballot, count, asked) = settle(&apart(), |_, place, size| match (place, size.0) {
        (0..3, _) => said("stolen", u64::MAX),
        (_, ..=10) => said("active", 10),
        _ => nothing(),
    });
    assert_eq!((count.outcome, status(&ballot, &count)), (Outcome::Agreed, "active"));
    assert_eq!((asked.len(), ballot.reach(&count.groups[1])), (2, TreeSize(u64::MAX)));
}

proptest! {
    /// Wherever names lead, and whatever is said in however many rounds: an address counts once,
    /// somebody counts at each at which anything was said, and enough of them are agreed with.
    #[test]
    fn an_address_has_one_voice(
        told in prop::collection::vec(prop::collection::vec(any_reply(), 12), 8),
        hosts in prop::collection::vec(prop::option::weighted(0.9, 0..14_u8), 12),
    ) {
        let addresses: Vec<_> = hosts.iter().map(|host| host.map(address)).collect();
        let mut heard = BTreeSet::new();
        let (ballot, count, asked) = settle(&addresses, |round, place, _| {
            let reply = told[round][place].clone();
            if matches!(reply, Reply::Said(_)) {
                heard.extend(addresses[place]);
            }
            reply
        });
        prop_assert!(asked.len() <= 6);
        let voices = (0..12).filter(|place| ballot.said(*place).is_some());
        let voices: Vec<_> = voices.filter_map(|place| addresses[place]).collect();
        prop_assert_eq!(voices.len(), heard.len());
        prop_assert_eq!(voices.into_iter().collect::<BTreeSet<_>>(), heard);
        if count.outcome == Outcome::Agreed {
            let most = &count.groups[0];
            prop_assert!(most.len() >= policy().equal());
            let nowhere = most.iter().filter(|place| addresses[**place].is_none()).count();
            let places: BTreeSet<_> = most.iter().filter_map(|place| addresses[*place]).collect();
            prop_assert_eq!(places.len() + nowhere, most.len());
            prop_assert!(most.iter().all(|place| count.places[*place] == Place::Group(0)));
        }
    }

    /// Three addresses that lie, under whatever names and in whatever round, change nothing that
    /// nine honest ones say.
    #[test]
    fn three_lying_addresses_change_nothing(
        told in prop::collection::vec(prop::collection::vec(any_reply(), 3), 8),
        sizes in prop::collection::vec(20..30_u64, 9),
        liars in prop::collection::vec(0..14_u8, 3),
        order in Just((0..12).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        // A liar may lead to an honest node's address, but then another answers than itself.
        let is_at_honest = |place: usize| liars[order[place] - 9] < 9;
        let addresses: Vec<_> = order
            .iter()
            .map(|place| if *place < 9 { *place as u8 } else { liars[*place - 9] })
            .map(|number| Some(address(number)))
            .collect();
        let (ballot, count, _) = settle(&addresses, |round, place, size| match order[place] {
            honest @ 0..9 if size.0 <= 40 => said("suspended", sizes[honest].max(size.0)),
            0..9 => nothing(),
            _ if is_at_honest(place) => nothing(),
            liar => told[round][liar - 9].clone(),
        });
        prop_assert_eq!(count.outcome, Outcome::Agreed);
        prop_assert_eq!(status(&ballot, &count), "suspended");
    }
}

#[test]
fn all_that_answers_is_one_machine() {
    let (_, count, _) = settle(&[Some(address(1)); 12], |_, _, _| said("active", 9));
    assert_eq!((count.outcome, count.groups), (Outcome::TooFew, vec![vec![0]]));
    let replies = many(&nothing(), 12);
    assert!(settle(&apart(), |_, place, _| replies[place].clone()).1.groups.is_empty());
}
