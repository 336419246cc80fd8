//! A mirror has what the network certified, and reads only what is new.

use super::desk::Desk;
use super::log::{Log, network};
use super::node::Node;
use super::site::Site;
use super::splitting::write;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use touchmark_node::cli::Exit;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn tiles(served: &[String]) -> usize {
    served.iter().filter(|path| path.starts_with("tile/entries/")).count()
}

#[test]
fn a_mirror_of_a_mirror_reads_what_is_new_and_serves_all_of_it() {
    let node = Node::start_new();
    let mut desk = Desk::at(&node);
    let trust = format!("--trust {}", node.network());
    write(&node, 600);
    let first = desk.json(&format!("mirror {} --to one {trust}", node.url()));
    assert_eq!((first["from"].as_u64(), &first["copied"]), (Some(0), &first["size"]));
    let site = Site::serve(&desk.path("one"));
    desk.json(&format!("mirror {} --to two {trust}", site.url()));
    site.served();
    let old = fs::read(desk.path("one/checkpoint")).unwrap();

    write(&node, 300);
    let more = desk.json(&format!("mirror {} --to one {trust}", node.url()));
    assert_eq!(more["from"], first["size"]);
    let bundles = |size: &serde_json::Value| size.as_u64().unwrap() / 256;
    desk.json(&format!("mirror {} --to two {trust}", site.url()));
    let new = (bundles(&more["size"]) - bundles(&first["size"]) + 1) as usize;
    assert_eq!(tiles(&site.served()), new, "no bundle twice");
    desk.json(&format!("mirror {} --to two {trust}", site.url()));
    assert_eq!(tiles(&site.served()), 0);
    for file in ["checkpoint", "genesis.cbor", "tile/0/000", "tile/entries/001", "tile/0/002"] {
        let copy = |name: &str| fs::read(desk.path(name).join(file)).unwrap();
        assert_eq!(copy("one"), copy("two"), "{file}");
    }

    // Whoever has read the checkpoint before finds all that it speaks of.
    fs::write(desk.path("one/checkpoint"), old).unwrap();
    let old = desk.json(&format!("mirror {} --to three {trust}", site.url()));
    assert_eq!(old["size"], first["size"]);
}

#[test]
fn a_run_that_is_cut_off_shows_nothing_and_goes_on() {
    let node = Node::start_new();
    let mut desk = Desk::at(&node);
    let trust = format!("--trust {}", node.network());
    write(&node, 1_100);
    desk.json(&format!("mirror {} --to one {trust}", node.url()));
    let site = Site::serve(&desk.path("one"));
    let line = format!("mirror {} --to two {trust}", site.url());
    site.end_after(Some(9));
    let (exit, error) = desk.error(&line);
    assert_eq!(exit, Exit::Unavailable, "{error}");
    let before = tiles(&site.served());
    assert!(before > 1 && !desk.path("two/checkpoint").exists());
    site.end_after(None);
    desk.json(&line);
    let after = tiles(&site.served());
    assert_eq!(before + after, 5, "1,100 records and more stand in five bundles");
    desk.json(&format!("audit two {trust}"));
}

#[test]
fn a_mirror_that_keeps_running_follows_until_it_is_asked_to_end() {
    let node = Node::start_new();
    write(&node, 3);
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Command::new(env!("CARGO_BIN_EXE_touchmark"))
        .args(["mirror", &node.url(), "--to", "copy", "--every", "1", "--json"])
        .args(["--trust", &node.network().to_string()])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(mirror.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let first: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(first["copied"], first["size"], "it answers when the first copy is there");
    write(&node, 3);
    let (size, limit) = (node.client().network().unwrap().size, Instant::now());
    let proof = folder.path().join(format!("copy/proof/{size}.tmb"));
    while !proof.exists() {
        assert!(limit.elapsed() < Duration::from_secs(30), "it does not follow");
        std::thread::sleep(Duration::from_millis(50));
    }
    let end = Command::new("kill").arg(mirror.id().to_string()).status().unwrap();
    assert!(end.success() && mirror.wait().unwrap().success());
}

/// Whatever byte is wrong, nothing of it comes into the copy.
#[test]
fn what_is_not_certified_is_not_copied() {
    let mut desk = Desk::new();
    let source = desk.path("source");
    Log::honest().show(&source);
    let site = Site::serve(&source);
    let copies = ["tile/entries/000.p/9", "tile/0/000.p/9", "checkpoint", "proof/9.tmb"];
    for (n, name) in copies.into_iter().enumerate() {
        let whole = fs::read(source.join(name)).unwrap();
        for at in (0..whole.len()).step_by(whole.len() / 7) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(source.join(name), &changed).unwrap();
            let to = format!("copy-{n}-{at}");
            let (exit, error) =
                desk.error(&format!("mirror {} --to {to} --trust {}", site.url(), network()));
            assert_eq!(exit, Exit::Refused, "{name} at {at}: {error}");
            let known = ["TM-LOG-FALSE", "TM-NOT-PROVED"].map(Into::into);
            assert!(known.contains(&error["code"]), "{name} at {at}: {error}");
            let left = files(&desk.path(&to));
            assert!(left.iter().all(|file| file.ends_with("lock")), "{name} at {at}: {left:?}");
        }
        fs::write(source.join(name), whole).unwrap();
    }
    desk.json(&format!("mirror {} --to copy --trust {}", site.url(), network()));
}

/// Leaves and hashes that fit each other, under a checkpoint that was cosigned: only the root that
/// the network certified is another one.
#[test]
fn a_log_that_agrees_with_itself_is_not_copied_for_that() {
    let mut desk = Desk::new();
    let (honest, other) = (desk.path("honest"), desk.path("other"));
    let log = Log::honest();
    log.show(&honest);
    log.with(3, |_| log.0[5].clone()).show(&other);
    for (name, to, code) in [
        ("tile/entries/000.p/9 tile/0/000.p/9", "tiles", "TM-LOG-FALSE"),
        ("checkpoint", "checkpoint", "TM-NOT-PROVED"),
        ("proof/9.tmb", "proof", "TM-NOT-PROVED"),
    ] {
        log.show(&honest);
        for name in name.split(' ') {
            fs::copy(other.join(name), honest.join(name)).unwrap();
        }
        let error = desk.error(&format!("mirror honest --to {to} --trust {}", network())).1;
        assert_eq!(error["code"], code, "{name}: {error}");
        assert!(!desk.path(to).join("checkpoint").exists());
    }
    desk.json(&format!("mirror other --to whole --trust {}", network()));
}

#[test]
fn the_network_is_that_which_is_trusted_or_stood_in_the_folder() {
    let (node, other) = (Node::start_new(), Node::start_new());
    let mut desk = Desk::new();
    let refused = |desk: &mut Desk, line: String| desk.error(&line).1["code"].clone();
    let empty = refused(&mut desk, format!("mirror {} --to copy", node.url()));
    assert_eq!(empty, "TM-ANSWER", "there is nothing in the log");
    write(&node, 1);
    write(&other, 1);
    let trust = other.network();
    let line = format!("mirror {} --to copy --trust {trust}", node.url());
    assert_eq!(refused(&mut desk, line), "TM-WRONG-NETWORK");
    let first = desk.json(&format!("mirror {} --to copy", node.url()));
    assert_eq!(first["trusted"], false, "it is the node's word");
    let again = desk.json(&format!("mirror {} --to copy", node.url()));
    assert_eq!(again["trusted"], true, "the folder says which network it is of");
    let line = format!("mirror {} --to copy", other.url());
    assert_eq!(refused(&mut desk, line), "TM-WRONG-NETWORK");
}
