//! What every command keeps, so that scripts can rely on it.

use super::desk::{Desk, files};
use serde_json::json;
use touchmark_node::cli::{self, Exit};

/// The words of every command that does something.
fn leaves(command: &clap::Command) -> Vec<Vec<String>> {
    let subs = command.get_subcommands().filter(|sub| sub.get_name() != "help");
    let mut found = Vec::new();
    for sub in subs {
        let rest = if sub.has_subcommands() { leaves(sub) } else { vec![Vec::new()] };
        found.extend(rest.into_iter().map(|rest| [vec![sub.get_name().to_owned()], rest].concat()));
    }
    found
}

fn all() -> Vec<(Vec<String>, clap::Command)> {
    let mut root = cli::command();
    root.build();
    let find = |path: &[String]| {
        path.iter().fold(&root, |command, name| command.find_subcommand(name).unwrap()).clone()
    };
    leaves(&root).into_iter().map(|path| (path.clone(), find(&path))).collect()
}

#[test]
fn every_command_has_a_manual_page_and_global_options() {
    let mut desk = Desk::new();
    desk.json("man --out pages");
    let pages = files(&desk.path("pages"));
    for (path, command) in all() {
        let page = format!("touchmark-{}.1", path.join("-"));
        assert!(pages.contains(&page), "{page}");
        let text = std::fs::read_to_string(desk.path("pages").join(&page)).unwrap();
        let about = command.get_about().unwrap().to_string();
        assert!(about.chars().count() > 10 && !about.ends_with('.'), "{path:?}: {about}");
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
        for option in ["json", "node", "context", "home"] {
            let known = command.get_arguments().any(|it| it.get_id() == option);
            assert!(known, "{path:?} --{option}");
        }
    }
}

#[test]
fn every_command_answers_misuse_with_one_document_and_a_code() {
    let mut desk = Desk::new();
    // Inspect takes whatever it is given.
    for (path, _) in all().into_iter().filter(|(path, _)| path[0] != "inspect") {
        let line = format!("{} --no-such-option", path.join(" "));
        let (exit, error) = desk.error(&line);
        assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-USAGE")), "{line}");
        assert!(!error["what"].as_str().unwrap().is_empty(), "{line}");
        let ended = desk.run(&line);
        assert_eq!((ended.exit, ended.stdout.as_str()), (Exit::Misuse, ""), "{line}");
    }
}

/// What changes many things at once can be tried first.
#[test]
fn every_bulk_mutation_has_a_dry_run() {
    let takes_files = |command: &clap::Command| {
        command.get_positionals().any(|it| {
            let is_file = it.get_value_names().is_some_and(|names| names[0] == "FILE");
            is_file && it.get_num_args().is_some_and(|count| count.max_values() > 1)
        })
    };
    // These only read.
    let readers = ["verify", "inspect"];
    for (path, command) in all() {
        let is_bulk = takes_files(&command) || path.last().is_some_and(|verb| verb == "import");
        if is_bulk && !readers.contains(&path[0].as_str()) {
            let has = command.get_arguments().any(|it| it.get_long() == Some("dry-run"));
            assert!(has, "{path:?}");
        }
    }
}
