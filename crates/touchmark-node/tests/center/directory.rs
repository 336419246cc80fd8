//! Initialising, searching, revoking and reinstating; the log tells the same as the node.

use super::desk::Desk;
use super::node::Node;
use serde_json::{Value, json};
use touchmark_node::cli::Exit;

/// A desk with the organisation `acme`, and a public key for each card.
fn center(node: &Node) -> Desk {
    let mut desk = Desk::at(node);
    desk.json("center create acme --unencrypted --attribute name=Acme");
    desk
}

fn key(desk: &mut Desk, name: &str) -> String {
    desk.json(&format!("center key {name} --unencrypted"));
    name.to_owned()
}

/// What a list answers, without its cursor.
fn items(desk: &mut Desk, line: &str) -> Vec<Value> {
    desk.json(line)["items"].as_array().unwrap().clone()
}

fn numbers(desk: &mut Desk, line: &str) -> Vec<u64> {
    items(desk, line).iter().map(|entry| entry["number"].as_u64().unwrap()).collect()
}

#[test]
fn a_directory_is_kept_searched_and_followed() {
    let node = Node::start_new();
    let mut desk = center(&node);
    for (serial, model) in [("C-1", "NX"), ("C-2", "NX"), ("C-10", "NY")] {
        let key = key(&mut desk, serial);
        let line = format!(
            "center init card --as acme --serial {serial} --key {key} --spec model={model}"
        );
        let made = desk.json(&line);
        assert_eq!(made["serial"], serial);
    }
    let reader = "center init reader --as acme --serial R-1 --identity door --unencrypted";
    assert_eq!(desk.json(reader)["number"], "1", "each kind has numbers of its own");
    let sensor = "center init sensor --as acme --serial S-1 --identity cellar --unencrypted";
    desk.json(sensor);
    // The things speak for themselves.
    desk.input(b"21.5");
    assert_eq!(desk.json("record write --as cellar")["outcome"], "accepted");
    assert_eq!(numbers(&mut desk, "center list --of acme --what card"), [1, 2, 3]);
    assert_eq!(items(&mut desk, "center list --of acme").len(), 5);
    assert_eq!(numbers(&mut desk, "center list --of acme --serial C-2"), [2]);
    assert_eq!(numbers(&mut desk, "center list --of acme --what card --number 3"), [3]);
    let found = items(&mut desk, "center list --of acme --search C-1");
    assert_eq!(found[0]["serial"], "C-1", "a whole value comes first");
    assert_eq!((found.len(), &found[1]["serial"]), (2, &json!("C-10")));
    let mut of_model = numbers(&mut desk, "center list --of acme --search NX");
    of_model.sort_unstable();
    assert_eq!(of_model, [1, 2]);

    desk.json("center revoke card/2 stolen --as acme --reason van");
    desk.json("center revoke card/3 suspended --as acme");
    assert_eq!(numbers(&mut desk, "center list --of acme --status stolen"), [2]);
    let stolen = &items(&mut desk, "center list --of acme --status stolen")[0];
    assert_eq!((&stolen["keys"], &stolen["status"]["reason"]), (&json!([]), &json!("van")));
    let (exit, error) = desk.error("center reinstate card/2 --as acme");
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-NEW-KEY-REQUIRED")));
    let renewed = key(&mut desk, "renewed");
    desk.json(&format!("center reinstate card/2 --as acme --key {renewed}"));
    desk.json("center reinstate card/3 --as acme");
    assert_eq!(items(&mut desk, "center list --of acme --status active").len(), 5);

    let answered = items(&mut desk, "center list --of acme");
    assert_eq!(items(&mut desk, "center list --of acme --from-log"), answered);
    let told = desk.json("center follow --of acme");
    let told: Vec<_> = told["changes"].as_array().unwrap().clone();
    let states: Vec<_> = told.iter().filter(|change| change["change"] == "status").collect();
    assert_eq!(states.len(), 4);
    assert_eq!((&states[0]["status"], &states[0]["number"]), (&json!("stolen"), &json!(2)));
}

#[test]
fn what_an_organisation_did_not_register_is_not_in_its_directory() {
    let node = Node::start_new();
    let mut desk = center(&node);
    let acme = desk.json("identity show acme")["thing"].as_str().unwrap().to_owned();
    let numbered = format!(
        "identity create numbered --kind card --unencrypted --controller {acme} \
         --attribute number=7 --attribute serial=C-1"
    );
    assert_eq!(desk.error(&numbered).1["code"], "TM-NOT-AUTHORISED");
    let impostor =
        format!("identity create impostor --kind card --unencrypted --controller {acme}");
    let impostor = desk.json(&impostor)["thing"].as_str().unwrap().to_owned();
    let shown = desk.json(&format!("thing show {impostor}"));
    assert_eq!(
        (&shown["controller"], &shown["controller_confirmed"]),
        (&json!(acme), &Value::Null)
    );
    assert_eq!(items(&mut desk, "center list --of acme"), Vec::<Value>::new());
    assert_eq!(items(&mut desk, "center list --of acme --serial C-1"), Vec::<Value>::new());
    let card = key(&mut desk, "card");
    let made = desk.json(&format!("center init card --as acme --serial C-1 --key {card}"));
    assert_eq!(made["number"], "1", "the stranger's number counts nothing");
    let shown = desk.json(&format!("thing show {}", made["thing"].as_str().unwrap()));
    assert_eq!(shown["controller_confirmed"], shown["created"]);
    assert_eq!(items(&mut desk, "center list --of acme --from-log").len(), 1);
}

