//! Leaves, for people.

use super::answer::Table;
use super::explain;
use super::sheet::{Field, Sheet};
use super::view;
use touchmark_api::{Kind, LeafView, Listing};

/// A list of leaves, one line each.
pub(super) fn table(listing: &Listing<LeafView>) -> String {
    let mut table = Table::new(&["leaf", "what", "kind", "issuer", "place", "note"]);
    for leaf in &listing.items {
        let statement = leaf.statement.as_ref();
        let of = |part: fn(&touchmark_api::StatementView) -> String| {
            statement.map(part).unwrap_or_default()
        };
        table.row([
            leaf.index.to_string(),
            kind(leaf.kind).to_owned(),
            of(|statement| statement.kind.clone()),
            of(|statement| statement.issuer.clone()),
            of(|statement| statement.sequence.to_string()),
            note(leaf),
        ]);
    }
    table.to_string() + &view::more(listing.next.as_deref())
}

/// One leaf with what is in it.
pub(super) fn sheet(leaf: &LeafView) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("leaf", leaf.index).add("what", kind(leaf.kind));
    sheet.add_some("why", leaf.code.as_deref());
    sheet.add("hash", leaf.hash.as_str());
    if let Some(confidence) = &leaf.confidence {
        sheet.add("confidence", confidence.level.as_str());
        let reasons = confidence.reasons.iter().map(|it| format!("{} [{}]", it.reason, it.code));
        sheet.add("reasons", reasons.collect::<Field>());
    }
    match explain::leaf(&leaf.bytes.0) {
        Ok(inside) => sheet.add("content", inside),
        Err(error) => sheet.add("content", error.to_string()),
    };
    sheet
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Accepted => "accepted",
        Kind::Denied => "denied",
        Kind::Fork => "fork",
        Kind::Evidence => "evidence",
        Kind::Sighting => "sighting",
        Kind::Batch => "batch",
        Kind::Unknown => "unknown",
    }
}

fn note(leaf: &LeafView) -> String {
    let code = leaf.code.clone();
    let fork = leaf.first.map(|first| format!("first at {first}"));
    let evidence = leaf
        .evidence
        .as_ref()
        .map(|evidence| format!("{} {} #{}", evidence.format, evidence.thing, evidence.counter));
    [code, fork, evidence].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
