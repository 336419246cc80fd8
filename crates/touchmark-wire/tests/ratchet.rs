//! The ratchet: its encoding, and that it goes on and never back.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod support;

use proptest::prelude::*;
use serde_json::Value;
use support::{bytes, cases, digest, path, text, vectors};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, Height, NetworkId, Timestamp, TreeSize};
use touchmark_wire::merkle::{self, Frontier};
use touchmark_wire::ratchet::{Contradiction, Position, Ratchet, RatchetError, Shown};

/// As the vectors call it.
fn name(result: &Result<Ratchet, RatchetError>) -> &'static str {
    match result {
        Ok(_) => "followed",
        Err(RatchetError::Network { .. }) => "network",
        Err(RatchetError::Back { .. }) => "back",
        Err(RatchetError::NotExtended(_)) => "not-extended",
        Err(RatchetError::Contradiction(contradiction)) => match contradiction {
            Contradiction::Height(_) => "height",
            Contradiction::Time { .. } => "time",
            Contradiction::Size { .. } => "size",
            Contradiction::Root(_) => "root",
            Contradiction::Epoch { .. } => "epoch",
            Contradiction::Committee(_) => "committee",
            _ => "unknown",
        },
        Err(_) => "unknown",
    }
}

fn encoded(ratchet: &Ratchet) -> Vec<u8> {
    ratchet.encode(&mut [0; Ratchet::LIMIT]).to_vec()
}

#[test]
fn each_step_ends_as_it_says() {
    let cases = cases("ratchet");
    assert!(cases.len() > 20);
    for case in cases {
        let [kept, shown] = ["kept", "shown"].map(|it| Ratchet::decode(&bytes(&case, it)).unwrap());
        let committees = path(&case, "committees");
        let Ratchet { network, position } = shown;
        let step = Shown { network, position, committees: &committees };
        let result = match case["path"] {
            Value::Null => kept.follow(&step),
            _ => kept.follow_proved(&step, path(&case, "path")),
        };
        assert_eq!(name(&result), text(&case, "result"), "{}", case["name"]);
        if let Ok(next) = result {
            assert_eq!(next, shown);
        }
    }
}

#[test]
fn there_is_one_encoding() {
    let file = vectors("ratchet");
    for case in file["encodings"].as_array().unwrap() {
        let given = bytes(case, "bytes");
        let decoded = Ratchet::decode(&given);
        assert_eq!(Some(decoded.is_ok()), case["accepted"].as_bool(), "{}", case["name"]);
        if let Ok(ratchet) = decoded {
            assert_eq!(encoded(&ratchet), given, "{}", case["name"]);
        }
    }
    let largest = file["encodings"].as_array().unwrap().iter().map(|case| bytes(case, "bytes"));
    let whole = largest.filter(|bytes| Ratchet::decode(bytes).is_ok());
    assert_eq!(whole.map(|bytes| bytes.len()).max(), Some(Ratchet::LIMIT));
}

#[test]
fn no_bit_of_it_can_change_in_flash() {
    let good = bytes(&cases("ratchet")[0], "kept");
    assert!(Ratchet::decode(&good).is_ok());
    for at in 0..good.len() * 8 {
        let mut changed = good.clone();
        changed[at / 8] ^= 1 << (at % 8);
        assert!(Ratchet::decode(&changed).is_err(), "bit {at}");
    }
}

/// A certified history: leaves, and for each batch its height, time, size and committee.
#[derive(Clone, Debug)]
struct History {
    leaves: Vec<Digest>,
    positions: Vec<Position>,
}

fn committee(number: u64) -> Digest {
    Digest::of(&[b"committee", &number.to_be_bytes()])
}

impl History {
    /// From what each batch adds to height, time, size and committee.
    fn new(batches: &[(u64, u64, u64, bool)]) -> Self {
        let (mut leaves, mut frontier) = (Vec::new(), Frontier::new());
        let (mut at, mut positions) = (Position::default(), Vec::new());
        for (heights, time, more, hands_over) in batches {
            at.height = Height(at.height.0 + heights);
            at.time = Timestamp(at.time.0 + time);
            at.epoch = Epoch(at.epoch.0 + u64::from(*hands_over));
            for _ in 0..*more {
                let leaf = merkle::leaf_hash(&(leaves.len() as u64).to_be_bytes());
                frontier.append(leaf);
                leaves.push(leaf);
            }
            (at.size, at.root) = (TreeSize(leaves.len() as u64), frontier.root());
            at.header = Digest::of(&[b"header", &at.height.0.to_be_bytes()]);
            at.committee = committee(at.epoch.0);
            positions.push(at);
        }
        Self { leaves, positions }
    }

