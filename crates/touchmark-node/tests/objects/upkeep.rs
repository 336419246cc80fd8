//! What an operator does to a folder whose old leaves are elsewhere.

use super::service::Service;
use super::story::{Story, wait_until_sealed, write};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Exit code and document of a command.
fn run(arguments: &[&str], variables: &[(&str, String)]) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_touchmark"))
        .arg("--json")
        .args(arguments)
        .env("TOUCHMARK__LOG", "error")
        .envs(variables.iter().map(|(name, value)| (*name, value.as_str())))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), output.stderr);
    assert!(!out.contains("a-secret") && !String::from_utf8(err).unwrap().contains("a-secret"));
    (output.status.code().unwrap(), serde_json::from_str(&out).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// One check of `doctor`.
fn checked(document: &Value, name: &str) -> Option<String> {
    let checks = document["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name)?;
    Some(check["verdict"].as_str().unwrap().to_owned())
}

#[test]
fn backups_rebuilds_and_the_doctor_know_where_old_leaves_are() {
    let Some(service) = Service::start() else { return };
    let story = Story::of(&service);
    let mut node = story.start();
    let records = write(&node, 2_000);
    let sealed = wait_until_sealed(&node);
    let network = node.network();
    node.kill();
    let (data, backup) = (story.path("data"), story.path("backup"));
    let with = &story.variables[..];

    assert!(story.start_unsealed().is_none(), "nobody says where they are");
    let (exit, refused) = run(&["node", "rebuild", "--data", text(&data)], &[]);
    assert_eq!((exit, &refused["error"]["code"]), (3, &"TM-OBJECT-STORAGE".into()));
    let (exit, found) = run(&["doctor", "--data", text(&data)], with);
    assert_eq!((exit, checked(&found, "object storage").as_deref()), (0, Some("fine")), "{found}");
    let (_, found) = run(&["doctor", "--data", text(&data)], &[]);
    assert_eq!(checked(&found, "object storage").as_deref(), Some("failed"), "{found}");

    // A copy needs the service only where all of it is to be checked.
    service.gate.cut();
    let (exit, made) = run(&["node", "backup", "--to", text(&backup), "--data", text(&data)], with);
    assert_eq!((exit, &made["sealed"]), (0, &sealed.into()), "{made}");
    let (exit, _) = run(&["node", "verify-backup", text(&backup)], &[]);
    assert_eq!(exit, 0);
    let all = ["node", "verify-backup", text(&backup), "--objects"];
    let (exit, refused) = run(&all, with);
    assert_eq!((exit, &refused["error"]["code"]), (3, &"TM-OBJECT-STORAGE".into()));
    service.gate.open();
    assert_eq!(run(&all, with).0, 0);
    assert_eq!(run(&all, &[]).0, 2, "nobody says where they are");
    let key = format!("logs/{network}/tile/entries/002");
    let whole = service.object(&key).unwrap();
    let mut forged = whole.clone();
    *forged.last_mut().unwrap() ^= 1;
    service.replace(&key, &forged);
    assert_eq!(run(&all, with).0, 3);
    let (exit, refused) = run(&["node", "rebuild", "--data", text(&data)], with);
    assert_eq!((exit, &refused["error"]["code"]), (4, &"TM-CORRUPT".into()), "{refused}");
    service.replace(&key, &whole);

    fs::rename(data.join("ledger"), story.path("lost")).unwrap();
    let (exit, restored) = run(&["node", "restore", text(&backup), "--data", text(&data)], with);
    assert_eq!((exit, &restored["sealed"]), (0, &sealed.into()), "{restored}");
    let (exit, rebuilt) = run(&["node", "rebuild", "--data", text(&data)], with);
    assert_eq!((exit, &rebuilt["root"]), (0, &made["root"]), "{rebuilt}");
    let node = story.start();
    for (leaf, bytes) in records.leaves.iter().step_by(211) {
        assert_eq!(node.client().leaf_bytes(*leaf).unwrap(), *bytes);
    }
    write(&node, 10);
}
