//! A record of which the log has the commitment only, from the command line.

use super::desk::Desk;
use super::node::Node;
use serde_json::{Value, json};
use touchmark_api::Base64;
use touchmark_node::cli::Exit;

#[test]
fn a_committed_record_is_written_shown_and_disclosed() {
    let node = Node::start_new();
    let mut desk = Desk::at(&node);
    desk.json("identity create clinic --unencrypted");
    desk.write("patient.json", b"{\"born\":1980}");
    let written = desk.json("record write patient.json --as clinic --commit one");
    assert_eq!((&written["outcome"], &written["payload"]), (&json!("accepted"), &json!("kept")));
    let show = |desk: &mut Desk, written: &Value| {
        desk.json(&format!("record show {}", written["position"]))
    };
    let shown = show(&mut desk, &written);
    assert_eq!(shown["statement"]["committed"], true);
    assert_ne!(shown["statement"]["payload"], shown["committed"]["content"]);
    let content = Base64::parse(shown["committed"]["content"].as_str().unwrap()).unwrap();
    assert_eq!(content.0, b"{\"born\":1980}");

    let again = desk.json("record write patient.json --as clinic --commit two --withhold");
    assert_eq!(again["payload"], "withheld");
    let hidden = show(&mut desk, &again);
    assert_eq!(hidden["committed"], Value::Null);
    assert_ne!(hidden["statement"]["payload"], shown["statement"]["payload"], "another salt");
    let position = &again["position"];
    let (exit, error) = desk.error(&format!("record disclose {position} one"));
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-PAYLOAD")));
    desk.json(&format!("record disclose {position} two"));
    assert_eq!(show(&mut desk, &again)["committed"]["content"], shown["committed"]["content"]);
}
