use super::*;

fn name(text: &str) -> &OsStr {
    OsStr::new(text)
}

fn file(disk: &mut Contents, text: &str, content: &[u8]) -> Ino {
    let ino = disk.create(ROOT, name(text), Node::File(Vec::new())).unwrap();
    disk.write(ino, 0, content).unwrap();
    ino
}

fn content(disk: &Contents, text: &str) -> Option<Vec<u8>> {
    let ino = disk.lookup(ROOT, name(text)).ok()?;
    Some(disk.read(ino, 0, usize::MAX).unwrap().to_vec())
}

/// What is there after cuts of many seeds.
fn after_cuts(make: impl Fn() -> Contents, look: impl Fn(&Contents) -> String) -> Vec<String> {
    let mut seen: Vec<_> = (0..200)
        .map(|seed| {
            let mut disk = make();
            disk.cut(&mut Dice::new(seed));
            look(&disk)
        })
        .collect();
    seen.sort();
    seen.dedup();
    seen
}

#[test]
fn what_was_synced_is_there_whatever_luck_says() {
    let make = || {
        let mut disk = Contents::new();
        let ino = file(&mut disk, "a", b"first");
        disk.sync(ino).unwrap();
        disk.write(ino, 5, b" second").unwrap();
        disk
    };
    let seen = after_cuts(make, |disk| String::from_utf8(content(disk, "a").unwrap()).unwrap());
    assert!(seen.iter().all(|content| content.starts_with("first")), "{seen:?}");
    assert!(seen.contains(&"first".to_owned()) && seen.contains(&"first second".to_owned()));
    assert!(seen.contains(&"first sec".to_owned()), "no write was torn: {seen:?}");
}

#[test]
fn names_survive_in_their_order_and_for_certain_once_their_folder_is_synced() {
    let make = || {
        let mut disk = Contents::new();
        for text in ["a", "b", "c"] {
            file(&mut disk, text, b"");
        }
        disk
    };
    let names = |disk: &Contents| {
        let names: Vec<_> =
            disk.folder(ROOT).unwrap().keys().map(|name| name.to_str().unwrap()).collect();
        names.concat()
    };
    assert_eq!(after_cuts(make, names), ["", "a", "ab", "abc"]);
    let synced = || {
        let mut disk = make();
        disk.sync(ROOT).unwrap();
        disk
    };
    assert_eq!(after_cuts(synced, names), ["abc"]);
}

#[test]
fn a_file_that_is_renamed_without_a_sync_may_be_the_old_one_or_empty() {
    let make = || {
        let mut disk = Contents::new();
        let old = file(&mut disk, "a", b"old");
        disk.sync(old).unwrap();
        file(&mut disk, "new", b"new");
        disk.rename((ROOT, name("new")), (ROOT, name("a"))).unwrap();
        disk
    };
    let seen = after_cuts(make, |disk| String::from_utf8(content(disk, "a").unwrap()).unwrap());
    for expected in ["old", "new", ""] {
        assert!(seen.contains(&expected.to_owned()), "{seen:?}");
    }
}

#[test]
fn a_disk_that_lies_keeps_nothing_and_says_that_it_does() {
    let make = || {
        let mut disk = Contents::new();
        disk.mood = Mood::Lying;
        let ino = file(&mut disk, "a", b"x");
        disk.sync(ino).unwrap();
        disk.sync(ROOT).unwrap();
        disk
    };
    let seen = after_cuts(make, |disk| format!("{:?}", content(disk, "a")));
    assert!(seen.contains(&"None".to_owned()));
}

#[test]
fn after_a_sync_that_failed_the_next_one_saves_nothing() {
    let mut disk = Contents::new();
    let ino = file(&mut disk, "a", b"kept");
    disk.sync(ino).unwrap();
    disk.write(ino, 0, b"lost").unwrap();
    disk.mood = Mood::FailingSync;
    assert_eq!(disk.sync(ino), Err(Refusal::Broken));
    disk.mood = Mood::Well;
    assert_eq!(disk.sync(ino), Ok(()));
    assert_eq!(content(&disk, "a").unwrap(), b"lost", "processes still see it");
    disk.cut(&mut Dice::new(1));
    assert_eq!(content(&disk, "a").unwrap(), b"kept");
}

#[test]
fn a_full_disk_takes_nothing_and_gives_everything() {
    let mut disk = Contents::new();
    let ino = file(&mut disk, "a", b"here");
    disk.mood = Mood::Full;
    assert_eq!(disk.write(ino, 4, b"more"), Err(Refusal::Full));
    assert_eq!(disk.create(ROOT, name("b"), Node::Socket), Err(Refusal::Full));
    assert_eq!(content(&disk, "a").unwrap(), b"here");
    assert_eq!(disk.remove(ROOT, name("a")), Ok(()));
}
