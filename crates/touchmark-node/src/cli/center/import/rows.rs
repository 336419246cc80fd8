//! Tables as rows of named fields.

use super::Form;
use crate::cli::failure::{Failure, Fault};
use serde_json::Value;
use std::collections::BTreeMap;

/// A row of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    /// Its line, from 1.
    pub(super) line: u64,
    /// Its fields by the name of their column.
    pub(super) fields: BTreeMap<String, String>,
}

pub(super) fn read(bytes: &[u8], form: Form) -> Result<Vec<Row>, Failure> {
    match form {
        Form::Csv => csv(bytes),
        Form::Ndjson => ndjson(bytes),
    }
}

fn malformed(line: u64, why: impl std::fmt::Display) -> Failure {
    Failure::new(Fault::Malformed, format!("line {line} of the table cannot be read"))
        .because(why)
        .hint("nothing was initialised; mend the table and import it again")
}

fn csv(bytes: &[u8]) -> Result<Vec<Row>, Failure> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(bytes);
    let heading = reader.headers().map_err(|error| malformed(1, error))?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            malformed(line, error)
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let pairs = heading.iter().zip(record.iter());
        let fields = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        rows.push(Row { line, fields });
    }
    Ok(rows)
}

fn ndjson(bytes: &[u8]) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let object: BTreeMap<String, Value> =
            serde_json::from_slice(text).map_err(|error| malformed(line, error))?;
        let mut fields = BTreeMap::new();
        for (name, value) in object {
            let value = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                Value::Null => continue,
                Value::Array(_) | Value::Object(_) => {
                    return Err(malformed(line, format!("`{name}` is no plain value")));
                }
            };
            fields.insert(name, value);
        }
        rows.push(Row { line, fields });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(row: &Row) -> Vec<(&str, &str)> {
        row.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn both_forms_give_the_same_rows() {
        let csv = read(b"serial, model\nC-1,\"a,b\"\n\"C\n2\",x\nC-3,y\n", Form::Csv).unwrap();
        assert_eq!(fields(&csv[0]), [("model", "a,b"), ("serial", "C-1")]);
        assert_eq!(csv.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3, 5]);
        let lines = b"{\"serial\":\"C-1\",\"n\":1}\n\n{\"serial\":\"C-2\",\"n\":null}\n";
        let json = read(lines, Form::Ndjson).unwrap();
        assert_eq!(fields(&json[0]), [("n", "1"), ("serial", "C-1")]);
        assert_eq!((json[1].line, fields(&json[1])), (3, vec![("serial", "C-2")]));
    }

    #[test]
    fn what_is_no_table_is_told_by_its_line() {
        for (bytes, form, line) in [
            (&b"a,b\n1,2\n1\n"[..], Form::Csv, "line 3"),
            (b"a\n\xff\n", Form::Csv, "line 2"),
            (b"{}\n[]\n", Form::Ndjson, "line 2"),
            (b"{\"a\":{}}", Form::Ndjson, "line 1"),
        ] {
            let failure = read(bytes, form).unwrap_err();
            assert!(failure.what.contains(line), "{}", failure.what);
        }
        assert_eq!(read(b"", Form::Csv).unwrap(), []);
        assert_eq!(read(b"a,b\n", Form::Csv).unwrap(), []);
    }
}
