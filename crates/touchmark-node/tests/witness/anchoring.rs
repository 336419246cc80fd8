//! Checkpoints of one network's log, recorded in another.

use crate::Party;
use crate::desk::Desk;
use crate::node::Node;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use touchmark_api::Base64;
use touchmark_node::cli::Exit;
use touchmark_wire::bundle::{Anchor, Bundle, Claim, Hashes};
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::ids::TreeSize;

/// A thing that nobody registers.
const NOBODY: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A log, and a network in which somebody records it.
struct Story {
    log: Party,
    other: Party,
    /// `NETWORK:THING`
    anchor: String,
}

impl Story {
    /// The log's checkpoint is recorded once.
    fn new() -> Self {
        let (log, mut other) = (Party::new(), Party::new());
        other.desk.json("identity create recorder --unencrypted");
        let mut story = Self { log, other, anchor: String::new() };
        let done = story.record();
        assert_eq!(done["recorded"], 1, "{done}");
        done["anchor"].as_str().unwrap().clone_into(&mut story.anchor);
        story.log.desk.json("network show --genesis genesis");
        story
    }

    fn line(&self) -> String {
        let (at, network) = (self.log.site.address, self.log.site.network());
        format!("network anchor http://{at} --as recorder --count 1 --trust {network}")
    }

    /// Looks at the log, and records it if it has grown.
    fn record(&mut self) -> Value {
        let line = self.line();
        self.other.desk.json(&line)
    }

    /// The log's node looks for the last record, and says what it has.
    fn renew(&self) -> Value {
        let source = format!("http://{} {}", self.other.site.address, self.anchor);
        self.log.site.node.renew_anchor(&source.parse().unwrap());
        self.log.site.get("/v1/node").json()["anchor"].clone()
    }

    fn size(&self) -> u64 {
        self.log.site.node.store.snapshot().size().0
    }

    /// A proof of this log, as a file.
    fn fetch(&mut self, file: &str, options: &str) -> Vec<u8> {
        self.log.desk.json(&format!("proof fetch --absent {NOBODY} --out {file} {options}"));
        std::fs::read(self.log.desk.path(file)).unwrap()
    }

    /// How the command ends, and the result and code of a check of its verdict.
    fn verify(&mut self, check: &str, line: &str) -> (Exit, Value, Value) {
        let ended = self.log.desk.run(&format!("verify --trust genesis {line} --json"));
        let document = ended.document();
        let found = document["checks"].as_array().unwrap().iter().find(|it| it["name"] == check);
        let found = found.unwrap_or_else(|| panic!("{document}"));
        (ended.exit, found["result"].clone(), found["code"].clone())
    }

    /// A bundle of what the recorder said last.
    fn last_word(&mut self) -> Vec<u8> {
        let leaf = self.other.site.node.store.snapshot().size().0 - 2;
        let desk = &mut self.other.desk;
        desk.json(&format!("proof fetch --record {leaf} --latest {leaf} --out last"));
        std::fs::read(desk.path("last")).unwrap()
    }

    /// The log's checkpoint with other words in it, as a record of the recorder's.
    fn record_instead(&mut self, change: impl FnOnce(&mut [String])) {
        let note = String::from_utf8(self.log.site.get("/checkpoint").body).unwrap();
        let mut lines: Vec<String> = note.lines().map(ToOwned::to_owned).collect();
        change(&mut lines);
        self.other.desk.write("note", lines.join("\n") + "\n");
        self.other.desk.json("record write note --as recorder --format text");
    }
}

fn passed() -> (Exit, Value, Value) {
    (Exit::Fine, "pass".into(), Value::Null)
}

fn failed(code: &str) -> (Exit, Value, Value) {
    (Exit::Refused, "fail".into(), code.into())
}

