//! Commands as an operator gives them, and statements to have something to lose.

use crate::issuer::Issuer;
use crate::node::Node;
use crate::writer::Written;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::registry::ThingKind;
use touchmark_wire::statement::Statement;

/// Exit code and the one document of `touchmark node` with these arguments and a data folder.
pub(crate) fn node(arguments: &[&str], data: &Path) -> (i32, Value) {
    command(&[arguments, &["--data", data.to_str().unwrap()]].concat())
}

/// Exit code and the one document of `touchmark node` with these arguments.
pub(crate) fn command(arguments: &[&str]) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_touchmark"))
        .args(["--json", "node"])
        .args(arguments)
        .env("TOUCHMARK__LOG", "error")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "one document: {text}");
    (output.status.code().unwrap(), serde_json::from_str(&text).unwrap())
}

/// Code and hint of an error.
pub(crate) fn error(document: &Value) -> (&str, &str) {
    let text = |name: &str| document["error"][name].as_str().unwrap();
    (text("code"), text("hint"))
}

/// Lets new things write some records each; what was answered.
pub(crate) fn write(node: &Node, things: usize, records: usize) -> Vec<Written> {
    let client = node.client();
    let network = node.network();
    let mut written = Vec::new();
    for _ in 0..things {
        let mut issuer = Issuer::new(network, ThingKind::DEVICE, Algorithm::Ed25519);
        let mut statements = vec![issuer.inception()];
        statements.extend((0..records).map(|_| issuer.record(b"a reading")));
        for bytes in statements {
            let answer = client.submit_statement(&bytes).unwrap();
            let id = Statement::parse(&bytes).unwrap().id();
            written.push(Written { id, bytes, position: answer.position });
        }
    }
    written
}
