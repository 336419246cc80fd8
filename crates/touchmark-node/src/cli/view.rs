//! What a node says, for people.

use super::answer::Answer;
use super::sheet::{Field, Sheet};
use touchmark_api::{NetworkView, StatusView, ThingView, Written};
use touchmark_wire::ids::Timestamp;

/// What became of a submission; `thing` is what it is about.
pub(super) fn written(written: &Written, thing: Option<&str>) -> Answer {
    let mut document = Answer::new(written, "").document;
    let mut sheet = Sheet::default();
    if let Some(thing) = thing {
        sheet.add("thing", thing);
        document["thing"] = thing.into();
    }
    outcome(&mut sheet, written);
    Answer::raw(document, sheet.to_string().into_bytes())
}

pub(super) fn outcome(sheet: &mut Sheet, written: &Written) {
    let outcome = format!("{:?}", written.outcome).to_lowercase();
    sheet.add("outcome", outcome);
    sheet.add_some("position", written.position);
    sheet.add_some("id", written.id.as_deref());
    sheet.add_some("why", written.detail.as_deref());
    sheet.add_some("hint", written.hint.as_deref());
    sheet.add_some("code", written.code.as_deref());
}

/// A controller, and whether it says so, too.
fn controller(view: &ThingView, id: &str) -> String {
    match view.controller_confirmed {
        Some(leaf) => format!("{id}, confirmed at leaf {leaf}"),
        None => format!("{id}, which has not confirmed that"),
    }
}

pub(super) fn thing(view: &ThingView) -> Sheet {
    let mut sheet = standing(view);
    history(&mut sheet, view);
    sheet.add("log size", view.size);
    sheet
}

/// What a status is, since when and why.
pub(super) fn status(view: &StatusView) -> String {
    let reason = view.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} since leaf {}{reason}", view.status, view.since)
}

/// What does not change with every record.
pub(super) fn standing(view: &ThingView) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("id", view.id.as_str()).add("did", view.did.as_str());
    sheet.add("kind", view.kind.as_str());
    sheet.add("status", status(&view.status));
    sheet.add_some("controller", view.controller.as_ref().map(|id| controller(view, id)));
    sheet.add("threshold", view.threshold);
    let keys = view.keys.iter().map(|key| {
        let mut line = Sheet::default();
        line.add("number", key.number).add("algorithm", key.algorithm.as_str());
        line.add("purposes", key.purposes.join(" ")).add("weight", key.weight);
        line.add("from leaf", key.from);
        line
    });
    if view.keys.is_empty() {
        sheet.add("keys", "null key: nothing signs for it now");
    } else {
        sheet.add("keys", keys.collect::<Field>());
    }
    let mut attributes = Sheet::default();
    for (name, value) in &view.attributes {
        attributes.add(name.as_str(), value.as_str());
    }
    if !view.attributes.is_empty() {
        sheet.add("attributes", attributes);
    }
    sheet.add("created", format!("leaf {}", view.created));
    sheet.add_some("forked", view.history.fork.map(|leaf| format!("at leaf {leaf}")));
    sheet
}

/// How long its chain and its history are.
pub(super) fn history(sheet: &mut Sheet, view: &ThingView) {
    sheet.add("chain", format!("{} statements, last {}", view.head.sequence, view.head.last));
    sheet.add("history", format!("{} leaves", view.history.count));
    let mentions = Some(view.history.mentions).filter(|mentions| *mentions > 0);
    sheet.add_some("mentions", mentions.map(|mentions| format!("{mentions} leaves of others")));
}

pub(super) fn network(view: &NetworkView) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("network", view.network.as_str()).add("origin", view.origin.as_str());
    sheet.add("committee", view.committee);
    sheet.add_some("appointed", view.appointed.map(|number| format!("committee {number}")));
    let names = view.validators.iter().map(|validator| validator.name.as_str());
    sheet.add("validators", names.collect::<Field>());
    sheet.add("threshold", view.threshold).add("height", view.height);
    sheet.add("time", Timestamp(view.time)).add("size", view.size);
    sheet.add("root", view.root.as_str());
    sheet
}

/// How to see more of a list.
pub(super) fn more(next: Option<&str>) -> String {
    next.map(|cursor| format!("more with --cursor {cursor}\n")).unwrap_or_default()
}
