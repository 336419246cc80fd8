//! What the files of a room may contain.

use super::Findings;
use std::path::Path;

/// A file is worth a question from this length on, in lines before its tests.
const ASK: usize = 600;
/// A file must be split from this length on, in lines before its tests.
const STOP: usize = 1000;

/// Module names that say nothing about the domain.
const MEANINGLESS: &[&str] = &["util", "utils", "manager", "helper", "helpers", "common", "misc"];

/// Rooms that must build without the standard library.
const NO_STD: &[&str] = &["touchmark-wire", "touchmark-core", "touchmark-device"];

/// Rooms whose code is a function of its arguments alone.
const PURE: &[&str] = &["touchmark-wire", "touchmark-core", "touchmark-ledger"];

/// Modules of `std` that reach the outside world.
const OUTSIDE: &[&str] = &["env", "fs", "io", "net", "os", "process", "thread", "random"];

/// Types and crates that read a clock or make up numbers, by any path.
const UNPREDICTABLE: &[&str] =
    &["SystemTime", "Instant", "getrandom", "thread_rng", "OsRng", "ThreadRng", "RandomState"];

/// Judges one file. `place` is its name in messages, `path` where it lies in its package.
pub(super) fn judge(package: &str, place: &str, path: &Path, text: &str, findings: &mut Findings) {
    if let Some(name) = meaningless(path, text) {
        findings.faults.push(format!("{place}: a module called {name} says nothing of the domain"));
    }
    if path == Path::new("src/lib.rs") && NO_STD.contains(&package) && !is_no_std(text) {
        findings.faults.push(format!("{place}: {package} must be #![no_std]"));
    }
    if !path.starts_with("src") || path.ends_with("tests.rs") || path.iter().any(|p| p == "tests") {
        return;
    }
    let code = before_tests(text);
    let lines = code.lines().count();
    if lines > STOP {
        findings.faults.push(format!("{place}: {lines} lines before the tests, limit {STOP}"));
    } else if lines > ASK {
        findings.warnings.push(format!("{place}: {lines} lines before the tests: split it?"));
    }
    if PURE.contains(&package) {
        for (line, name) in impurities(code) {
            let fault = format!("{place}:{line}: {package} is pure and may not name {name}");
            findings.faults.push(fault);
        }
    }
}

/// The part of a file before its module of unit tests.
fn before_tests(text: &str) -> &str {
    let is_start = |at: usize| {
        let module = text[at..].lines().nth(1).unwrap_or_default().trim_start();
        module.starts_with("mod ") || module.starts_with("pub(crate) mod ")
    };
    let starts = text.match_indices("#[cfg(test)]").map(|(at, _)| at);
    let start = starts.filter(|at| is_start(*at)).find(|at| text[*at..].contains('{'));
    &text[..start.unwrap_or(text.len())]
}

fn meaningless<'a>(path: &'a Path, text: &'a str) -> Option<&'a str> {
    let parts = path.iter().filter_map(|part| part.to_str());
    let mut modules = parts.map(|part| part.trim_end_matches(".rs"));
    let inline = || {
        let declared = text.lines().filter_map(|line| {
            let line = line.trim_start();
            let rest = line.split_once("mod ").filter(|(before, _)| {
                before.is_empty() || (before.starts_with("pub") && before.ends_with(' '))
            })?;
            rest.1.split([' ', ';', '{']).next()
        });
        declared.into_iter().find(|name| MEANINGLESS.contains(name))
    };
    modules.find(|name| MEANINGLESS.contains(name)).or_else(inline)
}

fn is_no_std(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        line == "#![no_std]" || (line.starts_with("#![cfg_attr(") && line.ends_with("no_std)]"))
    })
}

/// Names in `code` that reach outside, with their lines.
fn impurities(code: &str) -> Vec<(usize, String)> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    for (at, (line, token)) in tokens.iter().enumerate() {
        let follows = |signs: &[&str]| starts_with(&tokens[at + 1..], signs);
        if UNPREDICTABLE.contains(&token.as_str()) || (token == "rand" && follows(&[":", ":"])) {
            found.push((*line, token.clone()));
        } else if token == "std" && follows(&[":", ":", "{"]) {
            outside_names(&tokens[at + 3..], &mut found);
        } else if token == "std" && follows(&[":", ":"]) {
            let name = tokens.get(at + 3).filter(|(_, name)| OUTSIDE.contains(&name.as_str()));
            found.extend(name.map(|(line, name)| (*line, format!("std::{name}"))));
        }
    }
    found
}

fn starts_with(tokens: &[(usize, String)], signs: &[&str]) -> bool {
    let mut tokens = tokens.iter().map(|(_, token)| token);
    signs.iter().all(|sign| tokens.next().is_some_and(|token| token == sign))
}

/// Collects what reaches outside in a tree of imports, which starts with its brace.
fn outside_names(tree: &[(usize, String)], found: &mut Vec<(usize, String)>) {
    for pair in tree.windows(2) {
        let [(_, before), (line, name)] = pair else {
            continue;
        };
        if before == ";" {
            break;
        }
        if matches!(before.as_str(), "{" | ",") && OUTSIDE.contains(&name.as_str()) {
            found.push((*line, format!("std::{name}")));
        }
    }
}

