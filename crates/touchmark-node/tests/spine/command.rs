//! `node run` as a program: what it says on standard output, from the first byte to the last.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A node that said that it is ready, what it said, and the rest of its output.
fn ready(data: &std::path::Path) -> (Child, serde_json::Value, BufReader<ChildStdout>) {
    let mut running = node(data);
    let mut said = BufReader::new(running.stdout.take().unwrap());
    let mut ready = String::new();
    said.read_line(&mut ready).unwrap();
    (running, serde_json::from_str(&ready).unwrap(), said)
}

fn stop(running: &mut Child) {
    let id = running.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(running.wait().unwrap().code(), Some(0));
}

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

#[cfg(unix)]
#[test]
fn the_first_starts_print_a_code_until_it_was_used() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, said, _out) = ready(folder.path());
    let unused = said["setup"]["code"].as_str().unwrap().to_owned();
    assert_eq!(said["setup"]["page"], format!("{}/setup", said["url"].as_str().unwrap()));
    assert_eq!(said["key"].as_str().unwrap().len(), 64, "{said}");
    stop(&mut first);
    let (mut second, said, _out) = ready(folder.path());
    let code = said["setup"]["code"].as_str().unwrap();
    assert_ne!(code, unused, "the code of a start ends with the next one");
    let url = said["url"].as_str().unwrap();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let ask = |code: &str| {
        let body = serde_json::json!({ "code": code }).to_string();
        let answer = agent.post(format!("{url}/v1/setup")).content_type("application/json");
        let mut answer = answer.send(body).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str::<serde_json::Value>(&text).unwrap())
    };
    assert_eq!(ask(&unused).0, 403);
    let (status, made) = ask(code);
    assert_eq!(status, 201, "{made}");
    let bearer = format!("Bearer {}", made["key"].as_str().unwrap());
    let load = agent.get(format!("{url}/v1/admin/load")).header("authorization", bearer);
    assert_eq!(load.call().unwrap().status(), 200);
    stop(&mut second);
    let (mut third, said, _out) = ready(folder.path());
    assert!(said["setup"].is_null(), "{said}");
    stop(&mut third);
}
