//! Tables in and out.

use super::desk::Desk;
use super::node::Node;
use serde_json::{Value, json};
use touchmark_node::cli::Exit;

fn center(node: &Node) -> Desk {
    let mut desk = Desk::at(node);
    desk.json("center create acme --unencrypted");
    for n in 1..=4 {
        desk.json(&format!("center key k{n} --unencrypted"));
    }
    desk
}

fn outcomes(answer: &Value) -> Vec<&str> {
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.map(|row| row["outcome"].as_str().unwrap()).collect()
}

#[test]
fn a_table_is_mapped_tried_imported_and_gone_on_with() {
    let node = Node::start_new();
    let mut desk = center(&node);
    desk.write("t.csv", "Chip,File,kind,model,secret\nC-1,k1,card,NX,x\nR-1,k2,reader,,x\n");
    let line = "center import t.csv --as acme --map serial=Chip --map key=File --map secret=";
    let tried = desk.json(&format!("{line} --dry-run"));
    assert_eq!(outcomes(&tried), ["would-initialise", "would-initialise"]);
    assert_eq!(desk.json("center list --of acme")["items"], json!([]), "nothing happened");
    let done = desk.json(line);
    assert_eq!(outcomes(&done), ["initialised", "initialised"]);
    let listed = desk.json("center list --of acme");
    assert_eq!(listed["items"][0]["specification"], json!({ "model": "NX" }));
    assert_eq!(
        (&listed["items"][1]["kind"], &listed["items"][1]["number"]),
        (&json!("reader"), &json!(1))
    );
    // Interrupted and longer: what is there is passed over, the numbers go on.
    desk.write("t.csv", "Chip,File,kind,model,secret\nC-1,k1,card,NX,x\nC-2,k3,card,NY,x\n");
    let again = desk.json(line);
    assert_eq!(outcomes(&again), ["known", "initialised"]);
    assert_eq!(again["rows"][1]["number"], 2);
    desk.write("t.ndjson", "{\"serial\":\"C-3\",\"key\":\"k4\",\"model\":7}\n");
    assert_eq!(desk.json("center import t.ndjson --as acme")["rows"][0]["number"], 3);
    // Out again, from the node and from the log.
    desk.json("center export --of acme --out node.csv");
    desk.json("center export --of acme --from-log --out log.csv");
    let (from_node, from_log) = (desk.path("node.csv"), desk.path("log.csv"));
    let text = std::fs::read_to_string(from_node).unwrap();
    assert_eq!(text, std::fs::read_to_string(from_log).unwrap());
    assert!(text.starts_with("number,kind,serial,id,status,reason,since,key,model\n"), "{text}");
    assert_eq!(text.lines().count(), 5);
}

#[test]
fn bad_rows_are_told_by_line_and_good_ones_go_through() {
    let node = Node::start_new();
    let mut desk = center(&node);
    desk.write(
        "t.csv",
        "serial,key,kind\nC-1,k1,card\n,k2,card\nC-3,nokey,card\nC-4,k2,lamp\nC-1,k3,card\n",
    );
    let ended = desk.run("center import t.csv --as acme --json");
    assert_eq!(ended.exit, Exit::Refused);
    let answer = ended.document();
    assert_eq!(outcomes(&answer), ["initialised", "refused", "refused", "refused", "refused"]);
    assert_eq!(answer["rows"][3]["line"], 5);
    assert_eq!((&answer["initialised"], &answer["failed"]), (&json!(1), &json!(4)));
}

#[test]
fn no_rows_are_a_failure_and_an_unknown_column_is_misuse() {
    let node = Node::start_new();
    let mut desk = center(&node);
    desk.write("empty.csv", "serial,key\n");
    let (exit, error) = desk.error("center import empty.csv --as acme");
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-MALFORMED")));
    desk.write("t.csv", "serial,key\nC-1,k1\n");
    let (exit, error) = desk.error("center import t.csv --as acme --map serial=serials");
    assert_eq!(exit, Exit::Misuse);
    assert!(error["hint"].as_str().unwrap().contains("`serial`"), "{error}");
}
