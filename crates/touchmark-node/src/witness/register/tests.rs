use super::*;
use std::thread;
use touchmark_testkit::log::View;

const ORIGIN: &str = "log.example/one";
const NAME: &str = "witness.example/w";
const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn log_key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_seed(Algorithm::Ed25519, &[seed; 32]).unwrap()
}

fn vkey(origin: &str, seed: u8) -> String {
    let key = log_key(seed).public_key().clone();
    NoteKey::new(touchmark_wire::certificate::NoteKeyKind::Log, origin, key).unwrap().to_string()
}

/// A witness of the log with the first key.
fn register(folder: &Path) -> Register {
    let register = Register::in_folder(folder);
    register.begin(NAME).unwrap();
    register.add_log(ORIGIN, &vkey(ORIGIN, 1)).unwrap();
    register
}

/// What the log asks.
fn ask(register: &Register, view: &View, old: u64) -> Result<String, WitnessError> {
    register.cosign(view.submission(ORIGIN, &log_key(1), old).as_bytes(), NOW)
}

fn refusal(answer: Result<String, WitnessError>) -> Refusal {
    match answer {
        Err(WitnessError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_cosigned_is_kept_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let register = register(folder.path());
    let view = View::new(5);
    let line = ask(&register, &view, 0).unwrap();
    let known = register.witness().unwrap();
    assert_eq!(known.logs[0].cosigned, Some((TreeSize(5), NOW.0 / 1_000)));
    let cosigner = NoteKey::parse(&known.vkey).and_then(Cosigner::try_from).unwrap();
    let text = format!("{}{line}", view.note(ORIGIN, &log_key(1)));
    let note = SignedCheckpoint::parse(text.as_bytes()).unwrap();
    assert_eq!(cosigner.verify(&note, &FastVerifier), Ok(CosignatureTime(NOW.0 / 1_000)));
    let hash = Digest::of(&[ORIGIN.as_bytes()]).to_string();
    assert_eq!(register.checkpoint(&hash).unwrap().as_deref(), Some(&*text));
    for other in [hash.to_uppercase(), Digest::of(&[b"other"]).to_string(), String::new()] {
        assert_eq!(register.checkpoint(&other).unwrap(), None);
    }
}

#[test]
fn a_second_view_is_refused_also_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    ask(&register(folder.path()), &View::new(5), 0).unwrap();
    let register = Register::in_folder(folder.path());
    let other = View::forked(5, 4);
    assert_eq!(refusal(ask(&register, &other, 0)), Refusal::OtherSize(TreeSize(5)));
    assert!(matches!(refusal(ask(&register, &other, 5)), Refusal::Inconsistent(_)));
    assert!(matches!(refusal(ask(&register, &View::forked(9, 4), 5)), Refusal::Inconsistent(_)));
    assert_eq!(refusal(ask(&register, &View::new(4), 4)), Refusal::OtherSize(TreeSize(5)));
    ask(&register, &View::new(9), 5).unwrap();
}

#[test]
fn of_views_at_the_same_moment_one_is_cosigned() {
    for _ in 0..16 {
        let folder = tempfile::tempdir().unwrap();
        let register = register(folder.path());
        ask(&register, &View::new(3), 0).unwrap();
        // Both continue what was cosigned.
        let views = (0..4).flat_map(|_| [View::new(4), View::forked(4, 3)]).collect::<Vec<_>>();
        let cosigned: Vec<View> = thread::scope(|scope| {
            let ask = |view: &View| {
                let (register, view) = (register.clone(), view.clone());
                scope.spawn(move || ask(&register, &view, 3).ok().map(|_| view))
            };
            let asked: Vec<_> = views.iter().map(ask).collect();
            asked.into_iter().filter_map(|it| it.join().unwrap()).collect()
        });
        assert!(!cosigned.is_empty());
        assert!(cosigned.iter().all(|view| *view == cosigned[0]), "{cosigned:?}");
    }
}

#[test]
fn what_is_witnessed_no_more_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let register = register(folder.path());
    ask(&register, &View::new(5), 0).unwrap();
    register.remove_log(ORIGIN).unwrap();
    assert!(matches!(register.remove_log(ORIGIN), Err(WitnessError::NoLog(_))));
    assert_eq!(refusal(ask(&register, &View::new(6), 5)), Refusal::UnknownLog);
    register.add_log(ORIGIN, &vkey(ORIGIN, 1)).unwrap();
    assert_eq!(refusal(ask(&register, &View::forked(6, 0), 0)), Refusal::OtherSize(TreeSize(5)));
    ask(&register, &View::new(6), 5).unwrap();
}