#[test]
fn a_card_makes_its_key_in_itself_and_tells_its_own_serial_number() {
    let node = Node::start_new();
    let mut desk = center(&node);
    let blank = desk.json("card new chip");
    let init = "center init card --as acme --virtual chip --unencrypted \
                --url https://tap.example/p --spec model=NX";
    let made = desk.json(init);
    assert_eq!((&made["number"], &made["serial"]), (&json!("1"), &blank["serial"]));
    assert_eq!(made["state"], "operational-activated");
    let thing = desk.json(&format!("thing show {}", made["thing"].as_str().unwrap()));
    assert_eq!(thing["attributes"]["serial"], blank["serial"]);
    assert_eq!(desk.json("card tap --virtual chip")["outcome"], "accepted");
    assert_eq!(desk.error(init).1["code"], "TM-EXISTS");
    let listed = items(&mut desk, "center list --of acme --what card");
    assert_eq!((listed.len(), &listed[0]["number"]), (1, &json!(1)));
    for (wrong, code) in [
        ("center init card --as acme --serial C-9 --key k --data d", Exit::Misuse),
        ("center init card --as acme --virtual chip --serial 1 --url https://a.b", Exit::Misuse),
        ("center init reader --as acme --virtual chip --url https://a.b", Exit::Misuse),
        ("center init card --as acme --key k --serial 1 --unencrypted", Exit::Misuse),
        ("center init card --as acme --key k --serial 1 --virtual chip", Exit::Misuse),
    ] {
        assert_eq!(desk.run(&format!("{wrong} --json")).exit, code, "{wrong}");
    }
}

/// The node has the card's registration, and the card was not told yet.
#[test]
fn a_personalisation_that_was_cut_off_goes_on_with_the_same_card() {
    let node = Node::start_new();
    let mut desk = center(&node);
    desk.json("card new chip");
    // A data file that is too long for the card's memory is noticed before anything is made.
    desk.write("huge", vec![0; 100_000]);
    let init =
        "center init card --as acme --virtual chip --unencrypted --url https://tap.example/p";
    assert_eq!(desk.error(&format!("{init} --data huge")).1["code"], "TM-MALFORMED");
    assert_eq!(items(&mut desk, "center list --of acme"), Vec::<Value>::new());
    let before = std::fs::read(desk.path("chip/memory.cbor")).unwrap();
    let first = desk.json(init);
    // As if the power had failed after the registration.
    desk.write("chip/memory.cbor", &before);
    let second = desk.json(init);
    assert_eq!((&second["thing"], &second["state"]), (&first["thing"], &first["state"]));
    assert_eq!(items(&mut desk, "center list --of acme").len(), 1);
    assert_eq!(desk.json("card tap --virtual chip")["outcome"], "accepted");

    // A chip that only says that it has this serial number has another key.
    desk.json("card new other");
    desk.write("other/memory.cbor", &before);
    let other = init.replace("--virtual chip", "--virtual other");
    assert_eq!(desk.error(&other).1["code"], "TM-EXISTS");
}

#[test]
fn a_chip_is_initialised_once_and_numbers_are_not_chosen() {
    let node = Node::start_new();
    let mut desk = center(&node);
    let (one, two) = (key(&mut desk, "one"), key(&mut desk, "two"));
    desk.json(&format!("center init card --as acme --serial C-1 --key {one}"));
    let (exit, error) = desk.error(&format!("center init card --as acme --serial C-1 --key {two}"));
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-EXISTS")));
    // Another kind of thing may have the same serial number.
    desk.json(&format!("center init reader --as acme --serial C-1 --key {two}"));
    let chosen = "center init card --as acme --serial C-2 --key one --spec number=9";
    assert_eq!(desk.error(chosen).0, Exit::Misuse);
    assert_eq!(desk.error("center show card/9 --of acme").1["code"], "TM-NOT-HERE");
    assert_eq!(desk.json("center show card/1 --of acme")["attributes"]["serial"], "C-1");
}

#[test]
fn lists_come_in_pages() {
    let node = Node::start_new();
    let mut desk = center(&node);
    for n in 1..=5 {
        let key = key(&mut desk, &format!("k{n}"));
        desk.json(&format!("center init card --as acme --serial C-{n} --key {key}"));
    }
    for filter in ["", " --what card", " --search C-", " --status active --what card"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        for _ in 0..5 {
            let page = desk.json(&format!("center list --of acme --limit 2{filter}{cursor}"));
            let numbers = page["items"].as_array().unwrap().iter();
            seen.extend(numbers.map(|entry| entry["number"].as_u64().unwrap()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!(" --cursor {next}");
        }
        assert_eq!(seen, [1, 2, 3, 4, 5], "{filter}");
    }
}
