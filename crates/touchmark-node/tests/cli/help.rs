//! Help is part of the product: each command's is kept in `help.txt`.
//!
//! After a wanted change: `TOUCHMARK_BLESS=1 cargo test -p touchmark-node --test cli help`.

use super::desk::Desk;
use std::fmt::Write as _;
use touchmark_node::cli::{self, Exit};

const KEPT: &str = include_str!("help.txt");

#[test]
fn the_help_of_every_command_is_as_kept() {
    let mut root = cli::command();
    root.build();
    let mut text = String::new();
    let mut desk = Desk::new();
    for path in paths(&root) {
        let mut words: Vec<&str> = path.iter().map(String::as_str).collect();
        words.push("--help");
        let ended = desk.run_all(&words);
        assert_eq!((ended.exit, ended.stderr.as_str()), (Exit::Fine, ""), "{path:?}");
        writeln!(text, "$ touchmark {}\n{}", words.join(" "), ended.stdout).unwrap();
    }
    if std::env::var_os("TOUCHMARK_BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/help.txt"), &text).unwrap();
        return;
    }
    let differs = text.lines().zip(KEPT.lines()).find(|(now, kept)| now != kept);
    assert_eq!(differs, None, "now, kept");
    assert_eq!(text.lines().count(), KEPT.lines().count());
}

#[test]
fn every_command_takes_json_and_says_what_it_does() {
    let mut root = cli::command();
    root.build();
    for path in paths(&root) {
        let command =
            path.iter().fold(&root, |command, name| command.find_subcommand(name).unwrap());
        assert!(command.get_about().is_some(), "{path:?}");
        let has_json = command.get_arguments().any(|argument| argument.get_id() == "json");
        assert!(has_json, "{path:?}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path:?} {}", argument.get_id());
        }
    }
}

#[test]
fn without_a_command_there_is_help_and_misuse() {
    let mut desk = Desk::new();
    let ended = desk.run("");
    assert_eq!((ended.exit, ended.stdout.as_str()), (Exit::Misuse, ""));
    assert!(ended.stderr.contains("Usage: touchmark"), "{}", ended.stderr);
    assert_eq!(
        desk.run("--version").stdout,
        concat!("touchmark ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn short_help_is_shorter() {
    let mut desk = Desk::new();
    assert!(desk.run("-h").stdout.len() < desk.run("--help").stdout.len());
}

#[test]
fn completions_and_manual_pages_come_from_the_same_description() {
    let mut desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = desk.run(&format!("completions {shell}")).stdout;
        assert!(script.contains("touchmark") && script.contains("inspect"), "{shell}");
    }
    assert!(desk.run("man").stdout.contains(".TH touchmark"));
    desk.json("man --out pages");
    let pages = super::desk::files(&desk.path("pages"));
    assert!(pages.contains(&"touchmark-thing-register.1".to_owned()), "{pages:?}");
}

/// The words that lead to each command, the whole program first.
fn paths(command: &clap::Command) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        for rest in paths(sub) {
            found.push([vec![sub.get_name().to_owned()], rest].concat());
        }
    }
    found
}