/// Identifiers and single signs with their line numbers; comments and texts are left out.
fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut tokens = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        let line = without_texts(line);
        let line = line.split("//").next().unwrap_or_default();
        let mut word = String::new();
        for sign in line.chars().chain([' ']) {
            if sign.is_alphanumeric() || sign == '_' {
                word.push(sign);
                continue;
            }
            if !word.is_empty() {
                tokens.push((number, std::mem::take(&mut word)));
            }
            if !sign.is_whitespace() {
                tokens.push((number, sign.to_string()));
            }
        }
    }
    tokens
}

/// A line without what stands between double quotes on it.
fn without_texts(line: &str) -> String {
    let mut rest = String::new();
    let (mut inside, mut escaped) = (false, false);
    for sign in line.chars() {
        match sign {
            '"' if !escaped => inside = !inside,
            _ if !inside => rest.push(sign),
            _ => {}
        }
        escaped = inside && sign == '\\' && !escaped;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(package: &str, path: &str, text: &str) -> Findings {
        let mut findings = Findings::default();
        judge(package, path, Path::new(path), text, &mut findings);
        findings
    }

    fn faults(package: &str, path: &str, text: &str) -> Vec<String> {
        judged(package, path, text).faults
    }

    #[test]
    fn length_counts_lines_before_the_tests() {
        let tests = "\n#[cfg(test)]\nmod tests {\n".to_owned() + &"x\n".repeat(2000);
        let long = |lines: usize| "x\n".repeat(lines - 1) + &tests;
        let warnings = |lines| judged("touchmark-node", "src/a.rs", &long(lines)).warnings.len();
        assert_eq!((warnings(600), warnings(601)), (0, 1));
        assert_eq!(faults("touchmark-node", "src/a.rs", &long(1000)), [""; 0]);
        assert_eq!(
            faults("touchmark-node", "src/a.rs", &long(1001)),
            ["src/a.rs: 1001 lines before the tests, limit 1000"]
        );
        assert_eq!(faults("touchmark-node", "src/a/tests.rs", &"x\n".repeat(2000)), [""; 0]);
        assert_eq!(faults("touchmark-node", "tests/a.rs", &"x\n".repeat(2000)), [""; 0]);
    }

    #[test]
    fn tests_in_a_file_of_their_own_do_not_end_the_count() {
        let text = "#[cfg(test)]\nmod tests;\n".to_owned() + &"x\n".repeat(1001);
        let faults = faults("touchmark-node", "src/a.rs", &text);
        assert_eq!(faults, ["src/a.rs: 1003 lines before the tests, limit 1000"]);
    }

    #[test]
    fn meaningless_modules_are_found_as_files_folders_and_declarations() {
        for (path, text) in [
            ("src/utils.rs", ""),
            ("src/helpers/tap.rs", ""),
            ("src/lib.rs", "pub(crate) mod manager {\n}"),
            ("src/lib.rs", "    mod common;"),
            ("tests/common/mod.rs", ""),
        ] {
            assert_eq!(faults("touchmark-node", path, text).len(), 1, "{path} {text}");
        }
        for (path, text) in [
            ("src/tap.rs", "mod commons;\n// the mod common to all"),
            ("src/receipt.rs", "let common = 1;"),
        ] {
            assert_eq!(faults("touchmark-node", path, text), [""; 0]);
        }
    }

    #[test]
    fn shared_rooms_are_no_std() {
        for text in ["#![no_std]\n", "//! Doc\n#![cfg_attr(not(test), no_std)]\n"] {
            assert_eq!(faults("touchmark-core", "src/lib.rs", text), [""; 0]);
        }
        for text in ["", "// #![no_std]\n", "//! It is `#![no_std]`\n"] {
            assert_eq!(
                faults("touchmark-core", "src/lib.rs", text),
                ["src/lib.rs: touchmark-core must be #![no_std]"]
            );
        }
        assert_eq!(faults("touchmark-node", "src/lib.rs", ""), [""; 0]);
    }

    #[test]
    fn impure_names_are_found_however_they_are_imported() {
        for (text, name) in [
            ("let t = std::time::SystemTime::now();", "SystemTime"),
            ("use std::time::{Duration, Instant};", "Instant"),
            ("std::fs::read(path)", "std::fs"),
            ("use std::net::TcpStream;", "std::net"),
            ("use std::{sync::Arc, env};", "std::env"),
            ("use std::{\n    collections::BTreeMap,\n    fs::{File, read},\n};", "std::fs"),
            ("let x: u8 = rand::random();", "rand"),
            ("getrandom(&mut seed)", "getrandom"),
            ("use std::collections::hash_map::RandomState;", "RandomState"),
        ] {
            let faults = faults("touchmark-ledger", "src/a.rs", text);
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert!(faults[0].ends_with(&format!("may not name {name}")), "{faults:?}");
        }
    }

    #[test]
    fn pure_code_and_impure_rooms_are_left_alone() {
        for text in [
            "use std::sync::Arc;\nuse std::time::Duration;",
            "use core::fmt;\nuse std::{collections::BTreeMap, fmt};",
            "//! Never std::fs, never SystemTime.\nlet x = 1; // no rand::random()",
            "let text = \"std::fs and \\\" Instant\";",
            "fn net(process: u8) {}\nlet operand: env::X;",
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}",
        ] {
            assert_eq!(faults("touchmark-core", "src/a.rs", text), [""; 0], "{text}");
        }
        assert_eq!(faults("touchmark-store", "src/a.rs", "use std::fs;"), [""; 0]);
        assert_eq!(faults("touchmark-core", "tests/a.rs", "use std::fs;"), [""; 0]);
    }
}
