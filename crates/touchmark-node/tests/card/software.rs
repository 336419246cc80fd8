//! Virtual cards.

use super::desk::Desk;
use super::node::Node;
use serde_json::{Value, json};
use touchmark_node::cli::Exit;

const CODE: &str = "0123456789abcdef0123456789abcdef\n";

/// The whole life of a card at `place`, which is blank.
pub(crate) fn whole_life(desk: &mut Desk, place: &str) {
    desk.write("code", CODE);
    desk.write("specification", "made in Graz");
    let issued = desk.json(&format!(
        "card issue {place} --as maker --url https://tap.example/p --attribute number=1 \
         --data specification --lock-code code"
    ));
    let card = issued["thing"].as_str().unwrap().to_owned();
    assert_eq!(issued["state"], "operational-activated");
    let thing = desk.json(&format!("thing show {card}"));
    assert_eq!((&thing["kind"], &thing["attributes"]["number"]), (&json!("card"), &json!("1")));
    assert_eq!(thing["attributes"]["serial"], issued["serial"]);
    assert_eq!(
        desk.error(&format!("card issue {place} --as maker --url https://a.b")).1["code"],
        "TM-EXISTS"
    );

    let tapped = desk.json(&format!("card tap {place}"));
    assert_eq!((&tapped["outcome"], &tapped["counter"]), (&json!("accepted"), &json!(1)));
    let url = tapped["url"].as_str().unwrap().to_owned();
    assert_eq!(desk.json(&format!("evidence submit card-url {url}"))["outcome"], "known");
    let wrapped = desk.json(&format!("card tap {place} --as reader"));
    assert_eq!((&wrapped["outcome"], &wrapped["counter"]), (&json!("accepted"), &json!(2)));
    assert_eq!(leaf(desk, &wrapped)["statement"]["kind"], "evidence");

    desk.write("readings.json", r#"[{"n":"temperature","u":"Cel","v":21.5}]"#);
    let sign = format!("card sign {place} readings.json --position 47.07,-15.44 --add data");
    let signed = desk.json(&sign);
    assert_eq!((&signed["outcome"], &signed["counter"]), (&json!("accepted"), &json!(3)));
    let kept = desk.json(&format!("{sign} --out evidence"));
    assert_eq!(kept["counter"], 4);
    let evidence = std::fs::read(desk.path("evidence")).unwrap();
    for text in ["21.5", "47.07", "-15.44", "made in Graz"] {
        let mut changed = evidence.clone();
        let found = changed.windows(text.len()).position(|part| part == text.as_bytes()).unwrap();
        changed[found + text.len() - 1] ^= 1;
        desk.write("changed", &changed);
        assert_eq!(
            desk.error("evidence submit card-payload changed").1["code"],
            "TM-FORGED",
            "{text}"
        );
    }
    assert_eq!(desk.json("evidence submit card-payload evidence")["outcome"], "accepted");

    let genuine = desk.json(&format!("card challenge {place}"));
    assert_eq!((&genuine["genuine"], &genuine["status"]), (&json!(true), &json!("active")));
    assert_ne!(desk.json(&format!("card challenge {place}"))["challenge"], genuine["challenge"]);
    desk.json(&format!("thing status --as maker {card} suspended"));
    let ended = desk.run(&format!("card challenge {place} --json"));
    assert_eq!((ended.exit, &ended.document()["genuine"]), (Exit::Refused, &json!(true)));
    desk.json(&format!("thing status --as maker {card} stolen"));
    let ended = desk.run(&format!("card challenge {place} --json"));
    assert_eq!((ended.exit, &ended.document()["genuine"]), (Exit::Refused, &json!(false)));
    assert_eq!(desk.error(&format!("card tap {place}")).1["code"], "TM-REVOKED");

    assert_eq!(desk.error(&format!("card lock {place}")).1["code"], "TM-CARD-REFUSED");
    assert_eq!(
        desk.json(&format!("card lock {place} --lock-code code"))["state"],
        "operational-deactivated"
    );
    for command in ["tap", "sign readings.json", "challenge"] {
        let (exit, error) = desk.error(&format!("card {command} {place}"));
        assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-CARD-LOCKED")), "{command}");
    }
    desk.json(&format!("card read {place} --data copy --key public"));
    assert_eq!(std::fs::read(desk.path("copy")).unwrap(), b"made in Graz");
    assert_eq!(
        desk.json(&format!("card terminate {place} --lock-code code"))["state"],
        "terminated"
    );
}

fn leaf(desk: &mut Desk, written: &Value) -> Value {
    desk.json(&format!("record show {}", written["position"]))
}

/// A desk with a maker of cards and a reader.
pub(crate) fn desk(node: &Node) -> Desk {
    let mut desk = Desk::at(node);
    desk.json("identity create maker --kind organisation --unencrypted");
    desk.json("identity create reader --kind reader --unencrypted");
    desk
}

#[test]
fn a_virtual_card_lives_as_any_other() {
    let node = Node::start_new();
    let mut desk = desk(&node);
    let blank = desk.json("card new chip");
    assert_eq!(blank["state"], "initialisation");
    assert_eq!(desk.error("card new chip").1["code"], "TM-EXISTS");
    desk.set("TOUCHMARK_CARD_PASSPHRASE", "correct horse");
    whole_life(&mut desk, "--virtual chip");
    let key = std::fs::read(desk.path("public")).unwrap();
    assert!(!key.is_empty());
}

#[test]
fn the_passphrase_of_a_card_opens_it() {
    let node = Node::start_new();
    let mut desk = desk(&node);
    desk.json("card new chip");
    let issue = "card issue --virtual chip --as maker --url https://a.b/p";
    assert_eq!(desk.error(issue).1["code"], "TM-PASSPHRASE");
    desk.person(&["horse", "horse"]);
    desk.json(issue);
    desk.person(&["house"]);
    assert_eq!(desk.error("card tap --virtual chip").1["code"], "TM-PASSPHRASE");
    desk.write("passphrase", "horse\n");
    desk.json("card tap --virtual chip --card-passphrase-file passphrase");
    desk.person(&["horse"]);
    let (exit, error) = desk.error("card lock --virtual chip");
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-CARD-REFUSED")), "nobody may");
}

#[test]
fn an_interrupted_issue_goes_on_with_the_same_thing() {
    let node = Node::start_new();
    let mut desk = desk(&node);
    desk.json("card new chip");
    let issue = "card issue --virtual chip --unencrypted --as maker --url https://a.b/p";
    let before: Vec<u8> = std::fs::read(desk.path("chip/memory.cbor")).unwrap();
    let first = desk.json(issue);
    // As if the power had failed after the registration.
    desk.write("chip/memory.cbor", before);
    let second = desk.json(issue);
    assert_eq!((&first["thing"], &first["position"]), (&second["thing"], &second["position"]));
}

#[test]
fn a_card_is_known_without_a_node_by_its_key() {
    let node = Node::start_new();
    let mut desk = desk(&node);
    for chip in ["one", "two"] {
        desk.json(&format!("card new {chip}"));
        desk.json(&format!(
            "card issue --virtual {chip} --unencrypted --as maker --url https://a.b/p"
        ));
        desk.json(&format!("card read --virtual {chip} --key {chip}.key"));
    }
    let network = desk.json("network show")["network"].as_str().unwrap().to_owned();
    drop(node);
    let (exit, _) = desk.error("card challenge --virtual one --key one.key");
    assert_eq!(exit, Exit::Misuse, "for which network?");
    desk.set("TOUCHMARK__CONTEXT__NETWORK", &network);
    assert_eq!(desk.json("card challenge --virtual one --key one.key")["genuine"], true);
    let ended = desk.run("card challenge --virtual one --key two.key --json");
    assert_eq!((ended.exit, &ended.document()["genuine"]), (Exit::Refused, &json!(false)));
}

#[test]
fn what_a_card_cannot_do_is_said_before_it_counts() {
    let node = Node::start_new();
    let mut desk = desk(&node);
    assert_eq!(desk.error("card read --virtual chip").1["code"], "TM-NOT-HERE");
    desk.json("card new chip");
    assert_eq!(desk.error("card tap --virtual chip").1["code"], "TM-CARD-ANSWER");
    assert_eq!(desk.error("card challenge --virtual chip").1["code"], "TM-CARD-REFUSED");
    desk.write("large", vec![0; (72 << 10) + 1]);
    desk.write("short", "too short");
    let issue = "card issue --virtual chip --unencrypted --as maker --url https://a.b/p";
    assert_eq!(desk.error(&format!("{issue} --data large")).1["code"], "TM-MALFORMED");
    assert_eq!(desk.error(&format!("{issue} --lock-code short")).1["code"], "TM-USAGE");
    assert_eq!(desk.error("card issue --virtual chip --as maker --url a.b").0, Exit::Misuse);
    desk.write("full", vec![0; 72 << 10]);
    desk.json(&format!("{issue} --data full"));
    desk.write("readings", "x");
    let (_, error) = desk.error("card sign --virtual chip readings --add data");
    assert_eq!(error["code"], "TM-MALFORMED");
    assert_eq!(desk.error("card sign --virtual chip readings --position 91,0").0, Exit::Misuse);
    let (_, error) = desk.error("card sign --virtual chip readings --position 9,0");
    assert_eq!(error["code"], "TM-MALFORMED");
    assert_eq!(desk.json("card read --virtual chip")["counter"], 0);
    assert_eq!(desk.json("card sign --virtual chip readings --add digest")["counter"], 1);
}
