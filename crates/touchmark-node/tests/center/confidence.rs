//! Node and client compute the same confidence; a locked reader is a trustless one.

use super::desk::Desk;
use super::node::Node;
use serde_json::{Value, json};
use std::fmt::Write as _;
use touchmark_keys::file::KeyFile;
use touchmark_node::cli::Exit;
use touchmark_wire::algorithm::{SignedBytes, Signer as _};

struct Scene {
    desk: Desk,
    card: String,
    counter: u32,
    node: Node,
}

impl Scene {
    fn new() -> Self {
        let node = Node::start_new();
        let mut desk = Desk::at(&node);
        desk.json("center create acme --unencrypted --attribute device-firmware-minimum=2");
        desk.json("center init reader --as acme --serial R-1 --identity door --unencrypted");
        let sensor = "center init sensor --as acme --serial S-1 --identity cellar --unencrypted";
        desk.json(&format!("{sensor} --spec firmware=1.9"));
        desk.json("identity create stranger --kind reader --unencrypted");
        desk.json("center key card --unencrypted");
        let made = desk.json("center init card --as acme --serial C-1 --key card");
        let card = made["thing"].as_str().unwrap().to_owned();
        desk.json("network show --genesis genesis");
        Self { desk, card, counter: 0, node }
    }

    /// What the card presents next.
    fn url(&mut self) -> String {
        self.counter += 1;
        let key = KeyFile::read(&self.desk.path("card")).unwrap().open(None).unwrap();
        let mut url = format!("https://t.example/?i={}&c={:08x}&s=", self.card, self.counter);
        let signature = key.sign(&SignedBytes::new([url.as_bytes()])).unwrap();
        for byte in signature {
            write!(url, "{byte:02X}").unwrap();
        }
        url
    }

    /// What the node says of a leaf, which is what a client finds in a bundle.
    fn level(&mut self, position: &Value) -> String {
        let shown = self.desk.json(&format!("record show {position}"))["confidence"].clone();
        self.desk.json(&format!("proof fetch --record {position} --out proof"));
        let ended = self.desk.run("verify proof --trust genesis --json");
        let verdict = ended.document();
        let judged = verdict["confidence"][0].clone();
        assert_eq!((&judged["level"], &judged["reasons"]), (&shown["level"], &shown["reasons"]));
        assert_eq!(judged["leaf"], *position, "{verdict}");
        shown["level"].as_str().unwrap().to_owned()
    }

    fn submit(&mut self, how: &str) -> Value {
        let url = self.url();
        let ended = self.desk.run(&format!("evidence submit card-url {url} {how} --json"));
        let answer = ended.document();
        let place = [&answer["position"], &answer["error"]["position"]];
        place.into_iter().find(|it| !it.is_null()).unwrap_or_else(|| panic!("{answer}")).clone()
    }
}

#[test]
fn node_and_client_agree_on_every_level() {
    let mut scene = Scene::new();
    let trusted = scene.submit("--wrap --as door");
    assert_eq!(scene.level(&trusted), "trusted");
    let foreign = scene.submit("--wrap --as stranger");
    assert_eq!(scene.level(&foreign), "plausible");
    let bare = scene.submit("");
    assert_eq!(scene.level(&bare), "plausible");
    scene.desk.input(b"21.5");
    let measured = scene.desk.json("record write --as cellar --format text")["position"].clone();
    assert_eq!(scene.level(&measured), "doubtful");
    scene.desk.json("thing update cellar firmware=2.1 --as acme");
    assert_eq!(scene.level(&measured), "trusted");
    scene.desk.json("center revoke card/1 stolen --as acme");
    let sighted = scene.submit("");
    assert_eq!(scene.level(&sighted), "unauthorised");
    let sighted = scene.submit("--wrap --as door");
    assert_eq!(scene.level(&sighted), "unauthorised");
    assert_eq!(scene.level(&trusted), "trusted", "what was before stays");
}

#[test]
fn from_its_alert_on_a_reader_is_trustless() {
    let mut scene = Scene::new();
    let (first, second) = (scene.url(), scene.url());
    scene.desk.input(format!("{first} [{{\"n\":\"lat\",\"v\":45.07}}]\n").as_bytes());
    let ran = scene.desk.json("reader run --as door");
    assert_eq!((&ran["signed"], &ran["arrived"]), (&json!(1), &json!(1)));
    let before = scene.desk.json(&format!("center show {} --of acme", scene.card))["size"].clone();
    scene.desk.write("contact", "1");
    scene.desk.input(format!("{second}\n").as_bytes());
    let ended = scene.desk.run("reader run --as door --tamper contact --json");
    let ran = ended.document();
    assert_eq!(ended.exit, Exit::Refused);
    assert_eq!((&ran["signed"], &ran["bare"], &ran["arrived"]), (&json!(0), &json!(1), &json!(1)));
    let history = scene.desk.json(&format!("thing history {}", scene.card));
    let last = history["items"].as_array().unwrap().last().unwrap()["index"].clone();
    assert!(last.as_u64() >= before.as_u64());
    assert_eq!(scene.level(&last), "plausible", "genuine, without the reader's word");
    assert!(scene.node.url().starts_with("http://127.0.0.1"));
}
