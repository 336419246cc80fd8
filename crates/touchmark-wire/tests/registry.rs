//! The specification's page of numbers is that of the code.

use std::fmt::Write as _;
use touchmark_wire::registry::{Row, TABLES};

fn page() -> String {
    let mut page = String::from(
        "# Registry\n\nEvery number of the protocol. The one list in code is \
         `touchmark-wire/src/registry.rs`; a test keeps this page equal to it.\n",
    );
    for (title, rows) in TABLES {
        let _ = write!(page, "\n## {title}\n\n| number | name | meaning |\n|---|---|---|\n");
        for Row { number, name, meaning } in *rows {
            let _ = writeln!(page, "| {number} | {name} |{meaning} |");
        }
    }
    page
}

/// With `TOUCHMARK_REGENERATE` set, writes the page anew.
#[test]
fn the_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/registry.md");
    if std::env::var_os("TOUCHMARK_REGENERATE").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page());
}

#[test]
fn numbers_and_names_are_unique() {
    for (title, rows) in TABLES {
        for (place, row) in rows.iter().enumerate() {
            let earlier = &rows[..place];
            let repeated = earlier.iter().any(|it| it.number == row.number || it.name == row.name);
            assert!(!repeated, "{title}: {row:?}");
        }
    }
}
