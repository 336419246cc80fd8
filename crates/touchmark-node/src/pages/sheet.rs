//! Explanations, which the command line prints, as definition lists.

use super::wording::{self, id};
use crate::cli::sheet::{Field, Sheet};
use maud::{Markup, html};
use touchmark_api::Base64;
use touchmark_wire::ids::ThingId;

/// Deepest nesting that is shown; a group holds whole payloads.
const DEPTH: u8 = 8;

pub(super) fn list(sheet: &Sheet) -> Markup {
    nested(sheet, 0)
}

fn nested(sheet: &Sheet, depth: u8) -> Markup {
    html! {
        dl.sheet {
            @for (name, value) in sheet.rows() {
                div { dt { (name) } dd { (field(value, depth)) } }
            }
        }
    }
}

fn field(value: &Field, depth: u8) -> Markup {
    if depth == DEPTH {
        return html! { "…" };
    }
    match value {
        Field::Text(text) => html! { (text_of(text)) },
        Field::Number(number) => html! { (number) },
        Field::Flag(flag) => html! { @if *flag { "yes" } @else { "no" } },
        Field::Bytes(bytes) => html! { code.bytes { (Base64(bytes.clone())) } },
        Field::Time(time) => wording::time(*time),
        Field::List(items) if items.is_empty() => html! { "none" },
        Field::List(items) => html! {
            ul.plain { @for item in items { li { (field(item, depth + 1)) } } }
        },
        Field::Sheet(sheet) => nested(sheet, depth + 1),
    }
}

/// A text; the id of a thing leads to its page.
fn text_of(text: &str) -> Markup {
    if text.parse::<ThingId>().is_ok() {
        return id(text);
    }
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    html! { @if is_hash { code.bytes { (text) } } @else { span.text { (text) } } }
}
