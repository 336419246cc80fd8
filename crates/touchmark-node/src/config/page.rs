//! The example file and the reference page, made from the table of keys.

use super::{Config, Key, SECTIONS};
use std::fmt::Write as _;

/// A file with every key at its default.
pub fn example() -> String {
    let config = Config::default();
    let mut text = String::from(
        "# Configuration of a Touchmark node. Every key has its default here; what is left out\n\
         # keeps it. Environment variables come before this file, options before both.\n",
    );
    for section in SECTIONS {
        let _ = write!(text, "\n# {}.\n[{}]\n", section.about, section.name);
        for key in section.keys {
            let name = short(key);
            let _ = writeln!(text, "# {}.", key.about);
            let _ = match key.toml(&config) {
                none if none.is_empty() => writeln!(text, "# {name} = \"\""),
                value if key.name == "node.data" => writeln!(text, "# {name} = {value}"),
                value => writeln!(text, "{name} = {value}"),
            };
        }
    }
    text
}

/// Every key as a table of a Markdown page.
pub fn reference() -> String {
    let mut text = String::from(
        "| key | default | environment variable | option | what |\n|---|---|---|---|---|\n",
    );
    for key in Key::all() {
        let default = match key.default {
            "" => "none".to_owned(),
            default => format!("`{default}`"),
        };
        let (name, variable, flag, about) = (key.name, key.variable(), key.flag, key.about);
        let _ = writeln!(text, "| `{name}` | {default} | `{variable}` | `--{flag}` | {about} |");
    }
    text
}

fn short(key: &Key) -> &'static str {
    key.name.split_once('.').map_or(key.name, |(_, short)| short)
}
