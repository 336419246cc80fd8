use super::*;

fn open(folder: &tempfile::TempDir) -> Outbox {
    Outbox::open(folder.path(), Outbox::LIMIT).unwrap()
}

fn log(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("log")
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
    let kept = std::fs::metadata(log(&folder)).unwrap().len();
    outbox.push(b"in flight").unwrap();
    drop(outbox);
    let whole = std::fs::read(log(&folder)).unwrap();
    for cut in usize::try_from(kept).unwrap()..whole.len() {
        std::fs::write(log(&folder), &whole[..cut]).unwrap();
        let mut outbox = open(&folder);
        assert_eq!(waiting(&outbox), [b"kept"], "cut at {cut}");
        outbox.push(b"after").unwrap();
        drop(outbox);
        assert_eq!(waiting(&open(&folder)), [b"kept".as_slice(), b"after"]);
        // The length of a file may be there before its bytes.
        let mut zeros = whole[..cut].to_vec();
        zeros.resize(whole.len(), 0);
        std::fs::write(log(&folder), &zeros).unwrap();
        assert_eq!(waiting(&open(&folder)), [b"kept"], "zeros from {cut}");
    }
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

fn open_later(outbox: Outbox, folder: &tempfile::TempDir) -> Outbox {
    drop(outbox);
    open(folder)
}
