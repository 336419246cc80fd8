//! The licences of what others made: those crates are part of the binary, and most of their
//! licences ask that their text goes with it.

use super::parts::{Origin, Part, Parts};
use anyhow::{Context as _, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

/// How the names of such files begin, in capitals.
const NAMES: &[&str] = &["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// Every licence once, under the crates that come with it.
pub(super) fn text(parts: &Parts) -> Result<String> {
    let foreign = parts.others.iter().filter(|part| part.origin == Origin::Foreign);
    let mut crates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut bare = String::new();
    for part in foreign {
        let name = format!("{} {}", part.name, part.version);
        let texts = texts(part)?;
        if texts.is_empty() {
            writeln!(bare, "{name}: {}", part.license.as_deref().unwrap_or("not said"))?;
        }
        for text in texts {
            crates.entry(text).or_default().insert(name.clone());
        }
    }
    let mut sections: Vec<(Vec<String>, String)> =
        crates.into_iter().map(|(text, names)| (names.into_iter().collect(), text)).collect();
    sections.sort();
    let mut out = "The program touchmark contains these crates, under these licences.\n".to_owned();
    for (names, text) in sections {
        write!(out, "\n{RULE}\n{}\n{RULE}\n\n{text}\n", names.join(", "))?;
    }
    if !bare.is_empty() {
        write!(out, "\n{RULE}\nWithout a text of their own, under the licence named:\n\n{bare}")?;
    }
    Ok(out)
}

const RULE: &str =
    "--------------------------------------------------------------------------------";

/// What a crate says of its licences, as text with plain line ends.
fn texts(part: &Part) -> Result<BTreeSet<String>> {
    let folder = part.manifest.parent().context("a manifest is in a folder")?;
    let mut texts = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if entry.file_type()?.is_file() && NAMES.iter().any(|begin| name.starts_with(begin)) {
            let text = String::from_utf8_lossy(&fs::read(entry.path())?).replace("\r\n", "\n");
            texts.insert(text.trim_end().to_owned());
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::parts::tests::sample;

    #[test]
    fn a_licence_of_two_crates_stands_once_and_none_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut parts = sample();
        for part in &mut parts.others {
            part.manifest = folder.path().join(&part.name).join("Cargo.toml");
            fs::create_dir(part.manifest.parent().unwrap()).unwrap();
        }
        let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
        let bare = text(&parts).unwrap();
        assert!(
            bare.ends_with("a 1.0.0: MIT OR Apache-2.0\nb 1.0.0: MIT OR Apache-2.0\n"),
            "{bare}"
        );
        write("a/LICENSE-MIT", "to whom it may concern\r\n");
        write("b/license.md", "to whom it may concern");
        write("b/NOTICE", "made by b");
        write("b/lib.rs", "no licence");
        let text = text(&parts).unwrap();
        assert_eq!(text.matches("to whom it may concern").count(), 1, "{text}");
        assert!(text.contains("\na 1.0.0, b 1.0.0\n") && text.contains("made by b"), "{text}");
        assert!(
            !text.contains("no licence") && !text.contains("under the licence named"),
            "{text}"
        );
    }
}