#[test]
fn proofs_show_that_another_network_has_the_log() {
    let mut story = Story::new();
    // Nobody has looked for it yet.
    assert!(Bundle::decode(&story.fetch("before", "")).unwrap().anchor.is_none());
    let recorded = story.size();
    let view = story.renew();
    assert_eq!((&view["size"], &view["problem"]), (&recorded.into(), &Value::Null), "{view}");
    assert_eq!(
        format!("{}:{}", view["network"].as_str().unwrap(), view["by"].as_str().unwrap()),
        story.anchor
    );
    story.log.grow();
    story.fetch("proof", "");
    let anchor = story.anchor.clone();
    let (network, thing) = anchor.split_once(':').unwrap();
    assert_eq!(story.verify("anchor", &format!("proof --anchor {anchor}")), passed());
    assert_eq!(story.verify("anchor", &format!("proof --anchor {network}")), passed());
    let answer = story.log.desk.json(&format!("verify proof --trust genesis --anchor {network}"));
    assert_eq!(
        (&answer["anchored"]["size"], &answer["anchored"]["leaf"]),
        (&recorded.into(), &view["leaf"])
    );
    // Who asks for no anchor is told of it, and needs none.
    let unasked = (Exit::Fine, "not-applicable".into(), Value::Null);
    assert_eq!(story.verify("anchor", "proof"), unasked);
    let none = failed("TM-NOT-ANCHORED");
    let own = story.log.site.network();
    for line in [
        format!("proof --anchor {own}"),
        format!("proof --anchor {own}:{thing}"),
        format!("proof --anchor {network}:{NOBODY}"),
        format!("before --anchor {anchor}"),
    ] {
        assert_eq!(story.verify("anchor", &line), none, "{line}");
    }
    story.fetch("bare", "--no-anchor");
    assert_eq!(story.verify("anchor", &format!("bare --anchor {anchor}")), none);
    story.log.desk.json("proof checkpoint --out note");
    assert_eq!(story.verify("anchor", &format!("note --anchor {anchor}")), none);
    // Of a log on cosignatures as well; the other network's word is on the engine's certificate.
    story.fetch("cosigned", "--certificate cosigned");
    for kind in ["any", "cosigned"] {
        let line = format!("cosigned --anchor {anchor} --certificate {kind}");
        assert_eq!(story.verify("anchor", &line), passed());
    }
    // What is newer than the record is not covered by it.
    let last = story.size() - 1;
    story.log.desk.json(&format!("proof fetch --record {last} --out newer"));
    let unknown = (Exit::Refused, "unknown".into(), "TM-NOT-COVERED".into());
    assert_eq!(story.verify("anchor", &format!("newer --anchor {anchor}")), unknown);
    std::thread::sleep(Duration::from_millis(20));
    let grown = story.log.grow();
    story.log.desk.json(&format!("proof fetch --record 1 --continues {grown} --out late"));
    let line = format!("late --anchor {anchor} --anchor-age 1ms");
    assert_eq!(story.verify("anchor", &line), none);
    let (_, error) = story.log.desk.error("verify proof --anchor nothing");
    assert_eq!(error["code"], "TM-USAGE");
    let metrics = String::from_utf8(story.log.site.get("/metrics").body).unwrap();
    for (name, value) in [("leaves", recorded), ("failing", 0)] {
        assert!(metrics.contains(&format!("touchmark_anchor_{name} {value}\n")), "{metrics}");
    }
    // Who looks elsewhere has nothing until it finds something there.
    let source = format!("http://{} {network}:{NOBODY}", story.other.site.address);
    story.log.site.node.renew_anchor(&source.parse().unwrap());
    let view = story.log.site.get("/v1/node").json()["anchor"].clone();
    assert!(view["size"].is_null() && view["problem"].is_string(), "{view}");
    assert_eq!(story.renew()["size"], recorded);
    let shown = story.log.desk.run("network status");
    assert!(shown.stdout.contains(&anchor), "{}", shown.stdout);
    let shown = story.log.desk.run("inspect proof");
    assert!(shown.stdout.contains(network), "{}", shown.stdout);
}

#[test]
fn a_log_is_recorded_again_when_it_has_grown() {
    let mut story = Story::new();
    assert_eq!(story.record()["recorded"], 0);
    for _ in 0..3 {
        let size = story.log.grow();
        let done = story.record();
        assert_eq!((&done["recorded"], &done["size"]), (&1.into(), &size.into()), "{done}");
        let view = story.renew();
        assert_eq!((&view["size"], &view["leaf"]), (&size.into(), &done["position"]), "{view}");
    }
    // What was recorded has the log's own signatures.
    let size = story.record()["size"].as_u64().unwrap();
    let view = story.log.site.get("/v1/node").json()["anchor"].clone();
    let record = story.other.site.get(&format!("/v1/leaves/{}", view["leaf"])).json();
    let payload = Base64::parse(record["statement"]["payload"].as_str().unwrap()).unwrap().0;
    let note = SignedCheckpoint::parse(&payload).unwrap();
    assert_eq!(note.checkpoint().size, TreeSize(size));
    let origin = &story.log.site.node.genesis.origin;
    assert_eq!(note.checkpoint().origin(), origin);
}

