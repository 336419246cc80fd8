//! Outside witnesses of a log that several own: they see one key, which no validator has.

use super::member::{Member, Node, Place, form, form_of, nodes};
use super::running::{network, write};
use minicbor::bytes::ByteVec;
use std::time::{Duration, Instant};
use touchmark_api::client::Client;
use touchmark_batch::Unanswered;
use touchmark_engine::Pacing;
use touchmark_node::folder::NewNetwork;
use touchmark_node::node::NodeConfig;
use touchmark_wire::algorithm::PureVerifier;
use touchmark_wire::certificate::{NoteKey, NoteKeyKind};
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Timestamp, TreeSize};
use touchmark_wire::word::{Commitment, Question, Word};

/// A cosigner's key: signed-note's example, under the type of cosigners.
const WITNESS: &str = "example.com/foo+7c264079+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

/// Where a member offers its log often.
pub(super) fn eager() -> Place {
    Place { settings: &[("TOUCHMARK__WITNESSES__INTERVAL", "300ms")], ..Place::here() }
}

/// A node that witnesses other logs.
pub(super) struct Watcher {
    member: Member,
    node: Node,
    key: String,
}

impl Watcher {
    pub(super) fn new() -> Self {
        let (member, node) = Member::new("watcher").node_in_place();
        let made = member.run(&["witness", "init"]);
        let key = made.document["key"].as_str().unwrap().to_owned();
        Self { member, node, key }
    }

    /// Witnesses the log of this key, too.
    pub(super) fn trust(&self, log_key: &str) {
        let added = self.member.run(&["witness", "add-log", log_key]);
        assert_eq!(added.code, 0, "{added:?}");
    }

    /// A member's node asks it from now on.
    pub(super) fn named_by(&self, member: &Member) {
        let url = format!("{}/witness", self.node.url);
        let added = member.run(&["witness", "add", &url, &self.key]);
        assert_eq!(added.code, 0, "{added:?}");
    }
}

/// What a member says are the keys of its log: now, and of the next committee.
pub(super) fn log_keys(member: &Member) -> (Option<String>, Option<String>) {
    let told = member.run(&["witness", "log-key"]);
    assert_eq!(told.code, 0, "{told:?}");
    let key = |name: &str| told.document[name].as_str().map(ToOwned::to_owned);
    (key("key"), key("next"))
}

