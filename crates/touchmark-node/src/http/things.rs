//! Lists of things, and the search among them.
//!
//! Every page comes from one index, the narrowest for what is asked; what that index does not
//! decide is looked up for at most [`EXAMINED`] things a page, so a page may be short and have a
//! next one.

use super::answer::Negative;
use super::extract::{Paging, Params, malformed_cursor, order, parsed};
use super::reading::view;
use crate::node::Node;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use std::str::FromStr;
use std::sync::Arc;
use touchmark_api::{Base64, Listing, ThingView};
use touchmark_core::roster::{NUMBER, SERIAL};
use touchmark_store::{ListedThing, Listing as List, Match, Order, Search, Snapshot, Value};
use touchmark_wire::codec;
use touchmark_wire::ids::{LeafIndex, ThingId};
use touchmark_wire::registry::{Status, ThingKind};

/// Most things that are looked up for a page.
const EXAMINED: usize = 1_000;

/// Which things to list.
#[derive(Deserialize)]
pub(super) struct Filter {
    kind: Option<String>,
    controller: Option<String>,
    status: Option<String>,
    number: Option<String>,
    serial: Option<String>,
    q: Option<String>,
    attribute: Option<String>,
    value: Option<String>,
    prefix: Option<String>,
    order: Option<String>,
}

/// `GET /v1/things`
pub(super) async fn things(
    State(node): State<Arc<Node>>,
    Params(paging): Params<Paging>,
    Params(filter): Params<Filter>,
) -> Result<Json<Listing<ThingView>>, Negative> {
    let asked = Asked::new(filter)?;
    let after = paging.after()?;
    let reader = node.store.snapshot();
    let limit = paging.limit();
    let examined = if asked.is_decided_by_index() { limit } else { EXAMINED.max(limit) };
    let rows = asked.rows(&reader, after.as_ref(), examined + 1)?;
    let (mut items, mut last) = (Vec::<ThingView>::new(), None);
    for row in rows.iter().take(examined) {
        last = Some(row);
        if !asked.may_match(row) {
            continue;
        }
        let thing = view(&node, &reader, row.thing())?.filter(|thing| asked.matches(thing));
        // A text may stand in several attributes of a thing.
        items.extend(thing.filter(|thing| !items.iter().any(|known| known.id == thing.id)));
        if items.len() == limit {
            break;
        }
    }
    let more = last.filter(|last| rows.last().is_some_and(|end| end != *last));
    Ok(Json(Listing { items, next: more.map(Row::cursor) }))
}

/// A text that an attribute shall have.
struct Text {
    name: Option<String>,
    value: String,
    whole: Whole,
}

/// How much of the value a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    All,
    Beginning,
}

impl Text {
    fn value(&self) -> Value<'_> {
        let value = &self.value;
        match (self.whole, &self.name) {
            (Whole::All, Some(name)) => Value::Of { name, value },
            (Whole::All, None) => Value::Exact(value),
            (Whole::Beginning, _) => Value::Prefix(value),
        }
    }

    /// Whether the index finds nothing else.
    fn is_decided_by_index(&self) -> bool {
        self.whole == Whole::All || self.name.is_none()
    }

    fn is_in(&self, thing: &ThingView) -> bool {
        let fits = |value: &String| match self.whole {
            Whole::All => *value == self.value,
            Whole::Beginning => value.starts_with(&self.value),
        };
        match &self.name {
            Some(name) => thing.attributes.get(name).is_some_and(fits),
            None => thing.attributes.values().any(fits),
        }
    }
}

/// What a request asks for.
struct Asked {
    controller: Option<ThingId>,
    kind: Option<ThingKind>,
    status: Option<Status>,
    texts: Vec<Text>,
    order: Order,
}

