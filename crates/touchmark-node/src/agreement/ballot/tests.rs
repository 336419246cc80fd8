use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use touchmark_api::StatusView;
use touchmark_wire::hash::Digest;

const OURS: NetworkId = NetworkId(Digest([1; 32]));
const OTHER: NetworkId = NetworkId(Digest([2; 32]));

pub(in crate::agreement) fn policy() -> Policy {
    Policy::new(12, 9, 36).unwrap()
}

/// A thing with this status and so many leaves of history.
fn thing(status: &str, count: u64) -> ThingView {
    ThingView {
        id: "id".into(),
        did: "did".into(),
        kind: "device".into(),
        controller: None,
        controller_confirmed: None,
        status: StatusView { status: status.into(), since: 3, reason: None },
        statuses: Vec::new(),
        threshold: 1,
        keys: Vec::new(),
        next_number: 1,
        next: None,
        attributes: BTreeMap::new(),
        created: 3,
        head: HeadView { sequence: count as u32, last: format!("last of {count}") },
        history: HistoryView { count, hash: format!("hash of {count}"), mentions: 0, fork: None },
        size: 0,
    }
}

pub(in crate::agreement) fn said(status: &str, size: u64) -> Reply {
    of(OURS, status, size)
}

/// A node's word; `none` is that there is no such thing, and every leaf is one of the thing's.
fn of(network: NetworkId, status: &str, size: u64) -> Reply {
    let thing = (status != "none").then(|| Box::new(ThingView { size, ..thing(status, size) }));
    Reply::Said(Said { network, size: TreeSize(size), thing })
}

pub(in crate::agreement) fn nothing() -> Reply {
    Reply::Nothing { reason: "away".into() }
}

fn ballot(replies: Vec<Reply>) -> Ballot {
    Ballot::new(policy(), Some(OURS), replies)
}

fn count(replies: Vec<Reply>) -> Count {
    let ballot = ballot(replies);
    ballot.count(ballot.size())
}

pub(in crate::agreement) fn many(reply: &Reply, count: usize) -> Vec<Reply> {
    vec![reply.clone(); count]
}

#[test]
fn nine_of_twelve_that_say_the_same_agree_and_eight_do_not() {
    for (honest, lying, away, outcome) in [
        (12, 0, 0, Outcome::Agreed),
        (9, 3, 0, Outcome::Agreed),
        (9, 0, 3, Outcome::Agreed),
        (8, 4, 0, Outcome::Split),
        (8, 1, 3, Outcome::Split),
        (8, 0, 4, Outcome::TooFew),
        (4, 4, 4, Outcome::TooFew),
        (0, 0, 12, Outcome::TooFew),
    ] {
        let replies = [
            many(&said("stolen", 9), honest),
            many(&said("active", 9), lying),
            many(&nothing(), away),
        ];
        let counted = count(replies.concat());
        assert_eq!(counted.outcome, outcome, "{honest} {lying} {away}");
        let groups: Vec<_> = counted.groups.iter().map(Vec::len).collect();
        let expected: Vec<_> = [honest, lying].into_iter().filter(|it| *it > 0).collect();
        assert_eq!(groups, expected);
    }
}

#[test]
fn that_there_is_no_such_thing_is_an_answer_too() {
    let counted = count([many(&said("none", 9), 9), many(&said("active", 9), 3)].concat());
    assert_eq!(counted.outcome, Outcome::Agreed);
    assert_eq!(counted.groups[0], (0..9).collect::<Vec<_>>());
}

#[test]
fn another_network_counts_nothing_where_one_is_trusted() {
    let others = many(&of(OTHER, "active", 1_000), 12);
    let counted = count(others.clone());
    assert_eq!((counted.outcome, counted.size), (Outcome::Split, TreeSize(0)));
    assert!(counted.places.iter().all(|place| *place == Place::OtherNetwork));
    let trusting = Ballot::new(policy(), None, others);
    assert_eq!(trusting.count(trusting.size()).outcome, Outcome::Agreed);
    let both = [many(&said("active", 9), 8), many(&of(OTHER, "active", 9), 4)].concat();
    let trusting = Ballot::new(policy(), None, both);
    assert_eq!(trusting.count(trusting.size()).outcome, Outcome::Split, "networks are not mixed");
}

#[test]
fn who_lags_behind_is_asked_again_and_does_not_count_before() {
    let replies = [many(&said("stolen", 20), 4), many(&said("active", 10), 8)].concat();
    let mut late = ballot(replies);
    let size = late.size();
    assert_eq!((size, late.behind(size)), (TreeSize(20), (4..12).collect::<Vec<_>>()));
    assert_eq!(late.count(size).outcome, Outcome::Split);
    assert_eq!(late.count(size).places[11], Place::Behind);
    for place in 4..12 {
        late.replies[place] = said("stolen", 20 + place as u64);
    }
    assert_eq!(late.count(size).outcome, Outcome::Agreed);
}