#[test]
fn what_is_no_checkpoint_of_the_log_is_not_taken() {
    let mut story = Story::new();
    let kept = story.renew();
    let size = story.log.grow();
    let root = |lines: &mut [String]| lines[2] = "A".repeat(43) + "=";
    let ahead = |lines: &mut [String]| lines[1] = (size + 5).to_string();
    let origin = |lines: &mut [String]| lines[0] = "another.example".into();
    story.record_instead(origin);
    assert!(problem(&story.renew(), &kept).contains("another log"));
    story.record_instead(ahead);
    assert!(problem(&story.renew(), &kept).contains("lags"));
    assert!(!story.log.site.data().join("anchor.conflict.tmb").exists());
    story.record_instead(root);
    // Nobody of the log has signed that.
    assert!(problem(&story.renew(), &kept).contains("nothing of its validators"));
    assert!(!story.log.site.data().join("anchor.conflict.tmb").exists());
    let empty = |lines: &mut [String]| {
        lines[1] = "0".into();
        lines[2] = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".into();
    };
    story.record_instead(empty);
    assert!(problem(&story.renew(), &kept).contains("no checkpoint"));
    story.record_instead(root);
    let conflict = story.last_word();
    // Bundles go on with what was good, and with nothing else in its place.
    let proof = story.fetch("proof", "");
    let anchor = story.anchor.clone();
    assert_eq!(story.verify("anchor", &format!("proof --anchor {anchor}")), passed());
    let bundle = Bundle::decode(&proof).unwrap();
    let path = Hashes::NONE;
    let forged = Anchor { bundle: &conflict, path };
    story
        .log
        .desk
        .write("forged", Bundle { anchor: Some(forged), ..bundle.clone() }.encode_to_vec());
    let line = format!("forged --anchor {anchor}");
    assert_eq!(story.verify("anchor", &line), failed("TM-INCONSISTENT"));
    // Of the good one every hash of the path counts.
    let good = bundle.anchor.unwrap();
    let mut hashes: Vec<u8> = good.path.iter().flat_map(|hash| hash.0).collect();
    assert!(!hashes.is_empty());
    hashes[0] ^= 1;
    let forged = Anchor { path: Hashes::new(&hashes).unwrap(), ..good };
    story
        .log
        .desk
        .write("forged", Bundle { anchor: Some(forged), ..bundle.clone() }.encode_to_vec());
    assert_eq!(story.verify("anchor", &line), failed("TM-INCONSISTENT"));
    // A record that is not shown to be the last word says nothing of what came later.
    let mut inner = Bundle::decode(good.bundle).unwrap();
    inner.claims.retain(|claim| matches!(claim, Claim::Record(_)));
    let inner = inner.encode_to_vec();
    let forged = Anchor { bundle: &inner, ..good };
    story.log.desk.write("forged", Bundle { anchor: Some(forged), ..bundle }.encode_to_vec());
    assert_eq!(story.verify("anchor", &line), failed("TM-NOT-ANCHORED"));
    // Whoever records is told, too.
    let split = (Exit::Refused, Value::from("TM-LOG-SPLIT"));
    let refused = |story: &mut Story| {
        let line = story.line();
        let (exit, error) = story.other.desk.error(&line);
        (exit, error["code"].clone())
    };
    assert_eq!(refused(&mut story), split);
    // Another word than a checkpoint is none, and what was recorded before it still counts.
    story.other.desk.write("note", "hello");
    story.other.desk.json("record write note --as recorder --format text");
    assert!(problem(&story.renew(), &kept).contains("no checkpoint"));
    assert_eq!(refused(&mut story), split);
    // Who wants it goes on.
    let line = format!("{} --begin-anew", story.line());
    assert_eq!(story.other.desk.json(&line)["recorded"], 1);
    assert_eq!(story.renew()["size"], size);
    assert_eq!(story.record()["recorded"], 0);
    // Another log needs another identity, and a network does not record itself.
    story.record_instead(origin);
    assert_eq!(refused(&mut story), (Exit::Misuse, "TM-USAGE".into()));
    let at = story.other.site.address;
    let line = format!("network anchor http://{at} --as recorder --count 1");
    assert_eq!(story.other.desk.error(&line).1["code"], "TM-USAGE");
}

