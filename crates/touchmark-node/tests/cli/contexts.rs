//! Contexts.

use super::bundle;
use super::desk::Desk;
use super::node::Node;
use serde_json::json;
use touchmark_node::cli::Exit;

#[test]
fn a_context_remembers_node_identity_and_network() {
    let node = Node::start();
    let mut desk = Desk::new();
    let network = bundle::genesis().network_id().to_string();
    let added = desk.json(&format!("context add lab --node {} --as acme", node.url()));
    assert_eq!((&added["network"], &added["current"]), (&json!(network), &json!(true)));
    desk.json("identity create acme --unencrypted");
    desk.json("record write");
    assert_eq!(node.log().len(), 2);
    desk.json("context add field --node http://127.0.0.1:1 --trust 00000000000000000000000000000000000000000000000000000000000000ff");
    assert_eq!(desk.json("context show")["node"], node.url());
    desk.json("context use field");
    assert_eq!(desk.json("context show")["node"], "http://127.0.0.1:1");
    assert_eq!(desk.json("context show --context lab")["identity"], "acme");
    let list = desk.run("context list").stdout;
    assert!(list.lines().any(|line| line.starts_with("*  field")), "{list}");
}

#[test]
fn options_come_before_variables_before_the_file() {
    let mut desk = Desk::new();
    std::fs::create_dir(desk.home()).unwrap();
    let text = "current = 'a'\n[contexts.a]\nnode = 'http://file'\nidentity = 'file'\n";
    std::fs::write(desk.home().join("contexts.toml"), text).unwrap();
    assert_eq!(desk.json("context show")["node"], "http://file");
    desk.set("TOUCHMARK__CONTEXT__NODE", "http://variable");
    let shown = desk.json("context show");
    assert_eq!((&shown["node"], &shown["identity"]), (&json!("http://variable"), &json!("file")));
    assert_eq!(desk.json("context show --node http://option")["node"], "http://option");
}

#[test]
fn slips_get_a_suggestion() {
    let mut desk = Desk::new();
    desk.json("context add workshop");
    let (exit, error) = desk.error("context use workshp");
    assert_eq!((exit, &error["hint"]), (Exit::Misuse, &json!("did you mean `workshop`?")));
    let path = desk.home().join("contexts.toml");
    std::fs::write(&path, "[contexts.a]\nnoed = 'http://x'\n").unwrap();
    let (exit, error) = desk.error("context list");
    assert_eq!((exit, &error["hint"]), (Exit::Misuse, &json!("did you mean `node`?")));
    assert!(error["what"].as_str().unwrap().contains("contexts.toml"));
}

#[test]
fn without_a_home_commands_that_need_none_still_work() {
    let mut desk = Desk::new();
    desk.set("TOUCHMARK__HOME", "");
    desk.write("a.tmb", bundle::bundle(false));
    let trust = bundle::genesis().network_id();
    assert_eq!(desk.run(&format!("verify a.tmb --trust {trust}")).exit, Exit::Fine);
    let (exit, error) = desk.error("identity list");
    assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-USAGE")));
}
