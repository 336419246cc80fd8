//! `node run` as a program: what it says on standard output, from the first byte to the last.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

fn node(data: &std::path::Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_touchmark"))
        .args(["--json", "node", "run", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("TOUCHMARK__LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[cfg(unix)]
#[test]
fn a_node_answers_with_exactly_one_document() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = node(folder.path());
    let mut said = BufReader::new(running.stdout.take().unwrap());
    let mut ready = String::new();
    said.read_line(&mut ready).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    assert!(ready["url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    // A second node on the folder: one document too, which says why not.
    let refused = node(folder.path()).wait_with_output().unwrap();
    assert_eq!(refused.status.code(), Some(3));
    let document: serde_json::Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(document["error"]["code"], "TM-BUSY");
    let id = running.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    let mut log = String::new();
    running.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!((rest.as_str(), running.wait().unwrap().code()), ("", Some(0)), "{log}");
    assert!(log.ends_with("stopped\n"), "{log}");
}