/// What is wrong; everything else is as it was.
fn problem(view: &Value, kept: &Value) -> String {
    assert_eq!((&view["size"], &view["leaf"]), (&kept["size"], &kept["leaf"]), "{view}");
    view["problem"].as_str().unwrap_or_else(|| panic!("{view}")).to_owned()
}

/// Two nodes with the same keys, each with a history of its own.
#[test]
fn a_log_with_two_histories_is_convicted() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut node = Node::start(one.path());
    node.kill();
    copy(&one.path().join("data"), &two.path().join("data"));
    let mut other = Party::new();
    other.desk.json("identity create recorder --unencrypted");
    let second = Node::start(two.path());
    Desk::at(&second).json("identity create second --unencrypted");
    let line = format!("network anchor {} --as recorder --count 1", second.url());
    let done = other.desk.json(&line);
    let source = format!("http://{} {}", other.site.address, done["anchor"].as_str().unwrap());
    let text = format!("[anchor]\nsource = \"{source}\"\ninterval = \"100ms\"\n");
    std::fs::write(one.path().join("data/touchmark.toml"), text).unwrap();
    node = Node::start(one.path());
    Desk::at(&node).json("identity create first --unencrypted");
    let problem = eventually(|| node.client().node().unwrap().anchor?.problem);
    let conflict = || std::fs::read(one.path().join("data/anchor.conflict.tmb")).ok();
    let conflict = eventually(conflict);
    let said = eventually(|| {
        node.client().node().unwrap().anchor?.problem.filter(|it| it.contains("two histories"))
    });
    println!("{problem}; {said}");
    // It is a proof for everybody, and no anchor.
    let mut desk = Desk::at(&node);
    desk.write("conflict", &conflict);
    desk.json(&format!("verify conflict --trust {}", other.site.network()));
    desk.json(&format!("proof fetch --absent {NOBODY} --out proof"));
    let proof = std::fs::read(desk.path("proof")).unwrap();
    assert!(Bundle::decode(&proof).unwrap().anchor.is_none());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What there is within half a minute.
fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < limit, "it does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_anchor_in_an_anchor_is_not_opened() {
    let mut story = Story::new();
    story.renew();
    let bytes = story.fetch("proof", "");
    let proof = Bundle::decode(&bytes).unwrap();
    let anchor = story.anchor.clone();
    let mut nested = bytes.clone();
    for _ in 0..200 {
        let inner = Anchor { path: Hashes::NONE, bundle: &nested };
        nested = Bundle { anchor: Some(inner), ..proof.clone() }.encode_to_vec();
    }
    story.log.desk.write("nested", &nested);
    let shown = story.log.desk.run("inspect nested");
    assert_eq!(shown.exit, Exit::Fine, "{shown:?}");
    assert!(shown.stdout.len() < 5_000, "{}", shown.stdout.len());
    let line = format!("nested --anchor {anchor}");
    assert_eq!(story.verify("anchor", &line), failed("TM-NOT-ANCHORED"));
    // One that is no bundle spoils nothing else.
    let junk = Anchor { path: Hashes::NONE, bundle: b"junk" };
    story.log.desk.write("junk", Bundle { anchor: Some(junk), ..proof }.encode_to_vec());
    assert_eq!(story.log.desk.run("inspect junk").exit, Exit::Fine);
    assert_eq!(story.verify("network", "junk"), passed());
}

#[test]
fn a_log_that_was_set_back_is_not_recorded() {
    let mut story = Story::new();
    let size = story.size();
    story.record_instead(|lines| lines[1] = (size + 5).to_string());
    let line = story.line();
    let (_, error) = story.other.desk.error(&line);
    assert_eq!(error["code"], "TM-LOG-ROLLED-BACK", "{error}");
}

