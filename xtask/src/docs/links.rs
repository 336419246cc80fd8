//! Links between documents.

use super::blocks::prose;
use crate::workspace;
use anyhow::Result;
use std::fs;
use std::path::Path;

/// Every relative link below `root` that leads nowhere, as one line each.
pub(super) fn broken(root: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for document in workspace::files(root, "md")? {
        let text = fs::read_to_string(&document)?;
        let folder = document.parent().unwrap_or(root);
        let name = document.strip_prefix(root).unwrap_or(&document).display();
        for (line, link) in links(&text) {
            if let Some(why) = fault(root, folder, &text, &link) {
                faults.push(format!("{name}:{line}: {link}: {why}"));
            }
        }
    }
    Ok(faults)
}

fn fault(root: &Path, folder: &Path, text: &str, link: &str) -> Option<&'static str> {
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let other;
    let document = if path.is_empty() {
        text
    } else {
        let path = match path.strip_prefix('/') {
            Some(from_root) => root.join(from_root),
            None => folder.join(path),
        };
        if !path.exists() {
            return Some("no such file");
        }
        if heading.is_empty() || path.extension().is_none_or(|extension| extension != "md") {
            return None;
        }
        other = fs::read_to_string(path).unwrap_or_default();
        &other
    };
    let known = heading.is_empty() || headings(document).any(|known| known == heading);
    (!known).then_some("no such heading")
}

/// The relative links of a document with their lines: `[text](link)` and `[name]: link`.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        let ends = line.match_indices("](").map(|(at, _)| &line[at + 2..]);
        let inline = ends.filter_map(|rest| rest.split([')', ' ']).next());
        let reference = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        let reference = reference.and_then(|(_, link)| link.split(' ').next());
        let targets = inline.chain(reference).map(|link| link.trim_matches(['<', '>']));
        let relative = targets.filter(|link| !link.is_empty() && !is_absolute(link));
        links.extend(relative.map(|link| (number, link.to_owned())));
    }
    links
}

/// Whether a link has a scheme, such as `https:` or `mailto:`.
fn is_absolute(link: &str) -> bool {
    let scheme = link.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.chars().all(|sign| sign.is_ascii_alphanumeric()))
}

/// A line without what stands between backticks.
fn without_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    let prose = parts.iter().step_by(2);
    prose.copied().collect()
}

/// The names under which a document's headings can be linked to: lower case, spaces as hyphens,
/// other signs left out; a repeated heading gets a number.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let mut seen: Vec<String> = Vec::new();
    let headings = prose(text).filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len() && title.starts_with(' ')).then(|| title.trim().to_lowercase())
    });
    headings.map(move |title| {
        let kept = title.chars().filter(|sign| sign.is_alphanumeric() || " -_".contains(*sign));
        let name: String = kept.map(|sign| if sign == ' ' { '-' } else { sign }).collect();
        let count = seen.iter().filter(|known| **known == name).count();
        seen.push(name.clone());
        if count == 0 { name } else { format!("{name}-{count}") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_ones_outside_code() {
        let text = "[a](b.md) and ![c](d/e.png \"title\") [f](https://g.h) [i](mailto:j@k.l)\n\
                    `[m](n)` [o](#p)\n```\n[q](r)\n```\n[s]: t.md\n";
        let expected = [(1, "b.md"), (1, "d/e.png"), (2, "#p"), (6, "t.md")];
        assert_eq!(links(text), expected.map(|(line, link)| (line, link.to_owned())));
    }

    #[test]
    fn links_to_missing_files_and_headings_are_broken() {
        let root = tempfile::tempdir().unwrap();
        let sub = root.path().join("docs");
        fs::create_dir(&sub).unwrap();
        let a = "# One & `two`\n## Again\n## Again\n[](#one--two) [](#again-1) [](docs/b.md#here) [](/docs)";
        fs::write(root.path().join("a.md"), a).unwrap();
        fs::write(sub.join("b.md"), "# Here\n[](../a.md) [](/a.md#again)").unwrap();
        assert_eq!(broken(root.path()).unwrap(), [""; 0]);
        let b = "[](a.md)\n[](../a.md#nowhere)\n[](#nowhere)\n[](/c)";
        fs::write(sub.join("b.md"), b).unwrap();
        assert_eq!(
            broken(root.path()).unwrap(),
            [
                "a.md:4: docs/b.md#here: no such heading",
                "docs/b.md:1: a.md: no such file",
                "docs/b.md:2: ../a.md#nowhere: no such heading",
                "docs/b.md:3: #nowhere: no such heading",
                "docs/b.md:4: /c: no such file",
            ]
        );
    }
}
