use super::*;
use crate::cli::failure::Exit;
use touchmark_wire::ids::TreeSize;
use touchmark_wire::merkle::leaf_hash;

const NETWORK: NetworkId = NetworkId(Digest([7; 32]));

fn organisation() -> ThingId {
    ThingId([9; ThingId::LEN])
}

fn open(home: &Path) -> Place {
    Place::open(home, NETWORK, organisation()).unwrap()
}

/// A frontier of so many leaves, each of them `leaf`.
fn frontier(size: u64, leaf: &[u8]) -> Frontier {
    let mut frontier = Frontier::new();
    (0..size).for_each(|_| frontier.append(leaf_hash(leaf)));
    frontier
}

fn position(size: u64) -> Position {
    let kept = |at| Kept { at: LeafIndex(at), bytes: vec![1; 3] };
    let leaves = [1, 2, 4].into_iter().filter(|at| *at < size).map(kept).collect();
    Position { frontier: frontier(size, b"leaf"), batch: None, leaves }
}

fn note(frontier: &Frontier) -> String {
    let checkpoint = Checkpoint::new("example.org/log", frontier.size(), frontier.root()).unwrap();
    format!("{checkpoint}\n\u{2014} example.org AAAAAAAA\n")
}

fn stored(size: u64) -> Stored {
    let position = position(size);
    Stored {
        version: VERSION,
        network: NETWORK,
        organisation: organisation(),
        note: note(&position.frontier),
        peaks: position.frontier.peaks().copied().collect(),
        batch: None,
        leaves: position.leaves,
    }
}

#[test]
fn what_is_kept_is_seen_again() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(open(home.path()).seen(), Ok(None));
    for size in [0, 1, 5, 300] {
        let (position, note) = (position(size), note(&position(size).frontier));
        open(home.path()).keep(&note, position.clone()).unwrap();
        assert_eq!(open(home.path()).seen(), Ok(Some(Seen { note, position })), "{size}");
    }
}

#[test]
fn one_command_at_a_time_holds_a_position() {
    let home = tempfile::tempdir().unwrap();
    let _held = open(home.path());
    let second = Place::open(home.path(), NETWORK, organisation()).err().unwrap();
    assert_eq!((second.exit, second.code.as_str()), (Exit::Unavailable, "TM-BUSY"));
    Place::open(home.path(), NETWORK, ThingId::default()).unwrap();
}

fn refused(place: &Place, bytes: &[u8]) -> Failure {
    std::fs::write(place.path(), bytes).unwrap();
    place.seen().unwrap_err()
}

#[test]
fn a_changed_byte_and_a_missing_end_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let place = open(home.path());
    let bytes = stored(5).encode();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        for wrong in [&changed[..], &bytes[..at]] {
            let failure = refused(&place, wrong);
            assert_eq!(failure.code, "TM-CORRUPT", "at {at}");
            assert!(failure.hint.unwrap().contains("--restart"));
        }
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let place = open(home.path());
    let flaw = |change: &dyn Fn(&mut Stored)| {
        let mut stored = stored(5);
        change(&mut stored);
        refused(&place, &stored.encode()).why.unwrap()
    };
    let changes: [fn(&mut Stored); 8] = [
        |it| it.version += 1,
        |it| it.network = NetworkId::default(),
        |it| it.organisation = ThingId::default(),
        |it| it.note.clear(),
        |it| it.note = note(&frontier(5, b"other")),
        |it| it.peaks.truncate(1),
        |it| it.leaves.swap(0, 1),
        |it| it.leaves[2].at = LeafIndex(5),
    ];
    let flaws = [
        Flaw::Version,
        Flaw::Other,
        Flaw::Other,
        Flaw::Checkpoint,
        Flaw::Checkpoint,
        Flaw::Checkpoint,
        Flaw::Leaves,
        Flaw::Leaves,
    ];
    for (at, (change, expected)) in changes.into_iter().zip(flaws).enumerate() {
        assert_eq!(flaw(&change), expected.to_string(), "case {at}");
    }
}

#[test]
fn a_log_that_cannot_be_the_same_is_refused_before_it_is_read() {
    let home = tempfile::tempdir().unwrap();
    let place = open(home.path());
    let seen = Seen { note: note(&position(5).frontier), position: position(5) };
    let code = |frontier: &Frontier| {
        let (text, root) = (note(frontier), frontier.root());
        let shown = Checkpoint::new("example.org/log", frontier.size(), root).unwrap();
        let compared = place.compare(&seen, &text, &shown);
        compared.err().map(|failure| (failure.exit, failure.code))
    };
    let is = |code: &str| Some((Exit::Refused, code.to_owned()));
    assert_eq!(code(&frontier(4, b"leaf")), is("TM-LOG-ROLLED-BACK"));
    assert_eq!(code(&Frontier::new()), is("TM-LOG-ROLLED-BACK"));
    assert!(!place.folder.join("shown.checkpoint").exists(), "a node may be behind");
    assert_eq!(code(&frontier(5, b"leaf")), None);
    assert_eq!(code(&frontier(6, b"other")), None, "its leaves decide");
    let other = frontier(5, b"other");
    assert_eq!(other.size(), TreeSize(5));
    assert_eq!(code(&other), is("TM-LOG-SPLIT"));
    let kept = |name| std::fs::read_to_string(place.folder.join(name)).unwrap();
    assert_eq!(
        (kept("seen.checkpoint"), kept("shown.checkpoint")),
        (seen.note.clone(), note(&other))
    );
}
