//! What bundles prove of channels.

use crate::issuer::Issuer;
use crate::network::Network;
use touchmark_core::channel::access::Access;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::entry::Rights;
use touchmark_core::refusal::Outcome;
use touchmark_core::verdict::{Check, CheckResult, Trust, Verdict, judge};
use touchmark_node::proof::{self, Question};
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::bundle::{Bundle, Claim};
use touchmark_wire::ids::{ChannelId, LeafIndex};
use touchmark_wire::registry::{StatementKind, Status, ThingKind, Writers};

struct Trail {
    network: Network,
    author: Issuer,
    writer: Issuer,
    stranger: Issuer,
    channel: ChannelId,
    /// Entries of the writer.
    entries: Vec<LeafIndex>,
}

/// Opened, granted, two entries of the writer, one of the author, one attempt of a stranger.
fn trail() -> Trail {
    let network = Network::start();
    let issuer = |kind| Issuer::new(network.id(), kind, Algorithm::Ed25519);
    let (mut author, mut writer, mut stranger) =
        (issuer(ThingKind::ORGANISATION), issuer(ThingKind::DEVICE), issuer(ThingKind::DEVICE));
    let inceptions = [&mut author, &mut writer, &mut stranger].map(Issuer::inception);
    network.submit(inceptions.to_vec());
    let (channel, opening) = author.open(1, Writers::GRANTED);
    let grant = Access::of(channel, writer.id, Rights::WRITE);
    let leaves = vec![
        opening,
        author.act(StatementKind::ACCESS, &grant),
        writer.enter(channel, b"4.5 C"),
        author.enter(channel, b"checked"),
        writer.enter(channel, b"4.6 C"),
        stranger.enter(channel, b"100 C"),
    ];
    let outcomes = network.submit(leaves);
    assert!(outcomes[..5].iter().all(|outcome| matches!(outcome, Outcome::Accepted(_))));
    assert!(matches!(outcomes[5], Outcome::Denied(..)));
    let entries = [2, 4].map(|at: usize| outcomes[at].leaf().unwrap()).to_vec();
    Trail { network, author, writer, stranger, channel, entries }
}

impl Trail {
    fn prove(&self, questions: &[Question]) -> Vec<u8> {
        self.network.wait(proof::prove(&self.network.node, questions, None)).unwrap()
    }

    fn judge(&self, bundle: &[u8]) -> Verdict {
        judge(bundle, &Trust { network: Some(self.network.id()), ..Trust::default() })
    }

    /// The check of the only claim.
    fn check(&self, question: Question, name: &str) -> Check {
        let verdict = self.judge(&self.prove(&[question]));
        let check = verdict.checks.iter().find(|check| check.name == name);
        let check = check.unwrap_or_else(|| panic!("no {name} in {:?}", verdict.checks));
        assert_eq!(verdict.valid, check.result == CheckResult::Pass, "{:#?}", verdict.checks);
        check.clone()
    }
}

#[test]
fn one_bundle_proves_a_channel_its_writers_and_that_nothing_is_missing() {
    let trail = trail();
    let (channel, author, writer) = (trail.channel, trail.author.id, trail.writer.id);
    let verdict = trail.judge(&trail.prove(&[
        Question::Channel(channel),
        Question::CompleteChannel(channel),
        Question::Writer(channel, writer),
        Question::Writer(channel, author),
        Question::Record(trail.entries[0]),
        Question::Latest(trail.entries[1]),
    ]));
    assert!(verdict.valid, "{:#?}", verdict.checks);
    let reason = |name: String| {
        verdict.checks.iter().find(|check| check.name == name).unwrap().reason.clone().into_owned()
    };
    let opened = reason(format!("channel {channel}"));
    assert!(opened.contains(&format!("was opened by {author}")), "{opened}");
    let complete = reason(format!("complete channel {channel}"));
    let expected = format!(
        "these 5 leaves are the whole history of channel {channel} of {author}; 1 more are of \
         those who might not write"
    );
    assert_eq!(complete, expected);
    let entry = reason(format!("record {}", trail.entries[0]));
    assert!(entry.contains(&format!("record 1 of {writer} in channel {channel}")), "{entry}");
    assert!(reason(format!("latest {}", trail.entries[1])).contains("in channel"));
    assert!(reason(format!("writer {author} of {channel}")).contains("as its author"));
}