/// Waits until a witness has cosigned the log with at least so many leaves, as the log of this key.
pub(super) fn cosigned(node: &Node, size: u64, log_key: &str) {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        let found = node.client().witnessed_checkpoint(1);
        let text = String::from_utf8(found.unwrap_or_default()).unwrap();
        if let Ok(note) = SignedCheckpoint::parse(text.as_bytes())
            && note.checkpoint().size.0 >= size
        {
            let key = NoteKey::parse(log_key).unwrap();
            let signed = key.verify(&note, &PureVerifier);
            if signed.is_ok() {
                let by_log = note.signatures().filter(|line| line.name == key.name());
                assert_eq!(by_log.count(), 1, "{text}");
                let told = node.client().network().unwrap().log_key;
                assert_eq!(told.as_deref(), Some(log_key));
                return;
            }
        }
        let view = node.client().node().unwrap().witnesses;
        assert!(Instant::now() < limit, "not cosigned: {text} {view:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn several_owners_sign_as_one_also_without_one_of_them() {
    let names = ["alpha", "beta", "gamma", "delta"];
    let members = form_of(names.map(|name| Member::at(name, eager())).into());
    let (key, next) = log_keys(&members[0]);
    let key = key.unwrap();
    assert_eq!(next, None);
    for member in &members[1..] {
        assert_eq!(log_keys(member), (Some(key.clone()), None));
        assert!(!member.data().join("note.cbor").exists());
    }
    let watcher = Watcher::new();
    watcher.trust(&key);
    watcher.named_by(&members[1]);
    // What speaks for the log anyway is no witness of it.
    let own = NoteKey::parse(&key).unwrap().key().clone();
    let own = NoteKey::new(NoteKeyKind::Cosigner, "other.example", own).unwrap().to_string();
    let refused = members[0].run(&["witness", "add", "http://127.0.0.1:1", &own]);
    assert_eq!((refused.code, refused.error()), (1, "TM-MALFORMED"), "{refused:?}");
    assert!(refused.document["error"]["hint"].as_str().unwrap().contains("somebody else"));

    let mut nodes = nodes(&members);
    let id = network(&nodes[0]);
    let view = nodes[2].client().network().unwrap();
    assert_eq!((view.log_key.as_ref(), view.next_log_key), (Some(&key), None));
    cosigned(&nodes[1], write(&nodes[0], id), &key);

    drop(nodes.remove(3));
    let without = write(&nodes[2], id);
    cosigned(&nodes[1], without, &key);
    nodes.push(members[3].node());
    cosigned(&nodes[1], write(&nodes[3], id), &key);
}

/// What is in `secrets.cbor`; the last is the share of the note key.
type Secrets = (ByteVec, ByteVec, ByteVec, ByteVec, ByteVec);
/// A share: place, threshold, scalar, the points of all, the key.
type Share = (u16, u16, ByteVec, Vec<ByteVec>, ByteVec);

/// Its validator signs with the share of another one from now on, and thinks that it is its own.
fn confuse(liar: &Member, other: &Member) {
    let secrets = |member: &Member| {
        let bytes = std::fs::read(member.data().join("secrets.cbor")).unwrap();
        minicbor::decode::<Secrets>(&bytes).unwrap()
    };
    let (mut own, foreign) = (secrets(liar), secrets(other));
    let mut share: Share = minicbor::decode(&own.4).unwrap();
    let other: Share = minicbor::decode(&foreign.4).unwrap();
    share.2 = other.2;
    share.3[usize::from(share.0)] = other.3[usize::from(other.0)].clone();
    own.4 = minicbor::to_vec(share).unwrap().into();
    std::fs::write(liar.data().join("secrets.cbor"), minicbor::to_vec(own).unwrap()).unwrap();
}

#[test]
fn who_gives_wrong_parts_is_done_without_while_there_is_a_quorum() {
    let names = ["alpha", "beta", "gamma", "delta"];
    let members = form_of(names.map(|name| Member::at(name, eager())).into());
    let key = log_keys(&members[0]).0.unwrap();
    confuse(&members[2], &members[3]);
    let watcher = Watcher::new();
    watcher.trust(&key);
    watcher.named_by(&members[0]);
    let mut nodes = nodes(&members);
    let id = network(&nodes[0]);
    let reason = |node: &Node| node.client().node().unwrap().witnesses.unwrap().reason;
    cosigned(&nodes[0], write(&nodes[1], id), &key);
    for _ in 0..6 {
        cosigned(&nodes[0], write(&nodes[1], id), &key);
        assert_eq!(reason(&nodes[0]), None, "a round failed");
    }
    // Those who are left and do their part are too few.
    drop(nodes.pop());
    let beyond = write(&nodes[1], id);
    let limit = Instant::now() + Duration::from_secs(30);
    while !reason(&nodes[0]).is_some_and(|it| it.contains("3 validators have to sign")) {
        assert!(Instant::now() < limit, "{:?}", reason(&nodes[0]));
        std::thread::sleep(Duration::from_millis(100));
    }
    nodes.push(members[3].node());
    cosigned(&nodes[0], beyond, &key);
}

/// Size and root of an empty log.
const NOTHING: TreeSize = TreeSize(0);

fn empty() -> Digest {
    Digest::of(&[])
}

#[test]
fn a_validator_gives_a_part_once_and_only_of_its_own_log() {
    let members = form(&["alpha", "beta"]);
    let config = NodeConfig {
        data: members[0].data(),
        engine_listen: None,
        objects: None,
        pacing: Pacing::default(),
        new: NewNetwork { origin: None, validator: "x".into(), time: Timestamp(0) },
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let node = touchmark_node::node::Node::start(&config).unwrap();
    let own = node.peer().unwrap();
    let validators = &node.genesis.committee.validators;
    let place = validators.iter().position(|it| it.peer == own).unwrap();
    let other = validators[1 - place].peer;
    let ask = |asker, question: Question<'_>| {
        let reply = node.answer(asker, question.encode_to_vec()).unwrap();
        let answer = runtime.block_on(reply.wait())?;
        let Word { validator, signed } = Word::decode(&answer).unwrap();
        assert_eq!(usize::from(validator), place);
        Ok(signed.to_vec())
    };
    let place = u16::try_from(place).unwrap();
    let commit = |root| {
        let answer = ask(other, Question::Commitment(NOTHING, root))?;
        Ok(Commitment::from_bytes(place, &answer).unwrap())
    };
    let part = |asker, root, own: Commitment| {
        // Any points will do as those of the other one.
        let mut by = [own, Commitment { validator: 1 - place, ..commit(empty()).unwrap() }];
        by.sort_by_key(|it| it.validator);
        ask(asker, Question::Part(NOTHING, root, by.to_vec()))
    };
    assert_eq!(commit(Digest([1; 32])), Err(Unanswered), "a root that is not its own");
    let committed = commit(empty()).unwrap();
    assert_eq!(part(own, empty(), committed), Err(Unanswered), "to whom it was not committed");
    assert_eq!(part(other, empty(), committed).unwrap().len(), 32);
    assert_eq!(part(other, empty(), committed), Err(Unanswered), "twice");
    let committed = commit(empty()).unwrap();
    assert_eq!(part(other, Digest([1; 32]), committed), Err(Unanswered), "another root");
}

/// As a build without note keys formed it.
fn without_key(members: &[Member]) {
    for member in members {
        let path = member.data().join("genesis.cbor");
        let mut genesis = Genesis::decode(&std::fs::read(&path).unwrap()).unwrap();
        assert!(genesis.committee.note_key.take().is_some());
        std::fs::write(&path, genesis.encode_to_vec()).unwrap();
    }
}

#[test]
fn a_log_of_several_owners_without_a_note_key_is_offered_to_no_outside_witness() {
    let members = form(&["alpha", "beta"]);
    without_key(&members);
    for member in &members {
        for words in
            [&["witness", "add", "http://127.0.0.1:1", WITNESS][..], &["witness", "log-key"]]
        {
            let refused = member.run(words);
            assert_eq!((refused.code, refused.error()), (1, "TM-SEVERAL-OWNERS"), "{refused:?}");
            let why = refused.document["error"]["why"].as_str().unwrap();
            assert!(why.contains("FROST"), "{refused:?}");
        }
        let listed = member.run(&["witness", "list"]);
        assert!(
            listed.document["reason"].as_str().unwrap().contains("several owners"),
            "{listed:?}"
        );
    }
    // Also where the file says otherwise, and no validator signs as the log.
    let file = format!("[[witness]]\nurl = \"http://127.0.0.1:1\"\nvkey = \"{WITNESS}\"\n");
    std::fs::write(members[0].data().join("witnesses.toml"), file).unwrap();
    let nodes = nodes(&members);
    for node in &nodes {
        let client = Client::new(&node.url).unwrap();
        // The first round is soon after the start.
        let limit = Instant::now() + Duration::from_secs(20);
        let reason = loop {
            match client.node().unwrap().witnesses.unwrap().reason {
                Some(reason) => break reason,
                None => assert!(Instant::now() < limit, "no reason is given"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        assert!(reason.contains("several owners"), "{reason}");
        let note = client.checkpoint().unwrap();
        let note = SignedCheckpoint::parse(note.as_bytes()).unwrap();
        let origin = note.checkpoint().origin();
        assert!(note.signatures().all(|line| line.name != origin), "{note:?}");
        assert!(client.witnessed_checkpoint(1).is_err());
    }
    let status = members[0].ask(&["network", "status", "--node", &nodes[0].url]);
    let reason = status.document["no_witness_is_asked"].as_str().unwrap();
    assert!(reason.contains("several owners"), "{status:?}");
    assert!(!members[0].data().join("note.cbor").exists());
}
