//! Checkpoints of one network's log, recorded in another.

use crate::Party;
use crate::desk::Desk;
use crate::node::Node;
use serde_json::Value;
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
        format!("proof --anchor {network}:{}", NOBODY),
        format!("before --anchor {anchor}"),
    ] {
        assert_eq!(story.verify("anchor", &line), none, "{line}");
    }
    story.fetch("bare", "--no-anchor");
    assert_eq!(story.verify("anchor", &format!("bare --anchor {anchor}")), none);
    story.log.desk.json("proof checkpoint --out note");
    assert_eq!(story.verify("anchor", &format!("note --anchor {anchor}")), none);
    // On cosignatures as well, of both networks.
    story.fetch("cosigned", "--certificate cosigned");
    let line = format!("cosigned --anchor {anchor} --certificate any");
    assert_eq!(story.verify("anchor", &line), passed());
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
    assert!(problem(&story.renew(), &kept).contains("two histories"));
    // The proof of it is kept, and is one for everybody.
    let conflict = story.log.site.data().join("anchor.conflict.tmb");
    let conflict = std::fs::read(conflict).unwrap();
    story.log.desk.write("conflict", &conflict);
    let other = story.other.site.network();
    story.log.desk.json(&format!("verify conflict --trust {other}"));
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
    let line = story.line();
    let (exit, error) = story.other.desk.error(&line);
    assert_eq!((exit, &error["code"]), (Exit::Refused, &"TM-LOG-SPLIT".into()), "{error}");
    // Another word than a checkpoint is none.
    story.other.desk.write("note", "hello");
    story.other.desk.json("record write note --as recorder --format text");
    assert!(problem(&story.renew(), &kept).contains("no checkpoint"));
    // From then on it can go on.
    assert_eq!(story.record()["recorded"], 1);
    assert_eq!(story.renew()["size"], size);
}

/// What is wrong; everything else is as it was.
fn problem(view: &Value, kept: &Value) -> String {
    assert_eq!((&view["size"], &view["leaf"]), (&kept["size"], &kept["leaf"]), "{view}");
    view["problem"].as_str().unwrap_or_else(|| panic!("{view}")).to_owned()
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
    let limit = Instant::now() + Duration::from_secs(30);
    let found = loop {
        let view = node.client().node().unwrap().anchor;
        match view.and_then(|view| view.size) {
            Some(size) => break size,
            None => assert!(Instant::now() < limit),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
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
