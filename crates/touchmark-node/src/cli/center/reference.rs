//! How people name the things of a directory: by id, or as `card/12`.

use super::initialisation::What;
use crate::cli::failure::{Failure, Fault};
use crate::cli::identity;
use crate::cli::session::Session;
use clap::ValueEnum as _;
use touchmark_api::ThingView;
use touchmark_api::client::{Client, Order, Page, ThingsQuery};
use touchmark_core::roster::{self, NUMBER};
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::ThingKind;

/// Whose directory
#[derive(clap::Args, Debug)]
pub(super) struct Of {
    /// The organisation: its id, DID, or identity held here; otherwise the context's identity
    #[arg(long = "of", value_name = "ID")]
    organisation: Option<String>,
}

impl Of {
    pub(super) fn organisation(&self, session: &Session<'_, '_>) -> Result<ThingId, Failure> {
        if let Some(text) = &self.organisation {
            return session.thing(text);
        }
        let Some(name) = session.context()?.identity else {
            return Err(Failure::new(Fault::Usage, "no organisation is named")
                .because("neither --of nor the context says whose directory")
                .hint("give --of ID"));
        };
        identity::thing_of(&session.home()?, &name)
    }
}

/// A thing of `organisation`: by id, DID, identity held here, or kind and number.
pub(super) fn thing(
    session: &Session<'_, '_>,
    client: &Client,
    organisation: ThingId,
    text: &str,
) -> Result<ThingId, Failure> {
    let Some((what, number)) = text.split_once('/') else {
        return session.thing(text);
    };
    let what = What::from_str(what, true).ok();
    let (Some(what), Some(number)) = (what, roster::number(number)) else {
        return Err(Failure::new(Fault::Usage, format!("`{text}` names no thing"))
            .hint("give an id, or kind and number such as card/12"));
    };
    let query = ThingsQuery {
        controller: Some(organisation),
        kind: Some(what.kind()),
        number: Some(number),
        ..ThingsQuery::default()
    };
    let found = client.things(&query)?.items;
    match &found[..] {
        [only] => id(only),
        [] => Err(Failure::new(Fault::Unknown, format!("there is no {text} in this directory"))
            .hint("`touchmark center list` shows what there is")),
        several => {
            Err(Failure::new(Fault::Unknown, format!("{} things are {text}", several.len()))
                .because("somebody registered them with the same number")
                .hint("give the id"))
        }
    }
}

/// The thing that a node speaks of.
pub(super) fn id(view: &ThingView) -> Result<ThingId, Failure> {
    let wrong = |_| Failure::new(Fault::Answer, "the node names a thing that is none");
    view.id.parse().map_err(wrong)
}

/// The number that the next thing of a kind gets: one more than the last that has one.
pub(super) fn next_number(
    client: &Client,
    organisation: ThingId,
    kind: ThingKind,
) -> Result<u64, Failure> {
    /// Pages of things without a number that are passed over.
    const PATIENCE: usize = 100;
    let mut query = ThingsQuery {
        controller: Some(organisation),
        kind: Some(kind),
        order: Order::Newest,
        page: Page { cursor: None, limit: Some(10) },
        ..ThingsQuery::default()
    };
    for _ in 0..PATIENCE {
        let listing = client.things(&query)?;
        let numbered =
            |view: &ThingView| view.attributes.get(NUMBER).and_then(|it| roster::number(it));
        if let Some(last) = listing.items.iter().find_map(numbered) {
            return Ok(last.saturating_add(1));
        }
        let Some(next) = listing.next else { return Ok(1) };
        query.page.cursor = Some(next);
    }
    Err(Failure::new(Fault::Usage, format!("the last things of kind {kind} have no number"))
        .hint(format!("give them one with `touchmark thing update ID {NUMBER}=N`")))
}
