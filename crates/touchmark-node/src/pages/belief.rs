//! How far a record can be believed, in words, with every reason.

use super::wording::{self, Tone, id};
use maud::{Markup, html};
use touchmark_api::{ConfidenceView, ReasonView};
use touchmark_core::confidence::Level;

/// What a level says to people.
struct Wording {
    tone: Tone,
    word: &'static str,
    meaning: &'static str,
}

fn wording_of(level: &str) -> Wording {
    let (tone, word, meaning) = match named(level) {
        Some(Level::Trusted) => {
            (Tone::Good, "Trusted", "Everybody behind it was known and in good standing.")
        }
        Some(Level::Plausible) => {
            (Tone::Good, "Plausible", "It is genuine; not everybody behind it is vouched for.")
        }
        Some(Level::Doubtful) => {
            (Tone::Caution, "Doubtful", "It is rightly signed, and something speaks against it.")
        }
        Some(Level::Unauthorised) => {
            (Tone::Bad, "Not authorised", "Whoever made it was not in good standing then.")
        }
        Some(Level::Void) => (Tone::Bad, "Void", "It has no effect: do not rely on it."),
        None => (Tone::Unknown, "Unknown", "This node gives it a level that is not known here."),
    };
    Wording { tone, word, meaning }
}

fn named(level: &str) -> Option<Level> {
    Level::ALL.into_iter().find(|known| known.as_str() == level)
}

/// The panel about a record that was judged.
pub(super) fn section(confidence: &ConfidenceView) -> Markup {
    let Wording { tone, word, meaning } = wording_of(&confidence.level);
    html! {
        section.(tone.class()) aria-labelledby="belief" {
            h2 #belief { "How far it can be believed" }
            (wording::verdict(word, meaning, "that the record is true, or false: it says in what \
                standing those behind it were, by this node's word. The reasons are facts of the log."))
            ul.reasons {
                @for found in &confidence.reasons { li { (reason(found, &confidence.level)) } }
            }
        }
    }
}

/// One reason; those that keep the level down are marked.
fn reason(found: &ReasonView, level: &str) -> Markup {
    let decides = found.ceiling == level && named(level) != Some(Level::Trusted);
    html! {
        @if decides { strong { (found.reason) } } @else { (found.reason) }
        " " span.code { (found.code) }
        @if let Some(thing) = &found.thing { " " (id(thing)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_has_its_word_and_reasons_are_escaped() {
        for level in Level::ALL {
            assert_ne!(wording_of(level.as_str()).word, "Unknown", "{level:?}");
        }
        let reason = |ceiling: &str, reason: &str| ReasonView {
            code: "TM-X".into(),
            ceiling: ceiling.into(),
            thing: None,
            reason: reason.into(),
        };
        let reasons = vec![reason("trusted", "<i>known</i>"), reason("doubtful", "forked")];
        let view = ConfidenceView { level: "doubtful".into(), reasons };
        let text = section(&view).into_string();
        assert!(text.contains("Doubtful") && text.contains("&lt;i&gt;known"), "{text}");
        assert!(text.contains("<strong>forked</strong>"), "{text}");
        assert_eq!(text.matches("<strong>").count(), 2, "what it does not prove, and one: {text}");
    }
}