#[test]
fn a_channel_without_one_leaf_or_in_another_order_is_not_complete() {
    let trail = trail();
    let channel = trail.channel;
    let bytes = trail.prove(&[Question::CompleteChannel(channel)]);
    let bundle = Bundle::decode(&bytes).unwrap();
    let Claim::CompleteChannel(_, ref leaves) = bundle.claims[0] else { panic!("another claim") };
    assert_eq!(leaves.len(), 5);
    let name = format!("complete channel {channel}");
    let without = |at: usize| {
        let mut leaves = leaves.clone();
        leaves.remove(at);
        leaves
    };
    let mut turned = leaves.clone();
    turned.swap(2, 3);
    let twice = [&leaves[..], &leaves[4..]].concat();
    for listed in [without(0), without(2), without(4), turned, twice, Vec::new()] {
        let mut changed = bundle.clone();
        changed.claims[0] = Claim::CompleteChannel(channel, listed);
        let verdict = trail.judge(&changed.encode_to_vec());
        let check = verdict.checks.iter().find(|check| check.name == name).unwrap();
        assert_eq!((check.result, check.code), (CheckResult::Fail, Some("TM-INCOMPLETE")));
    }
    // An altered leaf in the bundle, and a history of a thing under a channel's name.
    let mut altered = bundle.clone();
    let first = [&[0xd2][..], &altered.leaves[2].leaf[1..], &[0]].concat();
    altered.leaves[2].leaf = &first;
    assert!(!trail.judge(&altered.encode_to_vec()).valid);
    let bytes = trail.prove(&[Question::Complete(trail.writer.id)]);
    let mut other = Bundle::decode(&bytes).unwrap();
    other.claims[0] = Claim::CompleteChannel(ChannelId(trail.writer.id.0), leaves.clone());
    assert!(!trail.judge(&other.encode_to_vec()).valid);
}

#[test]
fn who_may_write_is_proved_as_it_is_now() {
    let mut trail = trail();
    let (channel, writer, stranger) = (trail.channel, trail.writer.id, trail.stranger.id);
    let writes = |trail: &Trail, thing| {
        let check =
            trail.check(Question::Writer(channel, thing), &format!("writer {thing} of {channel}"));
        (check.result, check.code)
    };
    let not = (CheckResult::Fail, Some("TM-NOT-AUTHORISED"));
    assert_eq!(writes(&trail, writer), (CheckResult::Pass, None));
    assert_eq!(writes(&trail, stranger), not);
    // The right alone is not enough.
    let change = |status| SetStatus { thing: writer, status, reason: None, keys: None };
    let be = |trail: &mut Trail, status| {
        let statement = trail.writer.act(StatementKind::STATUS, &change(status));
        trail.network.submit(vec![statement]);
    };
    be(&mut trail, Status::SUSPENDED);
    assert_eq!(writes(&trail, writer), (CheckResult::Fail, Some("TM-REVOKED")));
    be(&mut trail, Status::ACTIVE);
    assert_eq!(writes(&trail, writer), (CheckResult::Pass, None));
    let withdraw = Access::of(channel, writer, Rights::NONE);
    trail.network.submit(vec![trail.author.act(StatementKind::ACCESS, &withdraw)]);
    assert_eq!(writes(&trail, writer), not);
    let close = Access::closing(channel);
    trail.network.submit(vec![trail.author.act(StatementKind::ACCESS, &close)]);
    let author = trail.author.id;
    assert_eq!(writes(&trail, author), (CheckResult::Fail, Some("TM-CLOSED")));
    let opened = trail.check(Question::Channel(channel), &format!("channel {channel}"));
    assert!(opened.reason.contains("closed at leaf"), "{}", opened.reason);
    let nowhere = ChannelId([9; 20]);
    for (question, name) in [
        (Question::Channel(nowhere), format!("channel {nowhere}")),
        (Question::CompleteChannel(nowhere), format!("complete channel {nowhere}")),
    ] {
        let check = trail.check(question, &name);
        assert_eq!((check.result, check.code), (CheckResult::Fail, Some("TM-UNKNOWN-CHANNEL")));
    }
}

/// A bundle that leaves out the chain in the channel does not hide that it forked.
#[test]
fn the_fork_of_a_chain_in_a_channel_is_told() {
    let mut trail = trail();
    let entry = trail.entries[0];
    let name = format!("record {entry}");
    assert_eq!(trail.check(Question::Record(entry), &name).result, CheckResult::Pass);
    // A record of the main chain shows the same keys, and no chain in the channel.
    let main = trail.network.submit(vec![trail.writer.record(b"main")])[0].leaf().unwrap();
    let bytes = trail.prove(&[Question::Record(main)]);
    let mut bundle = Bundle::decode(&bytes).unwrap();
    let whole = trail.prove(&[Question::Record(entry)]);
    let whole = Bundle::decode(&whole).unwrap();
    bundle.leaves = whole.leaves.clone();
    bundle.claims = whole.claims.clone();
    let verdict = trail.judge(&bundle.encode_to_vec());
    let check = verdict.checks.iter().find(|check| check.name == name).unwrap();
    assert_eq!((check.result, check.code), (CheckResult::Unknown, Some("TM-NOT-COVERED")));
    let begin = (0, trail.network.id().0);
    let twin = trail.writer.enter_after(begin, trail.channel, b"another first entry");
    assert!(matches!(trail.network.submit(vec![twin])[0], Outcome::Forked(..)));
    let check = trail.check(Question::Record(entry), &name);
    assert_eq!((check.result, check.code), (CheckResult::Unknown, Some("TM-FORK")));
    let check = trail.check(Question::Record(main), &format!("record {main}"));
    assert_eq!(check.result, CheckResult::Pass, "the main chain is another one");
}
