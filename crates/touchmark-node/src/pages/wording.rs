//! How pages say things: ids, times, kinds, statuses.

use crate::cli::moment::Moment;
use maud::{Markup, html};
use touchmark_api::{Kind, LeafView, StatusView, ThingView};
use touchmark_wire::ids::Timestamp;

/// How a verdict feels: the colour and sign of its panel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tone {
    Good,
    Caution,
    Bad,
    Unknown,
}

impl Tone {
    /// Class of the panel.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Caution => "caution",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }
}

/// A thing's id, which leads to its page.
pub(super) fn id(id: &str) -> Markup {
    html! { a.id href={ "/t/" (id) } { (id) } }
}

/// A leaf's position, which leads to its page.
pub(super) fn leaf(position: u64) -> Markup {
    html! { a href={ "/r/" (position) } { "leaf " (position) } }
}

/// A time for people, and for programs.
pub(super) fn time(time: Timestamp) -> Markup {
    let exact = Moment(time).to_string();
    let shown = exact.get(..19).unwrap_or_default().replace('T', " ");
    html! { time datetime=(exact) { (shown) " UTC" } }
}

/// What people call a thing: the name that it was given, else its kind and the start of its id.
pub(super) fn name(thing: &ThingView) -> String {
    let given = ["name", "model", "serial"].iter().find_map(|key| thing.attributes.get(*key));
    let short: String = thing.id.chars().take(8).collect();
    given.cloned().unwrap_or_else(|| format!("{} {short}…", capital(&thing.kind)))
}

pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The verdict on a thing's standing in one sentence.
pub(super) fn standing(thing: &ThingView) -> (Tone, &'static str, &'static str) {
    if thing.history.fork.is_some() {
        return (
            Tone::Bad,
            "Its chain was forked",
            "Somebody signed two different statements at one place with its key. Believe nothing \
             that this key signed.",
        );
    }
    status(&thing.status)
}

fn status(status: &StatusView) -> (Tone, &'static str, &'static str) {
    match status.status.as_str() {
        "active" => (Tone::Good, "Active", "It is in good standing: its keys count."),
        "suspended" => (Tone::Caution, "Suspended", "Its controller has paused it for now."),
        "disabled" => (Tone::Caution, "Disabled", "It is switched off: its keys do not count."),
        "stolen" => (
            Tone::Bad,
            "Reported stolen",
            "It is in foreign hands. What it shows or signs now has no effect.",
        ),
        "lost" => (
            Tone::Bad,
            "Reported lost",
            "Nobody knows where it is. What it shows or signs now has no effect.",
        ),
        "tampered" => (
            Tone::Bad,
            "Tampered with",
            "It was opened, moved or altered. What it shows or signs now has no effect.",
        ),
        "retired" => (Tone::Caution, "Retired", "It is at its end and never comes back."),
        _ => (Tone::Unknown, "Unknown status", "This node does not know what this status means."),
    }
}

/// A verdict in a word, with a `?` that says what it does not prove.
pub(super) fn verdict(word: &str, meaning: &str, not: &str) -> Markup {
    html! {
        p.word { (word) }
        p.lead { (meaning) }
        details.limits {
            summary {
                span.help title="What this does not prove" {
                    "?" span.hidden { " What this does not prove" }
                }
            }
            p.meaning { strong { "Does not prove: " } (not) }
        }
    }
}

/// What a leaf is, in a few words.
pub(super) fn what(leaf: &LeafView) -> String {
    let statement = leaf.statement.as_ref();
    let kind = statement.map(|statement| capital(&statement.kind));
    match leaf.kind {
        Kind::Accepted => kind.unwrap_or_else(|| "Statement".into()),
        Kind::Denied => format!("{}, without effect", kind.unwrap_or_else(|| "Statement".into())),
        Kind::Fork => "Proof of a fork".into(),
        Kind::Evidence => "Tap".into(),
        Kind::Sighting => "Sighting".into(),
        Kind::Batch => "End of a batch".into(),
        Kind::Unknown => "Unknown".into(),
    }
}

/// The verdict on a leaf in one sentence, given that its proof holds.
pub(super) fn judgement(leaf: &LeafView) -> (Tone, &'static str, &'static str) {
    match leaf.kind {
        Kind::Accepted => (
            Tone::Good,
            "In the log, rightly signed",
            "Nobody can change it or take it out, and it has its effect.",
        ),
        Kind::Evidence => (
            Tone::Good,
            "A genuine tap",
            "A card that was authorised signed this, and it counts once. No reader vouches for \
             where it was read.",
        ),
        Kind::Denied => (
            Tone::Caution,
            "In the log, without effect",
            "It is rightly signed, but the rules refused what it asks for.",
        ),
        Kind::Sighting => (
            Tone::Bad,
            "Seen, but not authorised",
            "Its signature is genuine; the thing that made it was not authorised when it was read.",
        ),
        Kind::Fork => (
            Tone::Bad,
            "Proof of a fork",
            "One key signed two different statements at the same place of its chain.",
        ),
        Kind::Batch => (
            Tone::Good,
            "Checkpoint of the network",
            "The validators certified everything up to here at the time shown.",
        ),
        Kind::Unknown => (Tone::Unknown, "Unknown", "This node does not know this kind of entry."),
    }
}
