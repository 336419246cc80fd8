//! The configuration file: its keys with their lines, nothing of what they mean.

use super::{Fault, Key, SECTIONS};
use crate::suggestion;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A key that a file sets.
pub(super) struct Setting {
    pub(super) key: &'static Key,
    pub(super) value: String,
    /// File and line.
    pub(super) place: String,
}

/// Reads the text of the file at `path`: what it sets, and all that is wrong with it.
pub(super) fn read(path: &Path, text: &str) -> (Vec<Setting>, Vec<Fault>) {
    let mut reading = Reading { path, text, settings: Vec::new(), faults: Vec::new() };
    match DeTable::parse(text) {
        Ok(table) => reading.sections(table.get_ref()),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            reading.fault(at, format!("not TOML: {}", error.message()), EXAMPLE.into());
        }
    }
    (reading.settings, reading.faults)
}

const EXAMPLE: &str = "`touchmark config example` prints a file that is right";

struct Reading<'a> {
    path: &'a Path,
    text: &'a str,
    settings: Vec<Setting>,
    faults: Vec<Fault>,
}

impl Reading<'_> {
    fn sections(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let (at, name) = (name.span().start, name.get_ref().as_ref());
            let known = SECTIONS.iter().find(|section| section.name == name);
            let Some(section) = known else {
                let near = suggestion::nearest(name, SECTIONS.iter().map(|it| it.name));
                self.fault(at, format!("there is no section `{name}`"), did_you_mean(near));
                continue;
            };
            match value.get_ref() {
                DeValue::Table(keys) => self.keys(section.name, keys),
                _ => self.fault(at, format!("`{name}` is a section"), format!("write [{name}]")),
            }
        }
    }

    fn keys(&mut self, section: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let at = name.span().start;
            let full = format!("{section}.{}", name.get_ref());
            let Some(key) = Key::named(&full) else {
                let near = suggestion::nearest(&full, Key::all().map(|key| key.name));
                self.fault(at, format!("there is no key `{full}`"), did_you_mean(near));
                continue;
            };
            match text_of(value) {
                Some(value) => {
                    self.settings.push(Setting { key, value, place: self.place(at) });
                }
                None => self.fault(
                    at,
                    format!("`{full}` takes one value"),
                    "write a text in quotes, or a number".into(),
                ),
            }
        }
    }

    fn place(&self, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or_default();
        format!("{}:{}", self.path.display(), before.matches('\n').count() + 1)
    }

    fn fault(&mut self, at: usize, what: String, hint: String) {
        self.faults.push(Fault { place: self.place(at), what, hint });
    }
}

/// A single value as text.
fn text_of(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Boolean(value) => Some(value.to_string()),
        _ => None,
    }
}

pub(super) fn did_you_mean(near: Option<&str>) -> String {
    near.map_or_else(|| EXAMPLE.to_owned(), |near| format!("did you mean `{near}`?"))
}