#[test]
fn liars_do_not_make_a_log_longer_than_it_is() {
    let replies = [many(&said("active", u64::MAX), 3), many(&said("stolen", 10), 9)].concat();
    assert_eq!(ballot(replies.clone()).size(), TreeSize(10));
    assert_eq!(count(replies).outcome, Outcome::Agreed);
}

#[test]
fn a_history_that_goes_on_is_agreed_on_where_enough_have_it() {
    let moving: Vec<_> = (10..22).map(|size| said("active", size)).collect();
    let moving = Ballot::new(policy(), Some(OURS), moving);
    let counted = moving.count(TreeSize(10));
    assert_eq!((counted.outcome, counted.history), (Outcome::Agreed, None));
    let still = [vec![said("active", 11)], many(&said("active", 10), 9)].concat();
    assert_eq!(ballot(still).count(TreeSize(10)).history, Some(1));
}

#[test]
fn a_fork_is_no_matter_of_history_alone() {
    let Reply::Said(mut forked) = said("active", 9) else { unreachable!() };
    forked.thing.as_mut().unwrap().history.fork = Some(5);
    let replies = [many(&said("active", 9), 8), many(&Reply::Said(forked), 4)].concat();
    assert_eq!(count(replies).outcome, Outcome::Split);
}

pub(in crate::agreement) fn any_reply() -> impl Strategy<Value = Reply> {
    let words = prop::sample::select(vec!["active", "stolen", "lost", "none"]);
    let networks = prop::sample::select(vec![OURS, OURS, OURS, OTHER]);
    let word = (networks, words, prop_oneof![0..40_u64, any::<u64>()]);
    prop_oneof![
        8 => word.prop_map(|(network, status, size)| of(network, status, size)),
        1 => Just(nothing()),
    ]
}

fn said_by(reply: &Reply) -> Option<&Said> {
    match reply {
        Reply::Said(said) => Some(said),
        Reply::Nothing { .. } => None,
    }
}

proptest! {
    /// Whatever is said: what is agreed on was said by enough, of the trusted network, of a log of
    /// that length.
    #[test]
    fn what_is_agreed_on_was_said_by_enough(replies in prop::collection::vec(any_reply(), 12)) {
        let counted = count(replies.clone());
        if counted.outcome == Outcome::Agreed {
            let first = said_by(&replies[counted.groups[0][0]]).unwrap();
            let same = replies.iter().filter_map(said_by).filter(|said| {
                said.network == OURS
                    && said.size >= counted.size
                    && said.thing.as_ref().map(|it| &it.status) == first.thing.as_ref().map(|it| &it.status)
            });
            prop_assert_eq!(same.count(), counted.groups[0].len());
            prop_assert!(counted.groups[0].len() >= policy().equal());
        }
    }

    /// As many as may lie change nothing, whatever they say, and wherever they are.
    #[test]
    fn three_liars_of_twelve_change_nothing(
        liars in prop::collection::vec(any_reply(), 3),
        sizes in prop::collection::vec(20..30_u64, 9),
        order in Just((0..12).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        // The honest all have what was decided before leaf 20.
        let honest = sizes.iter().map(|size| said("suspended", *size));
        let replies: Vec<_> = honest.chain(liars).collect();
        let mixed = order.iter().map(|place| replies[*place].clone()).collect();
        let mut asked = ballot(mixed);
        let size = asked.size();
        prop_assert!(size <= TreeSize(30), "no longer than what an honest one has");
        // The honest get there.
        for place in asked.behind(size) {
            if order[place] < 9 {
                asked.replies[place] = said("suspended", size.0);
            }
        }
        let counted = asked.count(size);
        prop_assert_eq!(counted.outcome, Outcome::Agreed);
        let first = said_by(&asked.replies()[counted.groups[0][0]]).unwrap();
        prop_assert_eq!(&first.thing.as_ref().unwrap().status.status, "suspended");
    }

    /// Fewer than are wanted are never agreed with, also where all others are away.
    #[test]
    fn eight_that_lie_together_are_not_believed(
        lie in any_reply(),
        others in prop::collection::vec(prop_oneof![Just(nothing()), Just(said("suspended", 25))], 4),
    ) {
        let counted = count([many(&lie, 8), others].concat());
        prop_assert_ne!(counted.outcome, Outcome::Agreed);
    }

    /// Every reply has one place, and the same one wherever it stands.
    #[test]
    fn the_order_does_not_matter(
        replies in prop::collection::vec(any_reply(), 12),
        order in Just((0..12).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let mixed: Vec<_> = order.iter().map(|place| replies[*place].clone()).collect();
        let (one, other) = (count(replies), count(mixed));
        prop_assert_eq!((one.size, one.outcome), (other.size, other.outcome));
        let sizes = |count: &Count| count.groups.iter().map(Vec::len).collect::<Vec<_>>();
        prop_assert_eq!(sizes(&one), sizes(&other));
        let grouped = one.places.iter().filter(|it| matches!(it, Place::Group(_))).count();
        prop_assert_eq!(grouped, one.groups.iter().map(Vec::len).sum::<usize>());
    }
}
