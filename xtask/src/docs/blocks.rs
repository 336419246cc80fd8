//! Fenced blocks of commands in a document.

/// The commands of all blocks of the language `console`, in order. A command goes on over lines
/// that end in a backslash; all other lines of a block are what the reader will see.
pub(super) fn commands(document: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut fence: Option<Fence> = None;
    let mut continued = false;
    for line in document.lines() {
        let line = line.trim_end();
        let Some(open) = &fence else {
            fence = Fence::opened_by(line);
            continued = false;
            continue;
        };
        if open.is_closed_by(line) {
            fence = None;
            continue;
        }
        let line = line.strip_prefix(&open.indent).unwrap_or(line);
        match (open.runs, line.strip_prefix("$ "), commands.last_mut()) {
            (true, _, Some(last)) if continued => {
                last.push('\n');
                last.push_str(line);
            }
            (true, Some(command), _) => commands.push(command.to_owned()),
            _ => continue,
        }
        continued = line.ends_with('\\');
    }
    commands
}

/// A script that says each command before it runs it, and ends what it left running.
pub(super) fn script(commands: &[String]) -> String {
    let start = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n";
    let quoted = |command: &String| command.replace('\'', r"'\''");
    let said = |command| format!("printf '$ %s\\n' '{}'\n{command}\n", quoted(command));
    commands.iter().map(said).fold(start.to_owned(), |script, next| script + &next)
}

/// An open fence.
struct Fence {
    indent: String,
    marks: String,
    runs: bool,
}

impl Fence {
    fn opened_by(line: &str) -> Option<Self> {
        let text = line.trim_start();
        let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let language = text.trim_start_matches(mark);
        let marks = &text[..text.len() - language.len()];
        (marks.len() >= 3).then(|| Self {
            indent: line[..line.len() - text.len()].to_owned(),
            marks: marks.to_owned(),
            runs: language.trim() == "console",
        })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.starts_with(&self.marks) && line.chars().all(|mark| self.marks.starts_with(mark))
    }
}

/// The lines of a document outside fenced blocks, with their numbers.
pub(super) fn prose(document: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<Fence> = None;
    (1..).zip(document.lines()).filter(move |(_, line)| {
        let was_open = fence.is_some();
        match &fence {
            Some(open) if open.is_closed_by(line) => fence = None,
            Some(_) => {}
            None => fence = Fence::opened_by(line),
        }
        !was_open && fence.is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prompts_of_console_blocks_are_commands() {
        let document = "\
$ not a command
```console
$ first
its output
$ second \\
    goes on \\
$ to here
$ third
```
```console,no-run
$ read only
```
```sh
$ not this
```
- in a list
  ```console
  $ indented
  ```
````text
```console
$ quoted
```
````
";
        let expected = ["first", "second \\\n    goes on \\\n$ to here", "third", "indented"];
        assert_eq!(commands(document), expected);
    }

    #[test]
    fn the_script_quotes_what_it_says() {
        assert!(
            script(&["echo 'a'".to_owned()])
                .ends_with("printf '$ %s\\n' 'echo '\\''a'\\'''\necho 'a'\n")
        );
    }

    #[test]
    fn prose_is_what_is_outside_fences() {
        let lines: Vec<_> = prose("a\n```text\nb\n```\nc\n~~~\nd\n~~~\n").collect();
        assert_eq!(lines, [(1, "a"), (5, "c")]);
    }
}
