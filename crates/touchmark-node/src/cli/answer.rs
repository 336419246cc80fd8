//! Answers of commands: one JSON document, or a few aligned lines for people.

use super::failure::Exit;
use super::sheet::Sheet;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, Write};

/// What a command has to say.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// For programs.
    pub(crate) document: Value,
    /// For people, or raw bytes that were asked for.
    pub(crate) text: Vec<u8>,
    /// How the command ends.
    pub(crate) exit: Exit,
}

impl Answer {
    /// A document that people read as `text`.
    pub(crate) fn new(document: &impl Serialize, text: impl Into<String>) -> Self {
        let document = serde_json::to_value(document)
            .expect("our types have text as keys and no serializer that fails");
        Self { document, text: text.into().into_bytes(), exit: Exit::Fine }
    }

    /// A sheet, which is its own document.
    pub(crate) fn sheet(sheet: &Sheet) -> Self {
        Self { document: sheet.document(), text: sheet.to_string().into_bytes(), exit: Exit::Fine }
    }

    /// Bytes as they are, unless a document is asked for.
    pub(crate) fn raw(document: Value, bytes: Vec<u8>) -> Self {
        Self { document, text: bytes, exit: Exit::Fine }
    }

    /// Writes the document, or the text for people.
    pub(crate) fn write(&self, json: bool, out: &mut dyn Write) -> io::Result<()> {
        if json {
            writeln!(out, "{}", self.document)?;
        } else {
            out.write_all(&self.text)?;
        }
        out.flush()
    }

    pub(crate) fn ending(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

/// Rows under a heading, in columns as wide as they need to be.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heading: &[&str]) -> Self {
        Self { rows: vec![heading.iter().map(|cell| cell.to_uppercase()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                write!(line, "{cell:<width$}  ")?;
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