    /// RFC 9162 §2.1.4.1.
    fn path(&self, old: TreeSize, new: TreeSize) -> Vec<Digest> {
        match (old.0, new.0) {
            (0, _) => Vec::new(),
            (old, new) => subproof(old as usize, &self.leaves[..new as usize], true),
        }
    }
}

fn root(leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.append(*leaf);
    }
    frontier.root()
}

fn subproof(old: usize, leaves: &[Digest], is_known: bool) -> Vec<Digest> {
    if old == leaves.len() {
        return if is_known { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, other) = if old <= left.len() {
        (subproof(old, left, is_known), root(right))
    } else {
        (subproof(old - left.len(), right, false), root(left))
    };
    path.push(other);
    path
}

fn network() -> NetworkId {
    NetworkId(digest(&serde_json::json!({ "id": "4e".repeat(32) }), "id"))
}

fn line(position: &Position) -> Vec<Digest> {
    (0..=position.epoch.0).map(committee).collect()
}

fn shown<'a>(position: &Position, committees: &'a [Digest]) -> Shown<'a> {
    Shown { network: network(), position: *position, committees }
}

fn histories() -> impl Strategy<Value = History> {
    let batch = (1..5_u64, 0..3_u64, 0..6_u64, prop::bool::weighted(0.2));
    prop::collection::vec(batch, 2..12).prop_map(|batches| History::new(&batches))
}

proptest! {
    #[test]
    fn an_honest_history_is_followed_forwards_only(history in histories()) {
        for (i, kept) in history.positions.iter().enumerate() {
            let ratchet = Ratchet::begin(&shown(kept, &line(kept)));
            prop_assert_eq!(Ratchet::decode(&encoded(&ratchet)), Ok(ratchet));
            for (j, next) in history.positions.iter().enumerate() {
                let committees = line(next);
                let step = shown(next, &committees);
                if j < i {
                    let back = RatchetError::Back { kept: kept.height, shown: next.height };
                    prop_assert_eq!(ratchet.follow(&step), Err(back));
                } else {
                    let path = history.path(kept.size, next.size);
                    prop_assert_eq!(ratchet.follow(&step).map(|it| it.position), Ok(*next));
                    prop_assert_eq!(
                        ratchet.follow_proved(&step, path).map(|it| it.position), Ok(*next)
                    );
                }
            }
        }
    }

    /// Whatever is shown, what is kept afterwards is not less in any way.
    #[test]
    fn nothing_goes_back(
        batches in prop::collection::vec((0..4_u64, 0..4_u64, 0..4_u64, 0..3_u64, 0..2_u8), 1..30),
    ) {
        let mut ratchet: Option<Ratchet> = None;
        for (height, time, size, epoch, other) in batches {
            let position = Position {
                height: Height(height),
                time: Timestamp(time),
                size: TreeSize(size),
                root: Digest([size as u8 + other; 32]),
                header: Digest([other; 32]),
                epoch: Epoch(epoch),
                committee: committee(epoch),
            };
            let committees = line(&position);
            let step = shown(&position, &committees);
            let Some(kept) = ratchet else {
                ratchet = Some(Ratchet::begin(&step));
                continue;
            };
            if let Ok(next) = kept.follow(&step) {
                let (old, new) = (kept.position, next.position);
                prop_assert!(old.height <= new.height && old.time <= new.time);
                prop_assert!(old.size <= new.size && old.epoch <= new.epoch);
                prop_assert!(old.size != new.size || old.root == new.root);
                prop_assert!(old.height != new.height || old == new);
                ratchet = Some(next);
            }
        }
    }

    /// A log with one other leaf among those that were seen does not continue them.
    #[test]
    fn a_changed_leaf_is_not_continued(history in histories(), at in any::<prop::sample::Index>()) {
        let (kept, last) = (history.positions[0], *history.positions.last().unwrap());
        prop_assume!(kept.size.0 > 0 && kept.size < last.size);
        let mut other = history.clone();
        other.leaves[at.index(kept.size.0 as usize)] = merkle::leaf_hash(b"another");
        let last = Position { root: root(&other.leaves), ..last };
        let committees = line(&last);
        let ratchet = Ratchet::begin(&shown(&kept, &line(&kept)));
        let path = other.path(kept.size, last.size);
        let followed = ratchet.follow_proved(&shown(&last, &committees), path);
        prop_assert!(matches!(followed, Err(RatchetError::NotExtended(_))));
    }
}
