//! How far commands are, for whoever waits at a terminal, and for nobody else.

use super::desk::Desk;
use super::node::Node;
use touchmark_node::cli::Exit;

/// What is run, and what is shown meanwhile; `N` differs each time.
const WITH_A_NODE: &[(&str, &str)] = &[
    ("center import t.csv --as acme", "row 1 of 1"),
    ("center follow --of acme --restart", "leaf 1 of "),
    ("center export --of acme", "reading the directory, 0 s"),
    ("proof fetch --record 1 --out p.tmb", "the node collects the proof, 0 s"),
    ("verify p.tmb --trust TRUST", "checking p.tmb, 0 s"),
];
const WITHOUT: &[(&str, &str)] = &[
    ("node backup --data data --to backup-N", "copying the ledger, 0 s"),
    ("node verify-backup backup-1", "checked megabyte 0 of 0"),
    ("node restore backup-1 --data copy-N", "checked megabyte 0 of 0"),
    ("node rebuild --data copy-1", "batch 1 of "),
];

#[test]
fn whoever_waits_at_a_terminal_sees_how_far_it_is_and_nobody_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(folder.path());
    let mut desk = Desk::at(&node);
    desk.json("center create acme --unencrypted");
    desk.json("center key k1 --unencrypted");
    desk.write("t.csv", "serial,key\nC-1,k1\n");
    let trust = node.network().to_string();
    for (line, shown) in WITH_A_NODE {
        compare(&mut desk, &line.replace("TRUST", &trust), shown);
    }
    node.kill();
    std::fs::rename(folder.path().join("data"), desk.path("data")).unwrap();
    for (line, shown) in WITHOUT {
        compare(&mut desk, line, shown);
    }
}

fn compare(desk: &mut Desk, line: &str, shown: &str) {
    let numbered = |number| line.replace('N', number);
    let piped = desk.run(&numbered("1"));
    let read_by_a_program = desk.run_watched(&format!("{} --json", numbered("2")));
    let watched = desk.run_watched(&numbered("3"));
    for ended in [&piped, &read_by_a_program, &watched] {
        assert_eq!(ended.exit, Exit::Fine, "{line}: {ended:?}");
        assert!(!ended.stdout.contains('\r'), "{line}: {ended:?}");
    }
    for ended in [&piped, &read_by_a_program] {
        assert!(!ended.stderr.contains('\r'), "{line}: {ended:?}");
    }
    let (before, after) = watched.stderr.split_once(shown).unwrap_or_else(|| {
        panic!("{line} does not show `{shown}`: {watched:?}");
    });
    assert!(before.starts_with("\r\x1b[K"), "{line}: {watched:?}");
    // What stays is what whoever reads a pipe sees, too.
    let stays = after.rsplit_once("\r\x1b[K").map(|(_, stays)| stays);
    assert_eq!(stays, Some(piped.stderr.as_str()), "{line}");
}
