//! Where upkeep finds the data folder: file, environment and option, as `node run` does.

use crate::node::Node;
use crate::operator;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Exit code and document of a command in `folder`, with the data folder of the environment.
fn command(folder: &Path, variable: Option<&str>, line: &str) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchmark"));
    command.arg("--json").args(line.split(' ')).current_dir(folder);
    command.env("TOUCHMARK__LOG", "error");
    if let Some(data) = variable {
        command.env("TOUCHMARK__NODE__DATA", data);
    }
    let output = command.output().unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn upkeep_finds_the_data_folder_where_the_node_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(folder.path());
    operator::write(&node, 1, 2);
    node.kill();
    let run = |variable, line: &str| command(folder.path(), variable, line);
    fs::create_dir(folder.path().join("etc")).unwrap();
    fs::write(folder.path().join("etc/right.toml"), "[node]\ndata = \"../data\"\n").unwrap();
    fs::write(folder.path().join("etc/wrong.toml"), "[node]\ndata = \"nowhere\"\n").unwrap();

    let (exit, made) = run(None, "node backup --to b1 --config etc/right.toml");
    assert_eq!(exit, 0, "a file names it relative to itself: {made}");
    let (exit, again) = run(Some("data"), "node backup --to b2 --config etc/wrong.toml");
    assert_eq!((exit, &again["root"]), (0, &made["root"]), "the environment overrides: {again}");
    let (exit, again) =
        run(Some("nowhere"), "node backup --to b3 --config etc/wrong.toml --data data");
    assert_eq!((exit, &again["root"]), (0, &made["root"]), "an option overrides both: {again}");

    let (exit, rebuilt) = run(Some("data"), "node rebuild");
    assert_eq!((exit, &rebuilt["root"]), (0, &made["root"]), "{rebuilt}");
    let (exit, restored) = run(Some("copy"), "node restore b1");
    assert_eq!((exit, &restored["root"]), (0, &made["root"]), "{restored}");
    assert!(folder.path().join("copy/ledger").is_dir());
    let (exit, listed) = run(None, "apikey list --config etc/right.toml");
    assert_eq!((exit, &listed["items"]), (0, &Value::Array(Vec::new())), "{listed}");

    for line in ["node backup --to b4", "node rebuild", "node restore b1", "apikey list"] {
        if line != "node restore b1" {
            let (exit, refused) = run(Some("nowhere"), line);
            assert_eq!((exit, operator::error(&refused).0), (2, "TM-NOT-HERE"), "{line}");
        }
        fs::write(folder.path().join("slip.toml"), "[node]\ndatta = \"data\"\n").unwrap();
        let (exit, refused) = run(None, &format!("{line} --config slip.toml"));
        let (code, hint) = operator::error(&refused);
        assert_eq!((exit, code), (2, "TM-CONFIG"), "{line}: {refused}");
        assert!(hint.contains("node.data"), "{line}: {hint}");
    }
}
