//! A client that asks many nodes, none of which it trusts.

mod front;

use super::following::follower;
use super::issuer::Issuer;
use super::member::{Ended, Member, Node, Place};
use super::running::{network, same_of};
use front::{Manner, get, serve, serve_at};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use touchmark_core::directory::update::Update;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::NetworkId;
use touchmark_wire::registry::{StatementKind, ThingKind};

/// A network with a validator and two that follow it, each at an address of its own, a thing in it,
/// and a client that has a list.
struct World {
    _members: Vec<Member>,
    nodes: Vec<Node>,
    network: NetworkId,
    issuer: Issuer,
    client: Member,
}

impl World {
    fn new() -> Self {
        let place = |n: u8| Place { outside: format!("127.0.7.{n}"), ..Place::here() };
        let (first, validator) = Member::at("alpha", place(1)).node_in_place();
        let network = network(&validator);
        let (mut members, mut nodes) = (vec![first], vec![validator]);
        for n in [2, 3] {
            let near = follower("near", &[&nodes[0].url], network).moved(place(n));
            nodes.push(near.node());
            members.push(near);
        }
        let client = Member::new("client");
        std::fs::create_dir_all(client.data()).unwrap();
        let mut issuer = Issuer::new(network, ThingKind::DEVICE, Algorithm::Ed25519);
        nodes[0].client().submit_statement(&issuer.inception()).unwrap();
        let world = Self { _members: members, nodes, network, issuer, client };
        world.settle();
        world
    }

    /// Waits until all nodes have the same log.
    fn settle(&self) {
        let size = self.nodes[0].client().network().unwrap().size;
        same_of(&self.nodes.iter().collect::<Vec<_>>(), &[size - 1]);
    }

    fn size(&self) -> u64 {
        self.nodes[0].client().network().unwrap().size
    }

    /// Sets an attribute of the thing.
    fn set(&mut self, name: &str, value: &str) {
        let set = [(name.to_owned(), value.to_owned())].into();
        let update = Update { thing: self.issuer.id, set, remove: Vec::new() };
        let statement = self.issuer.act(StatementKind::UPDATE, &update);
        self.nodes[0].client().submit_statement(&statement).unwrap();
        self.settle();
    }

    /// What the first node answers to the questions of a client.
    fn kept(&self) -> Manner {
        let node = self.nodes[0].url.strip_prefix("http://").unwrap();
        let paths = ["/v1/network".to_owned(), format!("/v1/things/{}", self.issuer.id)];
        let kept = paths.map(|path| (path.clone(), get(node, &path).unwrap().1));
        Manner::Lags(self.size(), Arc::new(kept.into()))
    }

    /// The three nodes, and fronts of the first with these manners.
    fn listed(&self, manners: &[(usize, Manner)]) -> Vec<String> {
        let manners = manners.iter().flat_map(|(count, manner)| vec![manner; *count]);
        let fronts = manners
            .zip(4..)
            .map(|(manner, number)| serve(number, &self.nodes[0].url, manner.clone()));
        self.nodes.iter().map(|node| node.url.clone()).chain(fronts).collect()
    }

    /// Writes a list; the file.
    fn list(&self, urls: &[String]) -> String {
        let path = self.client.data().join("nodes.toml");
        std::fs::write(&path, format!("nodes = {}\n", json!(urls))).unwrap();
        path.display().to_string()
    }

    /// Asks nodes of a list about the thing.
    fn ask(&self, urls: &[String], more: &[&str]) -> Ended {
        self.ask_about(&self.issuer.id.to_string(), urls, more)
    }

    fn ask_about(&self, thing: &str, urls: &[String], more: &[&str]) -> Ended {
        let file = self.list(urls);
        self.client.ask(&[&["thing", "ask", thing, "--nodes", &file][..], more].concat())
    }
}

/// Says that the thing was stolen.
fn steals(view: &mut Value) {
    view["status"] = json!({ "status": "stolen", "since": 1 });
}

/// Tells of another thing.
fn renames(view: &mut Value) {
    view["id"] = "a".repeat(32).into();
}

