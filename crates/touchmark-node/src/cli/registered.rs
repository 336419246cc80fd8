//! Arguments that are registered names; clap lists them and suggests the nearest.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::registry::{ContentFormat, EvidenceFormat, Row, Status, ThingKind, Writers};

fn names(rows: &'static [Row]) -> PossibleValuesParser {
    let values = rows.iter().map(|row| PossibleValue::new(row.name).help(row.meaning.trim()));
    PossibleValuesParser::new(values)
}

pub(super) fn thing_kind() -> impl TypedValueParser<Value = ThingKind> {
    names(ThingKind::ROWS).try_map(|name| ThingKind::from_name(&name).ok_or(Unregistered))
}

pub(super) fn status() -> impl TypedValueParser<Value = Status> {
    names(Status::ROWS).try_map(|name| Status::from_name(&name).ok_or(Unregistered))
}

pub(super) fn writers() -> impl TypedValueParser<Value = Writers> {
    names(Writers::ROWS).try_map(|name| Writers::from_name(&name).ok_or(Unregistered))
}

pub(super) fn evidence_format() -> impl TypedValueParser<Value = EvidenceFormat> {
    names(EvidenceFormat::ROWS).try_map(|name| EvidenceFormat::from_name(&name).ok_or(Unregistered))
}

pub(super) fn algorithm() -> impl TypedValueParser<Value = Algorithm> {
    let names = PossibleValuesParser::new(Algorithm::ALL.map(Algorithm::name));
    names.try_map(|name| Algorithm::from_name(&name).ok_or(Unregistered))
}

/// A media type, its last part, a file's usual ending, or the number of a CoAP Content-Format.
pub(super) fn content_format(text: &str) -> Result<ContentFormat, String> {
    if let Ok(number) = text.parse() {
        return Ok(ContentFormat(number));
    }
    let known = ContentFormat::ROWS.iter().map(|row| row.name);
    let short = |name: &'static str| name.rsplit('/').next().unwrap_or(name);
    let found = match text {
        "text" | "txt" => Some("text/plain"),
        "octets" | "bin" => Some("application/octet-stream"),
        "senml" => Some("application/senml+json"),
        _ => known.clone().find(|name| *name == text || short(name) == text),
    };
    found.and_then(ContentFormat::from_name).ok_or_else(|| {
        let shorts: Vec<_> = known.map(short).collect();
        let guess = crate::suggestion::nearest(text, shorts.iter().copied());
        let guess = guess.map(|guess| format!("did you mean `{guess}`? ")).unwrap_or_default();
        format!("{guess}known are {} and any number", shorts.join(", "))
    })
}

#[derive(Debug)]
pub(super) struct Unregistered;

impl std::fmt::Display for Unregistered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a registered name")
    }
}

impl std::error::Error for Unregistered {}