#[test]
fn a_node_looks_by_itself_and_keeps_what_it_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut other = Party::new();
    other.desk.json("identity create recorder --unencrypted");
    let mut node = Node::start(folder.path());
    let line = |node: &Node| format!("network anchor {} --as recorder --count 1", node.url());
    // Of nothing there is nothing to record.
    assert_eq!(other.desk.json(&line(&node))["recorded"], 0);
    Desk::at(&node).json("identity create first --unencrypted");
    let done = other.desk.json(&line(&node));
    let anchor = done["anchor"].as_str().unwrap();
    node.kill();
    let source = format!("http://{} {anchor}", other.site.address);
    let text = format!("[anchor]\nsource = \"{source}\"\ninterval = \"100ms\"\n");
    let file = folder.path().join("data/touchmark.toml");
    std::fs::write(&file, text).unwrap();
    node = Node::start(folder.path());
    let found = eventually(|| node.client().node().unwrap().anchor?.size);
    assert_eq!(found, done["size"].as_u64().unwrap());
    // Without the other network it still has it; what was damaged meanwhile it does not show.
    node.kill();
    std::fs::remove_file(&file).unwrap();
    node = Node::start(folder.path());
    assert_eq!(node.client().node().unwrap().anchor.unwrap().size, Some(found));
    let mut desk = Desk::at(&node);
    desk.json(&format!("proof fetch --absent {NOBODY} --out proof"));
    desk.json(&format!(
        "verify proof --trust {} --anchor {anchor}",
        node.client().network().unwrap().network
    ));
    node.kill();
    let kept = folder.path().join("data/anchor.tmb");
    let mut bytes = std::fs::read(&kept).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&kept, bytes).unwrap();
    node = Node::start(folder.path());
    assert_eq!(node.client().node().unwrap().anchor, None);
}

#[test]
fn a_reader_that_kept_a_checkpoint_sees_that_the_log_continues_it() {
    let mut story = Story::new();
    for _ in 0..3 {
        story.log.grow();
    }
    story.log.desk.json("proof checkpoint --out kept");
    let size = story.size();
    story.fetch("same", "");
    for _ in 0..4 {
        story.log.grow();
    }
    let proof = story.fetch("proof", &format!("--continues {size} --continues 1"));
    let name = format!("continues {size}");
    assert_eq!(story.verify(&name, "proof"), passed());
    assert_eq!(story.verify("seen before", "proof --continues kept"), passed());
    assert_eq!(story.verify("seen before", "same --continues kept"), passed());
    // A bundle that was kept says the same as a checkpoint.
    assert_eq!(story.verify("seen before", "proof --continues same"), passed());
    story.log.desk.json("proof checkpoint --out newer");
    let back = failed("TM-LOG-ROLLED-BACK");
    assert_eq!(story.verify("seen before", "same --continues newer"), back);
    story.fetch("silent", "");
    let unknown = (Exit::Refused, "unknown".into(), "TM-NOT-COVERED".into());
    assert_eq!(story.verify("seen before", "silent --continues kept"), unknown);
    assert_eq!(story.verify("seen before", "newer --continues kept"), unknown);
    // Checkpoints alone tell as much as their sizes do.
    assert_eq!(story.verify("seen before", "kept --continues kept").1, "pass");
    assert_eq!(story.verify("seen before", "kept --continues newer"), back);
    // A file of another log is none of this one.
    story.log.desk.write("other", story.other.site.get("/checkpoint").body);
    let other = failed("TM-WRONG-NETWORK");
    assert_eq!(story.verify("seen before", "proof --continues other"), other);
    assert_eq!(story.verify("seen before", "newer --continues other"), other);
    // Another log of that size, whether the proof speaks of it or is of it.
    let kept = std::fs::read_to_string(story.log.desk.path("kept")).unwrap();
    let root = kept.lines().nth(2).unwrap();
    story.log.desk.write("false", kept.replace(root, &("A".repeat(43) + "=")));
    let split = failed("TM-LOG-SPLIT");
    assert_eq!(story.verify("seen before", "proof --continues false"), split);
    assert_eq!(story.verify("seen before", "same --continues false"), split);
    // The claim itself: root and path.
    let bundle = Bundle::decode(&proof).unwrap();
    for change in [0, 1, 2] {
        let mut changed = bundle.clone();
        let Some(Claim::Continues(_, root, path)) = changed.claims.get_mut(1) else {
            panic!("{:?}", changed.claims)
        };
        match change {
            0 => root.0[0] ^= 1,
            1 => path[0].0[31] ^= 1,
            _ => drop(path.pop()),
        }
        story.log.desk.write("changed", changed.encode_to_vec());
        assert_eq!(story.verify(&name, "changed"), failed("TM-INCONSISTENT"), "{change}");
    }
    for size in [0, 10_000] {
        let answer = story.log.site.get(&format!("/v1/proofs?continues={size}"));
        assert_eq!(answer.status, 404, "{size}");
    }
}
