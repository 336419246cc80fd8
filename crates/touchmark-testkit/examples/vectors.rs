//! Writes our own files of spec/vectors into the folder that is the first argument.

use serde_json::Value;
use std::path::PathBuf;
use touchmark_testkit::vectors;

/// A file and what is in it.
struct Row {
    file: &'static str,
    generate: fn() -> Value,
}

const FILES: &[Row] = &[
    Row { file: "anchors.json", generate: vectors::anchors },
    Row { file: "certified-batches.json", generate: vectors::batches },
    Row { file: "hand-overs.json", generate: vectors::handovers },
    Row { file: "ratchet.json", generate: vectors::ratchet },
    Row { file: "status-proof.json", generate: vectors::status_proof },
    Row { file: "statements.json", generate: vectors::statements },
    Row { file: "words.json", generate: vectors::words },
];

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("the first argument is a folder"));
    for Row { file, generate } in FILES {
        let text = serde_json::to_string_pretty(&generate()).expect("a value has a text") + "\n";
        std::fs::write(folder.join(file), text).expect("the folder is there");
    }
}
