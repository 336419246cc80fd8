//! Ends that a thing declares itself: with the keys that it had committed to, where nobody could
//! take the end back.

use super::desk::Desk;
use super::node::Node;
use serde_json::{Value, json};
use touchmark_node::cli::Exit;

/// An identity of its own, made so; its thing's id.
fn create(desk: &mut Desk, name: &str, how: &str) -> String {
    let made = desk.json(&format!("identity create {name} --unencrypted {how}"));
    made["thing"].as_str().unwrap().to_owned()
}

/// Status, valid keys and next number of a thing.
fn shown(desk: &mut Desk, id: &str) -> (Value, usize, Value) {
    let thing = desk.json(&format!("thing show {id}"));
    let keys = thing["keys"].as_array().unwrap().len();
    (thing["status"]["status"].clone(), keys, thing["next_number"].clone())
}

#[test]
fn a_thing_that_nobody_controls_ends_by_the_keys_that_it_reveals() {
    let node = Node::start_new();
    for (name, status) in [("lone", "retired"), ("lost", "lost")] {
        let mut desk = Desk::at(&node);
        let id = create(&mut desk, name, "--pre-rotation");
        desk.json(&format!("record write --as {name}"));
        assert_eq!(shown(&mut desk, &id), (json!("active"), 1, json!(1)));
        let ended = desk.json(&format!("thing status {name} {status} --as {name} --reason end"));
        assert_eq!(ended["outcome"], "accepted", "{ended}");
        // Key 1 came, signed and ended in the one statement.
        assert_eq!(shown(&mut desk, &id), (json!(status), 0, json!(2)));
        let leaf = ended["position"].as_u64().unwrap();
        let signed = desk.json(&format!("record show {leaf}"));
        assert_eq!(signed["statement"]["signers"][0]["key"], 1, "{signed}");
        let ended = desk.run(&format!("record write --as {name}"));
        assert_ne!(ended.exit, Exit::Fine, "nothing signs for it any more");
    }
}

#[test]
fn the_present_keys_end_what_a_controller_can_bring_back_or_what_committed_to_nothing() {
    let node = Node::start_new();
    let mut desk = Desk::at(&node);
    let plain = create(&mut desk, "plain", "");
    desk.json("thing status plain retired --as plain");
    assert_eq!(shown(&mut desk, &plain), (json!("retired"), 0, json!(1)));
    let acme = create(&mut desk, "acme", "--kind organisation");
    let kept = create(&mut desk, "kept", &format!("--pre-rotation --controller {acme}"));
    desk.json("thing status kept tampered --as kept");
    assert_eq!(shown(&mut desk, &kept), (json!("tampered"), 0, json!(1)), "a tamper alert");
}