#[test]
fn a_log_changes_its_key_while_both_are_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let register = register(folder.path());
    ask(&register, &View::new(5), 0).unwrap();
    let by_second = View::new(6).submission(ORIGIN, &log_key(2), 5);
    let answer = register.cosign(by_second.as_bytes(), NOW);
    assert!(matches!(refusal(answer), Refusal::Untrusted(_)));
    register.add_log(ORIGIN, &vkey(ORIGIN, 2)).unwrap();
    register.cosign(by_second.as_bytes(), NOW).unwrap();
    for more in 3..=4 {
        register.add_log(ORIGIN, &vkey(ORIGIN, more)).unwrap();
    }
    assert!(matches!(register.add_log(ORIGIN, &vkey(ORIGIN, 5)), Err(WitnessError::TooMany)));
    register.add_log(ORIGIN, &vkey(ORIGIN, 4)).unwrap();
    assert_eq!(register.witness().unwrap().logs[0].keys.len(), KEYS);
}

#[test]
fn time_does_not_go_back_and_is_never_zero() {
    let folder = tempfile::tempdir().unwrap();
    let register = register(folder.path());
    let at = |view: &View, old, time| {
        let body = view.submission(ORIGIN, &log_key(1), old);
        register.cosign(body.as_bytes(), time)
    };
    let unset = Timestamp(999);
    assert!(matches!(at(&View::new(5), 0, unset), Err(WitnessError::Clock)));
    assert_eq!(register.witness().unwrap().logs[0].cosigned, None);
    ask(&register, &View::new(5), 0).unwrap();
    // A clock that goes wrong by more than a day is not waited for.
    let day = AHEAD * 1_000;
    for time in [unset, Timestamp(NOW.0 - day - 1_000)] {
        assert!(matches!(at(&View::new(6), 5, time), Err(WitnessError::Clock)), "{time:?}");
    }
    at(&View::new(6), 5, Timestamp(NOW.0 - day)).unwrap();
    let cosigned = register.witness().unwrap().logs[0].cosigned;
    assert_eq!(cosigned, Some((TreeSize(6), NOW.0 / 1_000)));
}

#[test]
fn who_is_no_witness_keeps_nothing_and_a_damaged_one_signs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let none = Register::in_folder(folder.path());
    assert!(matches!(ask(&none, &View::new(5), 0), Err(WitnessError::None)));
    assert!(matches!(none.add_log(ORIGIN, &vkey(ORIGIN, 1)), Err(WitnessError::None)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let register = register(folder.path());
    assert!(matches!(register.begin("other"), Err(WitnessError::Exists(_))));
    assert!(matches!(register.add_log(ORIGIN, NAME), Err(WitnessError::Key(_))));
    ask(&register, &View::new(5), 0).unwrap();
    let path = folder.path().join(FILE);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for path in [&path, &path.with_extension("lock")] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o077, 0);
        }
    }
    let mut bytes = fs::read(&path).unwrap();
    bytes.pop();
    fs::write(&path, bytes).unwrap();
    assert!(matches!(ask(&register, &View::new(6), 5), Err(WitnessError::Damaged { .. })));
    assert!(matches!(register.begin("other"), Err(WitnessError::Damaged { .. })));
}

