//! The search box: recognises what somebody holds in hand, and says what it took it for.

use super::address::Asked;
use super::document::Document;
use super::reader::Reader;
use super::unable::Unable;
use super::wording::{self, capital};
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use touchmark_api::client::{Page, ThingsQuery};
use touchmark_api::{ChannelView, LeafView, Listing, NetworkView, Problem, ThingView};
use touchmark_core::evidence;
use touchmark_wire::ids::{ChannelId, Did, ThingId};
use touchmark_wire::registry::EvidenceFormat;

/// What somebody searches for.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    cursor: Option<String>,
}

/// Things of one page of results.
const RESULTS: u32 = 20;

/// What a text can be taken for without asking the ledger: the name in an address, and its words.
const TAKEN: [(&str, &str); 3] =
    [("id", "a thing id"), ("did", "a DID"), ("tap", "the address that a card's tap opens")];

/// The words for a name that an address has; nothing for another text.
pub(super) fn known(name: &str) -> Option<&'static str> {
    TAKEN.iter().find(|(known, _)| *known == name).map(|(_, words)| *words)
}

/// `GET /search?q=…`
pub(super) async fn page(
    State(reader): State<Reader>,
    Asked(asked): Asked<Wanted>,
) -> Result<Response, Unable> {
    let text = asked.q.trim();
    if text.is_empty() {
        return Ok(Redirect::to("/").into_response());
    }
    if let Some(channel) = channel_of(&reader, text).await {
        return Ok(Redirect::to(&format!("/c/{channel}")).into_response());
    }
    if let Some((thing, taken)) = thing_of(text) {
        return Ok(Redirect::to(&format!("/t/{thing}?taken={taken}")).into_response());
    }
    let mut found = Vec::new();
    if let Ok(position) = text.parse::<u64>() {
        found.extend(
            leaf(&reader, &format!("/v1/leaves/{position}"), "A position of the log").await?,
        );
    }
    let hash = text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase();
    if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        found.extend(hashed(&reader, &hash).await?);
    }
    let attributes = attributes(&reader, text, asked.cursor.as_deref()).await?;
    let main = results(text, &found, &attributes);
    Ok(Document::new("Search", main).searched(text).into_response())
}

/// The thing that a text names by itself, and how.
fn thing_of(text: &str) -> Option<(ThingId, &'static str)> {
    let lower = text.to_ascii_lowercase();
    if let Ok(thing) = lower.parse() {
        return Some((thing, "id"));
    }
    if let Ok(did) = text.parse::<Did>() {
        return Some((did.thing, "did"));
    }
    let tap = evidence::parse(EvidenceFormat::CARD_URL, text.as_bytes()).ok()?;
    Some((tap.thing, "tap"))
}

/// The channel with this id: things have ids of the same form, so only the ledger can tell.
async fn channel_of(reader: &Reader, text: &str) -> Option<ChannelId> {
    let channel: ChannelId = text.to_ascii_lowercase().parse().ok()?;
    let found: Result<ChannelView, _> = reader.json(&format!("/v1/channels/{channel}")).await;
    found.ok().map(|_| channel)
}

/// Something that was found under one meaning of the text.
struct Found {
    taken_for: &'static str,
    title: String,
    href: String,
}

async fn leaf(
    reader: &Reader,
    path: &str,
    taken_for: &'static str,
) -> Result<Option<Found>, Problem> {
    match reader.json::<LeafView>(path).await {
        Ok(view) => Ok(Some(Found {
            taken_for,
            title: format!("{} at leaf {}", wording::what(&view), view.index),
            href: format!("/r/{}", view.index),
        })),
        Err(problem) if problem.status == 404 => Ok(None),
        Err(problem) => Err(problem),
    }
}