impl Asked {
    fn new(filter: Filter) -> Result<Self, Negative> {
        let mut texts = Vec::new();
        let mut text = |name: Option<&str>, value: Option<String>, whole| {
            let name = name.map(str::to_owned);
            texts.extend(value.map(|value| Text { name, value, whole }));
        };
        text(Some(NUMBER), filter.number, Whole::All);
        text(Some(SERIAL), filter.serial, Whole::All);
        let attribute = filter.attribute.as_deref();
        if attribute.is_some() && filter.value.is_none() && filter.prefix.is_none() {
            return Err(Negative::malformed("`attribute` needs a `value` or a `prefix` of it"));
        }
        text(attribute, filter.value, Whole::All);
        text(attribute, filter.prefix, Whole::Beginning);
        text(None, filter.q, Whole::Beginning);
        let no_kind = |text: &String| Negative::malformed(format!("{text} is no kind of thing"));
        let no_status = |text: &String| Negative::malformed(format!("{text} is no status"));
        let (controller, kind, status) = (filter.controller, filter.kind, filter.status);
        Ok(Self {
            controller: controller.as_deref().map(parsed).transpose()?,
            kind: kind
                .map(|it| ThingKind::from_name(&it).ok_or_else(|| no_kind(&it)))
                .transpose()?,
            status: status
                .map(|it| Status::from_name(&it).ok_or_else(|| no_status(&it)))
                .transpose()?,
            texts,
            order: order(filter.order.as_deref())?,
        })
    }

    /// The list to read where no text is asked for.
    fn list(&self) -> List {
        match (self.controller, self.kind, self.status) {
            // Things that are not active are few, and the only ones listed by their status.
            (Some(controller), _, Some(status)) if status != Status::ACTIVE => {
                List::ControllerStatus(controller, status)
            }
            (Some(controller), Some(kind), _) => List::ControllerKind(controller, kind),
            (Some(controller), None, _) => List::Controller(controller),
            (None, Some(kind), _) => List::Kind(kind),
            (None, None, _) => List::All,
        }
    }

    fn is_decided_by_index(&self) -> bool {
        let by_list = match self.list() {
            List::ControllerStatus(..) => self.kind.is_none(),
            _ => self.status.is_none(),
        };
        match self.texts.len() {
            0 => by_list,
            1 => {
                self.kind.is_none() && self.status.is_none() && self.texts[0].is_decided_by_index()
            }
            _ => false,
        }
    }

    /// Whether a row is worth looking up its thing.
    fn may_match(&self, row: &Row) -> bool {
        let name = self.texts.first().and_then(|text| text.name.as_ref());
        match row {
            Row::Found(found) => name.is_none_or(|name| *name == found.name),
            Row::Listed(_) => true,
        }
    }

    fn matches(&self, thing: &ThingView) -> bool {
        self.kind.is_none_or(|kind| kind.name() == Some(&thing.kind))
            && self.status.is_none_or(|status| status.name() == Some(&thing.status.status))
            && self.texts.iter().all(|text| text.is_in(thing))
    }

    fn rows(
        &self,
        reader: &Snapshot,
        after: Option<&Row>,
        limit: usize,
    ) -> Result<Vec<Row>, Negative> {
        if let Some(text) = self.texts.first() {
            let after = match after {
                None => None,
                Some(Row::Found(found)) => Some(found),
                Some(Row::Listed(_)) => return Err(malformed_cursor()),
            };
            let search = Search { value: text.value(), controller: self.controller };
            let found = reader.find(search, after, limit)?;
            return Ok(found.into_iter().map(Row::Found).collect());
        }
        let after = match after {
            None => None,
            Some(Row::Listed(listed)) => Some(*listed),
            Some(Row::Found(_)) => return Err(malformed_cursor()),
        };
        let listed = reader.things(self.list(), self.order, after, limit)?;
        Ok(listed.into_iter().map(Row::Listed).collect())
    }
}

/// A row of an index.
#[derive(PartialEq)]
enum Row {
    Listed(ListedThing),
    Found(Match),
}

impl Row {
    const fn thing(&self) -> ThingId {
        match self {
            Self::Listed(listed) => listed.thing,
            Self::Found(found) => found.thing,
        }
    }

    fn cursor(&self) -> String {
        match self {
            Self::Listed(listed) => format!("{}-{}", listed.created, listed.thing),
            Self::Found(Match { name, value, thing }) => {
                Base64(codec::encode(&(name, value, thing))).to_string()
            }
        }
    }
}

impl FromStr for Row {
    /// It is not ours.
    type Err = ();

    fn from_str(cursor: &str) -> Result<Self, ()> {
        if let Some((created, thing)) = cursor.split_once('-')
            && let (Ok(created), Ok(thing)) = (created.parse(), thing.parse())
        {
            return Ok(Self::Listed(ListedThing { created: LeafIndex(created), thing }));
        }
        let bytes = Base64::parse(cursor).ok_or(())?.0;
        let (name, value, thing) = codec::decode(&bytes, bytes.len()).map_err(|_| ())?;
        Ok(Self::Found(Match { name, value, thing }))
    }
}