#[test]
fn the_longest_file_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let register = Register::in_folder(folder.path());
    register.begin(&"w".repeat(128)).unwrap();
    // What the longest entries take, without signing each of them.
    let mut state = register.read().unwrap().unwrap();
    for n in 0..LOGS {
        let origin = format!("{n:0>128}");
        let keys: Vec<String> = (1..=4).map(|seed| vkey(&origin, seed)).collect();
        let note = "x".repeat(128 + 20 + 44 + 3 + 1_024 + 1 + 5 * 250);
        let Tree { size, root } = Tree::empty();
        state.logs.push(Entry { origin, keys, size, root, time: 1 << 40, note });
    }
    register.write(&codec::encode(&state)).unwrap();
    assert_eq!(register.witness().unwrap().logs.len(), LOGS);
    assert!(matches!(register.add_log(ORIGIN, &vkey(ORIGIN, 1)), Err(WitnessError::TooMany)));
}

#[test]
fn the_same_in_the_same_second_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let register = register(folder.path());
    let first = ask(&register, &View::new(5), 0).unwrap();
    // A file that is written is another one.
    let path = folder.path().join(FILE);
    let linked = folder.path().join("linked");
    fs::hard_link(&path, &linked).unwrap();
    let is_rewritten = || {
        let mut file = fs::OpenOptions::new().append(true).open(&linked).unwrap();
        io::Write::write_all(&mut file, b"x").unwrap();
        let same = fs::read(&path).unwrap() == fs::read(&linked).unwrap();
        file.set_len(fs::metadata(&linked).unwrap().len() - 1).unwrap();
        !same
    };
    assert_eq!(ask(&register, &View::new(5), 5).unwrap(), first);
    assert!(!is_rewritten());
    let later = View::new(5).submission(ORIGIN, &log_key(1), 5);
    let later = register.cosign(later.as_bytes(), Timestamp(NOW.0 + 1_000)).unwrap();
    assert_ne!(later, first);
    assert!(is_rewritten());
}

#[test]
fn what_is_no_log_is_not_added() {
    let folder = tempfile::tempdir().unwrap();
    let register = register(folder.path());
    let cosigner = Cosigner::new(ORIGIN, log_key(3).public_key().clone()).unwrap();
    let added = register.add_log(ORIGIN, &cosigner.note_key().to_string());
    assert!(matches!(added, Err(WitnessError::NotLog(_))));
    for origin in ["", "two\nlines", &"x".repeat(129)] {
        let added = register.add_log(origin, &vkey(ORIGIN, 1));
        assert!(matches!(added, Err(WitnessError::Malformed(NoteError::Origin))), "{origin:?}");
    }
    // One key is one, however its id is written.
    let known = vkey(ORIGIN, 1);
    let mut parts: Vec<String> = known.splitn(3, '+').map(Into::into).collect();
    parts[1] = parts[1].to_uppercase();
    register.add_log(ORIGIN, &parts.join("+")).unwrap();
    assert_eq!(register.witness().unwrap().logs[0].keys, [known]);
    // Nothing was cosigned, so there is nothing to remember.
    register.remove_log(ORIGIN).unwrap();
    assert_eq!(register.witness().unwrap().logs, []);
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let register = register(folder.path());
    let long = register.change(|state| {
        state.logs[0].note = "x".repeat(LIMIT);
        Ok(())
    });
    assert!(matches!(long, Err(WitnessError::Full)));
    assert_eq!(register.witness().unwrap().logs.len(), 1);
}

#[test]
fn whoever_has_the_turn_for_long_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let _turn = disk::wait_for_lock(&path, PATIENCE).unwrap();
    let error = disk::wait_for_lock(&path, Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[test]
fn names_of_two_witnesses_of_a_network_are_two() {
    let names = [(); 2].map(|()| {
        let folder = tempfile::tempdir().unwrap();
        let vkey = Register::in_folder(folder.path()).begin_at(ORIGIN).unwrap();
        NoteKey::parse(&vkey).unwrap().name().to_owned()
    });
    assert!(names.iter().all(|name| name.starts_with("log.example/one/witness-")), "{names:?}");
    assert_ne!(names[0], names[1]);
}
