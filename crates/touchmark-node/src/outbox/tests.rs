use super::*;

fn open(folder: &tempfile::TempDir) -> Outbox {
    Outbox::open(folder.path(), Outbox::LIMIT).unwrap()
}

fn log(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("log")
}

/// What the disk has of the outbox now.
fn state(folder: &tempfile::TempDir) -> [Option<Vec<u8>>; 2] {
    ["log", "kept"].map(|name| std::fs::read(folder.path().join(name)).ok())
}

fn put(folder: &tempfile::TempDir, log: &[u8], kept: Option<&[u8]>) {
    std::fs::write(self::log(folder), log).unwrap();
    match kept {
        Some(kept) => std::fs::write(folder.path().join("kept"), kept).unwrap(),
        None => std::fs::remove_file(folder.path().join("kept")).unwrap_or_default(),
    }
}

fn waiting(outbox: &Outbox) -> Vec<&[u8]> {
    outbox.waiting.iter().map(Vec::as_slice).collect()
}

#[test]
fn what_waits_survives_in_order_and_byte_by_byte() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    for statement in [b"one".as_slice(), b"two", b"three"] {
        outbox.push(statement).unwrap();
    }
    outbox.acknowledge().unwrap();
    drop(outbox);
    assert_eq!(Outbox::peek(folder.path()).unwrap(), [b"two".to_vec(), b"three".to_vec()]);
    let mut outbox = open(&folder);
    assert_eq!(waiting(&outbox), [b"two".as_slice(), b"three"]);
    outbox.push(b"four").unwrap();
    outbox.acknowledge().unwrap();
    assert_eq!((outbox.first(), outbox.last()), (Some(&b"three"[..]), Some(&b"four"[..])));
}

#[test]
fn a_crash_at_any_byte_leaves_what_was_synced() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox.push(b"kept").unwrap();
    let [log, mark] = state(&folder).map(Option::unwrap);
    outbox.push(b"in flight").unwrap();
    drop(outbox);
    let [whole, later] = state(&folder).map(Option::unwrap);
    assert_ne!(mark, later);
    for cut in log.len()..whole.len() {
        // The mark is not synced: it may be there or not, and never of what nobody was told of.
        for mark in [None, Some(&mark[..]), Some(&mark[..9]), Some(&[0; 16])] {
            put(&folder, &whole[..cut], mark);
            let mut outbox = open(&folder);
            assert_eq!(waiting(&outbox), [b"kept"], "cut at {cut}");
            assert_eq!(outbox.torn(), (cut - log.len()) as u64);
            outbox.push(b"after").unwrap();
            drop(outbox);
            assert_eq!(waiting(&open(&folder)), [b"kept".as_slice(), b"after"]);
        }
        // The length of a file may be there before its bytes.
        let mut zeros = whole[..cut].to_vec();
        zeros.resize(whole.len(), 0);
        put(&folder, &zeros, Some(&mark));
        assert_eq!(waiting(&open(&folder)), [b"kept"], "zeros from {cut}");
    }
}

#[test]
fn what_was_reported_as_kept_is_never_dropped_silently() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox.push(b"one").unwrap();
    let first = std::fs::read(log(&folder)).unwrap().len();
    outbox.push(b"two").unwrap();
    drop(outbox);
    let [whole, mark] = state(&folder).map(Option::unwrap);
    let is_told = |spoilt: &[u8], place: usize| {
        put(&folder, spoilt, Some(&mark));
        for error in [
            Outbox::open(folder.path(), Outbox::LIMIT).unwrap_err(),
            Outbox::peek(folder.path()).unwrap_err(),
        ] {
            assert!(matches!(error, OutboxError::Damaged { at, .. } if at == place), "{error}");
        }
        assert_eq!(std::fs::read(log(&folder)).unwrap(), spoilt, "nothing was cut off");
    };
    for at in first..whole.len() {
        let mut spoilt = whole.clone();
        spoilt[at] ^= 1;
        is_told(&spoilt, first);
        is_told(&whole[..at], first);
    }
    is_told(&[], 0);
    std::fs::remove_file(log(&folder)).unwrap();
    let lost = Outbox::open(folder.path(), Outbox::LIMIT).unwrap_err();
    assert!(matches!(lost, OutboxError::Damaged { at: 0, .. }), "{lost}");
    // What is put aside is whole, and another takes its place.
    put(&folder, &whole[..first], Some(&mark));
    let boxes = tempfile::tempdir().unwrap();
    let place = boxes.path().join("outbox");
    std::fs::rename(folder.path(), &place).unwrap();
    let aside = Outbox::put_aside(&place).unwrap();
    assert_eq!(std::fs::read(aside.join("log")).unwrap(), &whole[..first]);
    assert!(Outbox::open(&place, Outbox::LIMIT).unwrap().is_empty());
}

