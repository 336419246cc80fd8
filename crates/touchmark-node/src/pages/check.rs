//! A verdict's checks, each with what it proves and what it doesn't.

use super::reader::Reader;
use maud::{Markup, html};
use touchmark_api::{NetworkView, Problem};
use touchmark_core::verdict::{CheckResult, Trust, Verdict, judge};
use touchmark_wire::ids::NetworkId;

/// The verdict on the bundle that `/v1/proofs` gives for `query`: the page judges the very file
/// that it offers for download, by the code of `touchmark verify`.
pub(super) async fn verdict(reader: &Reader, query: &str) -> Result<Verdict, Problem> {
    let network: NetworkView = reader.json("/v1/network").await?;
    let network: Option<NetworkId> = network.network.parse().ok();
    let bundle = reader.bytes(&format!("/v1/proofs?{query}")).await?;
    let judged =
        tokio::task::spawn_blocking(move || judge(&bundle, &Trust { network, ..Trust::default() }));
    let gone = |_| Problem::new(touchmark_wire::registry::RefusalCode::INTERNAL, "no verdict");
    judged.await.map_err(gone)
}

/// The checks in order.
pub(super) fn list(verdict: &Verdict) -> Markup {
    html! {
        ol.checks {
            @for check in &verdict.checks {
                @let (mark, word) = mark(check.result);
                li class=(check.result.as_str()) {
                    details {
                        summary {
                            span.mark aria-hidden="true" { (mark) }
                            span.what {
                                strong { (name(&check.name)) }
                                span.hidden { ": " (word) ". " }
                                " " span.reason { (check.reason) }
                            }
                            span.help title="What this means" { "?" span.hidden { " What this means" } }
                        }
                        div.meaning {
                            @let meaning = meaning(&check.name);
                            p { strong { "Proves: " } (meaning.proves) }
                            p { strong { "Does not prove: " } (meaning.not) }
                            @if let Some(code) = check.code { p.code { (code) } }
                        }
                    }
                }
            }
        }
    }
}

const fn mark(result: CheckResult) -> (&'static str, &'static str) {
    match result {
        CheckResult::Pass => ("✓", "passed"),
        CheckResult::Fail => ("✕", "failed"),
        CheckResult::Unknown => ("?", "not known"),
        CheckResult::NotApplicable => ("–", "does not apply"),
    }
}

/// The first word of a check's name; the rest are ids that the reason has too.
fn name(check: &str) -> &str {
    match word(check) {
        "format" => "Well-formed",
        "network" => "Network",
        "certificate" | "cosignatures" => "Certified",
        "log" => "Log",
        "state" => "State",
        "freshness" => "Freshness",
        "record" => "Record",
        "complete" | COMPLETE_CHANNEL => "Complete",
        "mentioned" => "Mentioned",
        "status" => "Status",
        "absent" => "Absent",
        "latest" => "Latest",
        "accredited" => "Accredited",
        "authority" => "Authority",
        "channel" => "Channel",
        "writer" => "Writer",
        "continues" => "Continues",
        "seen" => "Seen before",
        "anchor" => "Anchored",
        other => other,
    }
}

/// The one check that has two words.
const COMPLETE_CHANNEL: &str = "complete channel";

fn word(check: &str) -> &str {
    if check.starts_with(COMPLETE_CHANNEL) {
        return COMPLETE_CHANNEL;
    }
    check.split(' ').next().unwrap_or(check)
}

struct Meaning {
    proves: &'static str,
    not: &'static str,
}

/// What a check says, in the words of somebody who asks what to believe.
fn meaning(check: &str) -> Meaning {
    let word = word(check);
    let found = of_the_log(word).or_else(|| of_a_claim(word));
    let (proves, not) = found.unwrap_or(("what its sentence says.", "more than that."));
    Meaning { proves, not }
}

/// What leads from the network to its log, and what others have of that.
fn of_the_log(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "format" => (
            "the proof file is whole and in the one form that every verifier reads alike.",
            "anything about its content; that is what the next checks are for.",
        ),
        "network" => (
            "the proof is about the network that this node belongs to.",
            "that you trust this network. Compare its id with the one its operators publish.",
        ),
        "certificate" => (
            "the network's validators agreed on exactly this state of the log, at the \
            time shown.",
            "that what people wrote into the log is true.",
        ),
        "log" => (
            "the last entry of the certified log is the one that names the certified state.",
            "that you have seen the whole log; ask for a complete history for that.",
        ),
        "state" => (
            "keys and statuses shown here are those that the validators certified.",
            "what happened after that state.",
        ),
        "freshness" => (
            "the answer was made for you, just now.",
            "without a nonce of yours, that nothing newer exists: the answer is as old as its time.",
        ),
        "seen" => (
            "this log and the one that you saw before are one.",
            "that nobody was shown another one.",
        ),
        "anchor" => (
            "another network, which you trust, has recorded this log: what was written before that \
             cannot be changed without being at odds with it.",
            "anything about what was written since.",
        ),
        _ => return None,
    })
}

/// What the log and its state say.
fn of_a_claim(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "record" => (
            "this entry stands at this place of the log, and was signed by a key that was \
            valid there. Nobody can change it or take it out.",
            "that its content is true. It says what the holder of the key stated.",
        ),
        "complete" => (
            "this is the whole history of the thing; none of it was left out.",
            "that whoever holds its keys told everything they know.",
        ),
        "mentioned" => (
            "these are all entries in which others speak of the thing: what they vouch for, sightings, \
             taps read again.",
            "that any of them is right: whoever likes may mention a thing.",
        ),
        "status" => (
            "the status and keys of the thing at this point, as its controller set them.",
            "that a theft or loss was reported in time.",
        ),
        "authority" => (
            "the chain of registrations from the thing up to the root of trust.",
            "that the organisation at its top is who you think: its name is its own word, unless \
             somebody you know vouches for it.",
        ),
        "absent" => ("nobody registered a thing with this id.", "that nobody will."),
        "latest" => ("the issuer made no later statement by then.", "that it makes none later."),
        "accredited" => ("one thing vouches for the other.", "more than the role it names."),
        "channel" => (
            "who opened the channel and who may write into it, and whether it is closed.",
            "that those who may write say the truth.",
        ),
        COMPLETE_CHANNEL => (
            "these are all entries about the channel, and in it by those who might write; none \
             was left out.",
            "that whoever might write wrote down everything.",
        ),
        "continues" => (
            "the log of this proof begins with all leaves of that earlier one: nothing of it was \
             changed or taken out since.",
            "that the earlier one is the log that you saw; compare its root with what you kept.",
        ),
        "writer" => {
            ("the thing may write into the channel at this point.", "that it did, or will.")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_of_a_bundle_is_named_and_explained() {
        let unknown = meaning("of another kind").proves;
        for check in [
            "format",
            "network",
            "certificate",
            "log",
            "state",
            "freshness",
            "record 7",
            "complete abc",
            "mentioned abc",
            "status abc at 7",
            "absent abc",
            "latest 7",
            "accredited a b",
            "authority abc",
            "channel abc",
            "complete channel abc",
            "writer abc of def",
            "continues 17",
            "seen before",
            "anchor",
        ] {
            assert_ne!(meaning(check).proves, unknown, "{check}");
            assert!(name(check).starts_with(char::is_uppercase), "{check}");
        }
    }
}
