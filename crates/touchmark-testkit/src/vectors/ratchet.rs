//! The file `ratchet.json`: what a light client keeps, and where it goes on from there.

use super::writer::hex;
use serde_json::{Value, json};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, Height, NetworkId, Timestamp, TreeSize};
use touchmark_wire::merkle;
use touchmark_wire::ratchet::{Position, Ratchet, Shown};

const NETWORK: NetworkId = NetworkId(Digest([0x4e; 32]));

/// A position by its difference from another one.
type Change = fn(&mut Position);

/// The file.
pub fn ratchet() -> Value {
    let cases = [steps(), proved()].concat();
    json!({
        "generator": "crates/touchmark-testkit/src/vectors/ratchet.rs",
        "title": "Ratchets: encodings, and what each step from `kept` to `shown` gives; `shown` is written as the ratchet that begins there",
        "encodings": encodings(),
        "cases": cases,
    })
}

/// Committee `number` of the history that all but one case has.
fn committee(number: u64) -> Digest {
    Digest([0xc0 + number as u8; 32])
}

/// Root of the log that has `size` times the same leaf.
fn root(size: u64) -> Digest {
    let mut frontier = merkle::Frontier::new();
    (0..size).for_each(|_| frontier.append(merkle::leaf_hash(b"leaf")));
    frontier.root()
}

/// Of the second committee.
fn kept() -> Position {
    Position {
        height: Height(700),
        time: Timestamp(1_735_689_599_999),
        size: TreeSize(3),
        root: root(3),
        header: Digest([0x11; 32]),
        epoch: Epoch(1),
        committee: committee(1),
    }
}

/// The next batch.
fn next() -> Position {
    let (size, root) = (TreeSize(5), root(5));
    Position { height: Height(701), size, root, header: Digest([0x12; 32]), ..kept() }
}

fn encoded(network: NetworkId, position: Position) -> Vec<u8> {
    let shown = Shown { network, position, committees: &[] };
    Ratchet::begin(&shown).encode(&mut [0; Ratchet::LIMIT]).to_vec()
}

fn encodings() -> Vec<Value> {
    let largest = Position {
        height: Height(u64::MAX),
        time: Timestamp(u64::MAX),
        size: TreeSize(u64::MAX),
        epoch: Epoch(u64::MAX),
        ..kept()
    };
    let case = |name: &str, bytes: &[u8], accepted: bool| json!({ "name": name, "bytes": hex(bytes), "accepted": accepted });
    let (good, smallest) = (encoded(NETWORK, kept()), Position::default());
    let mut torn = good.clone();
    torn[60] ^= 1;
    let (mut other_version, longer) = (good.clone(), [&good[..], &[0]].concat());
    other_version[1] = 2;
    vec![
        case("ordinary", &good, true),
        case("the smallest numbers", &encoded(NetworkId::default(), smallest), true),
        case("the largest numbers", &encoded(NETWORK, largest), true),
        case("one bit of the position", &torn, false),
        case("another version", &other_version, false),
        case("a byte at the end", &longer, false),
        case("cut off", &good[..good.len() - 1], false),
        case("nothing", &[], false),
    ]
}

/// Steps without a consistency proof.
fn steps() -> Vec<Value> {
    let of_kept: &[(&str, Change, &str)] = &[
        ("the same again", |_| {}, "followed"),
        ("another batch of the same height", |it| it.header = Digest([0x13; 32]), "height"),
        ("the batch before", |it| it.height = Height(699), "back"),
        (
            "a batch before, of a larger log",
            |it| (it.height, it.size, it.root) = (Height(699), TreeSize(4), root(4)),
            "size",
        ),
        (
            "a batch before, at a later time",
            |it| (it.height, it.time.0) = (Height(699), it.time.0 + 1),
            "time",
        ),
        (
            "a batch before, of a later committee",
            |it| (it.height, it.epoch, it.committee) = (Height(699), Epoch(2), committee(2)),
            "epoch",
        ),
    ];
    let of_next: &[(&str, Change, &str)] = &[
        ("the next batch", |_| {}, "followed"),
        ("the next batch, empty", |it| (it.size, it.root) = (TreeSize(3), root(3)), "followed"),
        ("a later batch at an earlier time", |it| it.time.0 -= 1, "time"),
        ("a later batch of a smaller log", |it| it.size = TreeSize(2), "size"),
        ("another root of the same size", |it| it.size = TreeSize(3), "root"),
        (
            "a later batch of the committee before",
            |it| (it.epoch, it.committee) = (Epoch(0), committee(0)),
            "epoch",
        ),
        ("another committee of the same number", |it| it.committee = committee(9), "committee"),
        ("a later committee", |it| (it.epoch, it.committee) = (Epoch(2), committee(2)), "followed"),
    ];
    let cases = |base: Position, rows: &[(&str, Change, &str)]| {
        let case = |(name, change, result): &(&str, Change, &str)| {
            let mut shown = base;
            change(&mut shown);
            let mut line: Vec<_> = (0..shown.epoch.0).map(committee).collect();
            line.push(shown.committee);
            step(name, (NETWORK, shown), &line, result)
        };
        rows.iter().map(case).collect::<Vec<_>>()
    };
    let mut all = [cases(kept(), of_kept), cases(next(), of_next)].concat();
    let third = Position { epoch: Epoch(2), committee: committee(2), ..next() };
    all.push(step(
        "a later committee, over another second one",
        (NETWORK, third),
        &[committee(0), committee(9), committee(2)],
        "committee",
    ));
    let own = &[committee(1), committee(2)];
    all.push(step("only the way from the kept committee on", (NETWORK, third), own, "followed"));
    all.push(step("no way from the kept committee on", (NETWORK, third), &own[1..], "committee"));
    let other = NetworkId(Digest([0x4f; 32]));
    let line = [committee(0), committee(1)];
    all.push(step("another network", (other, next()), &line, "network"));
    all
}

/// Steps with a consistency proof from 3 to 5 leaves.
fn proved() -> Vec<Value> {
    let leaf = merkle::leaf_hash(b"leaf");
    let pair = merkle::node_hash(&leaf, &leaf);
    let good = [leaf, leaf, pair, leaf];
    let other = Position { root: root(6), ..next() };
    let line = [committee(0), committee(1)];
    let with = |name: &str, shown: Position, path: &[Digest], result: &str| {
        let mut case = step(name, (NETWORK, shown), &line, result);
        case["path"] = path.iter().map(|hash| hex(&hash.0)).collect();
        case
    };
    vec![
        with("a log that continues", next(), &good, "followed"),
        with("another log", other, &good, "not-extended"),
        with("a path that is too short", next(), &good[..3], "not-extended"),
        with("the same log with a path", kept(), &good, "not-extended"),
        with("the same log without a path", kept(), &[], "followed"),
    ]
}

fn step(name: &str, shown: (NetworkId, Position), line: &[Digest], result: &str) -> Value {
    json!({
        "name": name,
        "kept": hex(&encoded(NETWORK, kept())),
        "shown": hex(&encoded(shown.0, shown.1)),
        "committees": line.iter().map(|digest| hex(&digest.0)).collect::<Vec<_>>(),
        "result": result,
    })
}