/// Exit code, and how many were asked, said something, and said the same.
fn came_of(ended: &Ended) -> (i32, [u64; 3]) {
    let number = |name| ended.document[name].as_u64().unwrap_or_else(|| panic!("{ended:?}"));
    (ended.code, ["asked", "answered", "equal"].map(number))
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// How many do not count for this reason.
fn uncounted(ended: &Ended, why: &str) -> usize {
    let uncounted = ended.document["uncounted"].as_array().unwrap().iter();
    uncounted.filter(|it| it["why"] == why).count()
}

#[test]
fn few_liars_change_nothing_and_are_seen_more_are_no_agreement() {
    let world = World::new();
    for lying in [0, 3, 4] {
        let manners = [(9 - lying, Manner::Honest), (lying, Manner::Lies(steals))];
        let urls = world.listed(&manners);
        let ended = world.ask(&urls, &[]);
        let document = &ended.document;
        let honest = 12 - lying;
        let is_agreed = honest >= 9;
        let exit = i32::from(!is_agreed);
        assert_eq!(came_of(&ended), (exit, [12, 12, honest as u64]), "{ended:?}");
        let liars = &document["others"][usize::from(!is_agreed)];
        if lying > 0 {
            let who: BTreeSet<_> = names(&liars["nodes"]).into_iter().collect();
            assert_eq!(who, urls[honest..].iter().cloned().collect());
            assert_eq!(liars["differs_in"], json!(["status"]));
            assert_eq!(liars["thing"]["status"]["status"], "stolen");
        }
        if is_agreed {
            assert_eq!(document["assurance"], "agreement");
            assert_eq!(document["thing"]["status"]["status"], "active");
            assert_eq!(document["thing"]["history"]["count"], 1);
            assert_eq!(document["network"], world.network.to_string());
            assert_eq!(
                (&document["size"], &document["trusted"]),
                (&world.size().into(), &false.into())
            );
        } else {
            assert_eq!(
                (&document["assurance"], &document["code"]),
                (&json!("none"), &json!("TM-NODES-DISAGREE"))
            );
            assert!(document.get("thing").is_none(), "{document}");
        }
    }
    // What it is not: so many liars are believed.
    let ended = world.ask(&world.listed(&[(9, Manner::Lies(steals))]), &[]);
    assert_eq!(came_of(&ended), (0, [12, 12, 9]));
    assert_eq!(ended.document["thing"]["status"]["status"], "stolen");
}

#[test]
fn a_thing_that_nobody_has_and_a_network_that_nobody_is_of() {
    let world = World::new();
    let urls = world.listed(&[(8, Manner::Honest), (1, Manner::Elsewhere)]);
    let ended = world.ask_about(&"a".repeat(32), &urls, &[]);
    assert_eq!(came_of(&ended), (0, [12, 12, 11]), "{ended:?}");
    assert_eq!(ended.document["thing"], Value::Null);
    let urls =
        world.listed(&[(6, Manner::Honest), (2, Manner::Lies(renames)), (1, Manner::Elsewhere)]);
    let ended = world.ask(&urls, &[]);
    assert_eq!((came_of(&ended), uncounted(&ended, "nothing")), ((0, [12, 10, 9]), 2), "{ended:?}");
    let urls = world.listed(&[(8, Manner::Honest), (1, Manner::Elsewhere)]);
    let own = world.network.to_string();
    let ended = world.ask(&urls, &["--trust", &own]);
    assert_eq!((came_of(&ended), uncounted(&ended, "other-network")), ((0, [12, 12, 11]), 1));
    assert_eq!(ended.document["trusted"], true);
    let ended = world.ask(&urls, &["--trust", &"3".repeat(64)]);
    assert_eq!((came_of(&ended), uncounted(&ended, "other-network")), ((1, [12, 12, 0]), 12));
    assert_eq!(ended.document["code"], "TM-NODES-DISAGREE");
}

#[test]
fn nodes_that_are_away_slow_or_without_end_are_done_without() {
    let world = World::new();
    let sent = Arc::<AtomicU64>::default();
    let bad = [(1, Manner::Hangs), (1, Manner::Drips), (1, Manner::Floods(sent.clone()))];
    let urls = world.listed(&[&[(6, Manner::Honest)][..], &bad].concat());
    let begun = Instant::now();
    let ended = world.ask(&urls, &[]);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!((came_of(&ended), uncounted(&ended, "nothing")), ((0, [12, 9, 9]), 3), "{ended:?}");
    // What the buffers between take, and no more.
    assert!(sent.load(Ordering::Relaxed) < 16 << 20, "{sent:?}");
    let gone = "http://127.0.7.40:9".to_owned();
    let ended = world.ask(&[&urls[..8], &[gone], &urls[9..]].concat(), &[]);
    assert_eq!((came_of(&ended), uncounted(&ended, "nothing")), ((3, [12, 8, 8]), 4), "{ended:?}");
    let document = &ended.document;
    assert_eq!(
        (&document["assurance"], &document["code"]),
        (&json!("none"), &json!("TM-FEW-ANSWERS"))
    );
}

#[test]
fn who_lags_behind_is_asked_for_the_newer_state() {
    let mut world = World::new();
    let kept = world.kept();
    world.set("firmware", "2");
    let urls = world.listed(&[(2, Manner::Honest), (7, kept)]);
    let ended = world.ask(&urls, &[]);
    assert_eq!(came_of(&ended), (0, [12, 12, 12]), "{ended:?}");
    assert_eq!(ended.document["thing"]["attributes"]["firmware"], "2");
    assert_eq!(ended.document["size"], world.size());
}

#[test]
fn a_log_is_no_longer_than_an_honest_node_says() {
    let world = World::new();
    let long = 1 << 50;
    let urls = world.listed(&[(6, Manner::Honest), (3, Manner::Boasts(long))]);
    let ended = world.ask(&urls, &[]);
    assert_eq!(came_of(&ended), (0, [12, 12, 12]));
    assert_eq!(ended.document["size"], world.size());
    let urls = world.listed(&[(5, Manner::Honest), (4, Manner::Boasts(long))]);
    let ended = world.ask(&urls, &[]);
    assert_eq!((came_of(&ended), uncounted(&ended, "behind")), ((1, [12, 12, 4]), 8), "{ended:?}");
}

#[test]
fn others_are_asked_each_time_and_two_names_of_an_address_count_once() {
    let world = World::new();
    let urls = world.listed(&[(33, Manner::Honest)]);
    let asked: BTreeSet<_> = (0..4)
        .map(|_| {
            let ended = world.ask(&urls, &[]);
            assert_eq!(came_of(&ended), (0, [12, 12, 12]), "{ended:?}");
            assert_eq!(ended.document["listed"], 36);
            let mut asked = names(&ended.document["nodes"]);
            asked.sort();
            asked
        })
        .collect();
    assert_eq!(asked.len(), 4, "the same twelve of 36 are drawn once in a billion times");

    // A server at both addresses of this name, wherever it leads.
    let own = ("localhost", 1).to_socket_addrs().unwrap().next().unwrap().ip();
    let port = serve_at((own, 0).into(), &world.nodes[0].url, Manner::Honest).port();
    let literal = SocketAddr::new(own, port);
    let twice = [format!("http://localhost:{port}"), format!("http://{literal}")];
    let ended = world.ask(&[&urls[..10], &twice].concat(), &[]);
    let same = ended.document["uncounted"].to_string().matches("it has the address of").count();
    assert_eq!((came_of(&ended), same), ((0, [12, 11, 11]), 1), "{ended:?}");
    // A name at which nobody answers silences no node at the same address, whichever is first.
    let silent = [format!("http://{literal}"), "http://localhost:9".to_owned()];
    for _ in 0..6 {
        let ended = world.ask(&[&urls[..10], &silent].concat(), &[]);
        assert_eq!((came_of(&ended), uncounted(&ended, "nothing")), ((0, [12, 11, 11]), 1));
    }
}

#[test]
fn one_node_alone_is_shown_to_be_worth_little() {
    let world = World::new();
    let urls = world.listed(&[(9, Manner::Lies(steals))]);
    let ended = world.ask(&urls, &["--ask", "1", "--equal", "1"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let chance = &ended.document["if_a_third_lies"];
    assert_eq!(chance["lying"], 4);
    assert!((chance["deceived"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-9, "{chance}");
}

#[test]
fn a_thing_that_changes_while_it_is_asked_about_is_agreed_on() {
    let mut world = World::new();
    let kept = world.kept();
    world.set("firmware", "2");
    // Nine agree on what was, and those who do not have the longer log.
    let ended = world.ask(&world.listed(&[(9, kept)]), &[]);
    assert_eq!(came_of(&ended), (0, [12, 12, 12]), "{ended:?}");
    assert_eq!(ended.document["thing"]["attributes"]["firmware"], "2");
    // Who stays behind is agreed with, and the longer log is shown.
    let stays = Manner::Stays(Box::new(world.kept()));
    world.set("firmware", "3");
    let ended = world.ask(&world.listed(&[(9, stays)]), &[]);
    assert_eq!(came_of(&ended), (0, [12, 12, 9]), "{ended:?}");
    assert_eq!(ended.document["thing"]["attributes"]["firmware"], "2");
    let (other, agreed) = (&ended.document["others"][0]["size"], &ended.document["size"]);
    assert!(other.as_u64() > agreed.as_u64(), "{ended:?}");
}

#[test]
fn a_list_is_brought_up_to_date_by_agreement_alone() {
    let mut world = World::new();
    let others: Vec<_> = (1..=14).map(|n| format!("http://192.0.2.{n}:8080")).collect();
    world.set("nodes", &others[..8].join(" "));
    world.set("nodes.2", &others[8..].join(" "));
    let publisher = world.issuer.id.to_string();
    let fills = |view: &mut Value| {
        let liars: Vec<_> = (1..=14).map(|n| format!("http://203.0.113.{n}")).collect();
        view["attributes"]["nodes"] = liars.join(" ").into();
    };
    let update = |world: &World, urls: &[String], more: &[&str]| {
        let file = world.list(urls);
        let words = ["network", "nodes", &file, "--update", "--publisher", &publisher];
        let ended = world.client.ask(&[&words[..], more].concat());
        (ended, std::fs::read_to_string(file).unwrap())
    };
    let few = world.listed(&[(6, Manner::Honest), (3, Manner::Lies(fills))]);
    let (ended, text) = update(&world, &few, &["--dry-run"]);
    assert_eq!((came_of(&ended), &ended.document["updated"]), ((0, [12, 12, 9]), &false.into()));
    assert!(!text.contains("192.0.2"), "{text}");
    let (ended, text) = update(&world, &few, &[]);
    assert_eq!((came_of(&ended), &ended.document["updated"]), ((0, [12, 12, 9]), &true.into()));
    assert_eq!(names(&ended.document["added"]), others);
    assert_eq!(names(&ended.document["removed"]), few);
    assert_eq!(
        (names(&ended.document["nodes"]).len(), &ended.document["published"]),
        (9, &14.into())
    );
    assert!(text.contains("192.0.2.14") && !text.contains("203.0.113"), "{text}");
    let many = world.listed(&[(5, Manner::Honest), (4, Manner::Lies(fills))]);
    let (ended, text) = update(&world, &many, &[]);
    assert_eq!(
        (came_of(&ended), &ended.document["code"]),
        ((1, [12, 12, 8]), &json!("TM-NODES-DISAGREE"))
    );
    assert!(!text.contains("publisher"), "{text}");
    // All are asked, and three quarters of all are wanted, whatever a draw would take.
    let some = world.listed(&[(3, Manner::Honest), (6, Manner::Lies(fills))]);
    let (ended, _) = update(&world, &some, &["--ask", "1", "--equal", "1"]);
    assert_eq!((came_of(&ended), &ended.document["wanted"]), ((1, [12, 12, 6]), &9.into()));
    let refused = |world: &World, urls: &[String]| {
        let (ended, text) = update(world, urls, &[]);
        assert_eq!((ended.code, ended.error()), (1, "TM-PUBLISHED-LIST"), "{ended:?}");
        assert!(!text.contains("publisher"), "{text}");
        ended.document["error"]["why"].to_string()
    };
    let stolen = world.listed(&[(9, Manner::Lies(steals))]);
    assert!(refused(&world, &stolen).contains("not active"));
    // From a list of eight twelve could never be drawn again.
    world.set("nodes.2", "");
    assert!(refused(&world, &few).contains("has 8 nodes"));
    world.set("nodes.2", &others[0]);
    assert!(refused(&world, &few).contains("the same host"));
}