async fn hashed(reader: &Reader, hash: &str) -> Result<Vec<Found>, Problem> {
    let mut found = Vec::new();
    let statement = format!("/v1/statements/{hash}");
    found.extend(leaf(reader, &statement, "The id of a statement").await?);
    found.extend(leaf(reader, &format!("/v1/evidence/{hash}"), "The id of evidence").await?);
    let network: NetworkView = reader.json("/v1/network").await?;
    if network.network == hash {
        let (title, href) = ("This network".to_owned(), "/".to_owned());
        found.push(Found { taken_for: "The id of a network", title, href });
    }
    Ok(found)
}

/// Things with an attribute of this value, else of a value that begins so.
struct Attributes {
    things: Listing<ThingView>,
    is_exact: bool,
}

async fn attributes(
    reader: &Reader,
    text: &str,
    cursor: Option<&str>,
) -> Result<Attributes, Problem> {
    let page = Page { cursor: cursor.map(str::to_owned), limit: Some(RESULTS) };
    let exact = ThingsQuery { value: Some(text.to_owned()), page, ..ThingsQuery::default() };
    let prefix = ThingsQuery { prefix: exact.value.clone(), value: None, ..exact.clone() };
    let path = |query: &ThingsQuery| format!("/v1/things{}", query.to_query());
    let things: Listing<ThingView> = reader.json(&path(&exact)).await?;
    if !things.items.is_empty() {
        return Ok(Attributes { things, is_exact: true });
    }
    Ok(Attributes { things: reader.json(&path(&prefix)).await?, is_exact: false })
}

fn results(text: &str, found: &[Found], attributes: &Attributes) -> Markup {
    let things = &attributes.things.items;
    html! {
        h1 { "Search" }
        p { "You asked for " q { (text) } "." }
        @for hit in found {
            section.hit {
                p.label { "Taken for: " (hit.taken_for) }
                p { a.button.strong href=(hit.href) { (hit.title) } }
            }
        }
        @if !things.is_empty() {
            section aria-labelledby="attribute" {
                p.label #attribute {
                    @if attributes.is_exact { "Taken for: the value of an attribute" }
                    @else { "Taken for: the start of an attribute's value" }
                }
                ol.entries {
                    @for thing in things { (entry(thing)) }
                }
                @if let Some(next) = &attributes.things.next {
                    form action="/search" method="get" {
                        input type="hidden" name="q" value=(text);
                        input type="hidden" name="cursor" value=(next);
                        button type="submit" { "More" }
                    }
                }
            }
        }
        @if found.is_empty() && things.is_empty() {
            section.verdict.unknown {
                (wording::verdict(
                    "Nothing here has this id, hash, position or attribute",
                    "It was looked for as: position of the log (a number), statement, evidence or \
                     network (64 hexadecimal digits), and as the beginning of an attribute's value, \
                     such as a serial number. Ids of things have 32 characters of a–z and 2–7.",
                    "that there is no such thing: it may be in another network, or be called otherwise.",
                ))
            }
        }
    }
}

fn entry(thing: &ThingView) -> Markup {
    let (tone, word, _) = wording::standing(thing);
    html! {
        li {
            a href={ "/t/" (thing.id) } {
                span.what { (wording::name(thing)) }
                span.where { (capital(&thing.kind)) }
            }
            span.badge.(tone.class()) { (word) }
            span.by { code.bytes { (thing.id) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_dids_are_recognised_and_other_texts_are_not() {
        let thing = ThingId([9; 20]);
        let id = thing.to_string();
        assert_eq!(thing_of(&id), Some((thing, "id")));
        assert_eq!(thing_of(&id.to_uppercase()), Some((thing, "id")));
        let network = touchmark_wire::ids::NetworkId(touchmark_wire::hash::Digest([1; 32]));
        assert_eq!(thing_of(&thing.did(&network).to_string()), Some((thing, "did")));
        for text in ["", "4711", "did:web:example.org", "https://example.org/?i=1", &id[1..]] {
            assert_eq!(thing_of(text), None, "{text}");
        }
        assert_eq!(known("<script>"), None);
    }
}
