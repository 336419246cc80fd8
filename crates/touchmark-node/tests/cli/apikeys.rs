//! Keys of a node's administrative interface.

use super::desk::{Desk, files};
use touchmark_node::cli::Exit;

/// A desk with a folder that looks like a node's.
fn desk() -> Desk {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("data")).unwrap();
    desk.write("data/genesis.cbor", "a network");
    desk
}

#[test]
fn a_key_is_shown_once_and_listed_until_it_is_revoked() {
    let mut desk = desk();
    assert_eq!(desk.json("apikey list --data data")["items"], serde_json::json!([]));
    let made = desk.json("apikey create ops --scope read --scope operate --days 30 --data data");
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert!(key.starts_with(&format!("tmk_{id}_")), "{made}");
    let listed = desk.json("apikey list --data data");
    let item = &listed["items"][0];
    assert_eq!(
        (&item["id"], &item["scopes"]),
        (&made["id"], &serde_json::json!(["read", "operate"]))
    );
    let life = item["expires"].as_u64().unwrap() - item["created"].as_u64().unwrap();
    assert_eq!((life, &item["expired"]), (30 * 86_400_000, &false.into()));
    let shown = desk.run("apikey list --data data");
    assert!(shown.stdout.contains(id) && !shown.stdout.contains(key), "{}", shown.stdout);
    desk.json(&format!("apikey revoke {id} --data data"));
    assert_eq!(desk.json("apikey list --data data")["items"], serde_json::json!([]));
    assert_eq!(desk.error(&format!("apikey revoke {id} --data data")).0, Exit::Misuse);
}

#[test]
fn no_key_is_made_where_there_is_no_node_and_none_exists_by_default() {
    let mut desk = desk();
    assert!(!files(&desk.path("data")).iter().any(|name| name.starts_with("apikeys")));
    let (exit, error) = desk.error("apikey create ops --scope read --data elsewhere");
    assert_eq!(exit, Exit::Misuse);
    assert!(error["hint"].as_str().unwrap().contains("--data"), "{error}");
    assert_eq!(desk.run("apikey create ops --data data").exit, Exit::Misuse, "no scope");
    assert_eq!(desk.run("apikey create ops --scope all --data data").exit, Exit::Misuse);
    assert_eq!(desk.run("apikey create ops --scope read --days 0 --data data").exit, Exit::Misuse);
}

#[test]
fn a_set_up_code_is_shown_once_and_takes_the_place_of_the_one_before() {
    let mut desk = desk();
    let made = desk.json("apikey setup --data data");
    let code = made["code"].as_str().unwrap();
    assert_eq!((code.len(), &made["page"]), (23, &"/setup".into()), "{made}");
    let next = desk.json("apikey setup --data data");
    assert_ne!(code, next["code"]);
    assert_eq!(desk.json("apikey list --data data")["items"], serde_json::json!([]));
    for name in files(&desk.path("data")) {
        let kept = std::fs::read_to_string(desk.path("data").join(&name)).unwrap();
        assert!(!kept.contains(next["code"].as_str().unwrap()), "{name}");
    }
    assert_eq!(desk.error("apikey setup --data elsewhere").0, Exit::Misuse);
}