#[test]
fn a_log_that_gets_shorter_keeps_its_promise() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox.push(b"one").unwrap();
    outbox.push(b"two").unwrap();
    outbox.acknowledge().unwrap();
    outbox.compact().unwrap();
    drop(outbox);
    assert_eq!(waiting(&open(&folder)), [b"two"]);
    let mut spoilt = std::fs::read(log(&folder)).unwrap();
    *spoilt.last_mut().unwrap() ^= 1;
    std::fs::write(log(&folder), &spoilt).unwrap();
    let error = Outbox::open(folder.path(), Outbox::LIMIT).unwrap_err();
    assert!(matches!(error, OutboxError::Damaged { at: 0, .. }), "{error}");
}

#[test]
fn damage_before_the_end_is_never_taken_for_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox.push(b"one").unwrap();
    let first = usize::try_from(std::fs::metadata(log(&folder)).unwrap().len()).unwrap();
    outbox.push(b"two").unwrap();
    drop(outbox);
    let whole = std::fs::read(log(&folder)).unwrap();
    for at in 0..first {
        let mut spoilt = whole.clone();
        spoilt[at] ^= 1;
        std::fs::write(log(&folder), &spoilt).unwrap();
        let error = Outbox::open(folder.path(), Outbox::LIMIT).unwrap_err();
        assert!(matches!(error, OutboxError::Damaged { at: 0, .. }), "{at}: {error}");
        assert_eq!(std::fs::read(log(&folder)).unwrap(), spoilt, "nothing was cut off");
    }
    let arrived = Frame { kind: Kind::Arrived, body: &[] }.encode();
    std::fs::write(log(&folder), arrived).unwrap();
    assert!(matches!(Outbox::peek(folder.path()), Err(OutboxError::Damaged { at: 0, .. })));
}

#[test]
fn it_is_bounded_in_what_waits_and_in_what_it_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), 100_000).unwrap();
    let statement = vec![7; 40_000];
    outbox.push(&statement).unwrap();
    outbox.push(&statement).unwrap();
    assert!(matches!(outbox.push(&statement), Err(OutboxError::Full { waiting: 2, .. })));
    assert!(matches!(outbox.push(&[]), Err(OutboxError::TooLong { .. })));
    let long = vec![0; limits::STATEMENT + 1];
    assert!(matches!(outbox.push(&long), Err(OutboxError::TooLong { .. })));
    for _ in 0..20 {
        outbox.acknowledge().unwrap();
        outbox.push(&statement).unwrap();
        let length = std::fs::metadata(log(&folder)).unwrap().len();
        assert!(length < COMPACT + 90_000, "{length}");
    }
    drop(outbox);
    assert_eq!(waiting(&open(&folder)), [&statement[..], &statement[..]]);
}

#[test]
fn one_process_has_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = open(&folder);
    let second = Outbox::open(folder.path(), Outbox::LIMIT);
    assert!(matches!(second, Err(OutboxError::InUse { .. })));
    drop(outbox);
    open(&folder);
}

#[test]
fn what_could_not_be_written_is_not_there_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox.push(b"one").unwrap();
    // A file that takes nothing: it is open for reading.
    outbox.file = File::open(log(&folder)).unwrap();
    assert!(matches!(outbox.push(b"two"), Err(OutboxError::File { .. })));
    assert_eq!(waiting(&outbox), [b"one"]);
    assert!(outbox.acknowledge().is_err(), "what the disk does not know did not happen");
    drop(outbox);
    let mut file = OpenOptions::new().append(true).open(log(&folder)).unwrap();
    file.write_all(b"\0\0").unwrap();
    let mut outbox = open(&folder);
    outbox.discard().unwrap();
    assert!(outbox.is_empty() && open_later(outbox, &folder).is_empty());
}

#[test]
fn what_is_not_meant_is_forgotten_and_the_rest_waits_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    for statement in [b"a1".as_slice(), b"b1", b"a2", b"b2"] {
        outbox.push(statement).unwrap();
    }
    outbox.retain(|statement| statement.starts_with(b"b")).unwrap();
    assert_eq!(outbox.waiting().collect::<Vec<_>>(), [b"b1", b"b2"]);
    outbox.push(b"a3").unwrap();
    assert_eq!(waiting(&open_later(outbox, &folder)), [b"b1", b"b2", b"a3"]);
}

fn open_later(outbox: Outbox, folder: &tempfile::TempDir) -> Outbox {
    drop(outbox);
    open(folder)
}
