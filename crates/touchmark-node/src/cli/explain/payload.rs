//! Payloads by kind of statement: a new kind is a function and a row of [`VIEWS`].

use super::purposes;
use crate::cli::sheet::{Field, Sheet};
use touchmark_api::PayloadView;
use touchmark_api::senml::{Measurement, Pack};
use touchmark_core::channel::access::Access;
use touchmark_core::channel::opening::Opening;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::accreditation::Accredit;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::prerotation::NextKeys;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::directory::update::Update;
use touchmark_core::entry::Rights;
use touchmark_core::evidence::{self, CardPayload, WrappedEvidence};
use touchmark_core::group::Group;
use touchmark_wire::codec::{self, Malformed};
use touchmark_wire::genesis::Committee;
use touchmark_wire::handover::{Appointment, Approval};
use touchmark_wire::limits;
use touchmark_wire::registry::{ContentFormat, EvidenceFormat, StatementKind};

/// Longest text that is shown whole, characters.
const SHOWN: usize = 2_000;

type View = fn(&[u8]) -> Result<Field, Malformed>;

const VIEWS: [(StatementKind, View); 11] = [
    (StatementKind::INCEPTION, inception),
    (StatementKind::REGISTER, inception),
    (StatementKind::UPDATE, update),
    (StatementKind::ROTATE, rotation),
    (StatementKind::STATUS, status),
    (StatementKind::ACCREDIT, accredit),
    (StatementKind::EVIDENCE, wrapped),
    (StatementKind::GROUP, group),
    (StatementKind::CHANNEL, opening),
    (StatementKind::ACCESS, access),
    (StatementKind::APPOINT, appointment),
];

/// The payload of a statement of `kind`.
pub(crate) fn of(kind: StatementKind, format: ContentFormat, payload: &[u8]) -> Field {
    match VIEWS.iter().find(|(known, _)| *known == kind) {
        Some((_, view)) => view(payload).unwrap_or_else(|malformed| {
            let mut sheet = Sheet::default();
            sheet.add("malformed", format!("not the payload of {kind}: {malformed}"));
            sheet.add("content", content(format, payload));
            sheet.into()
        }),
        None => content(format, payload),
    }
}

/// What a leaf commits to.
pub(crate) fn kept(payload: &PayloadView) -> Sheet {
    let format = ContentFormat(payload.content_format);
    let mut sheet = Sheet::default();
    sheet.add("content", format.to_string());
    sheet.add("payload", content(format, &payload.content.0));
    sheet.add("salt", payload.salt.0.as_slice());
    sheet
}

/// Data in a content format, as text where it has one.
pub(crate) fn content(format: ContentFormat, data: &[u8]) -> Field {
    if let Some(measured) = measurements(format, data) {
        return measured;
    }
    let text = match format {
        ContentFormat::TEXT | ContentFormat::JSON | ContentFormat::SENML_JSON => {
            std::str::from_utf8(data).ok().map(str::to_owned)
        }
        ContentFormat::CBOR | ContentFormat::SENML_CBOR => {
            let whole = |tokens: Result<Vec<_>, _>| tokens.is_ok() && !data.is_empty();
            let tokens = minicbor::decode::Tokenizer::new(data).collect();
            whole(tokens).then(|| minicbor::display(data).to_string())
        }
        _ => None,
    };
    match text {
        Some(text) if text.chars().count() <= SHOWN => text.into(),
        _ => data.into(),
    }
}

/// The values of SenML, if it is that.
fn measurements(format: ContentFormat, data: &[u8]) -> Option<Field> {
    let pack: Pack = match format {
        ContentFormat::SENML_JSON => serde_json::from_slice(data).ok()?,
        ContentFormat::SENML_CBOR => Pack::from_cbor(data).ok()?,
        _ => return None,
    };
    let measured = pack.resolve().ok()?;
    let value = |measured: &Measurement| {
        let unit = measured.unit.as_deref().unwrap_or_default();
        let value = format!("{} {unit}", measured.value);
        let mut sheet = Sheet::default();
        sheet.add("name", measured.name.as_str()).add("value", value.trim_end());
        if let Some(time) = measured.absolute() {
            sheet.add("time", time);
        }
        sheet
    };
    Some(measured.iter().map(value).collect())
}

/// Evidence in its format; its signature is not checked here.
pub(crate) fn evidence(format: EvidenceFormat, bytes: &[u8]) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("format", format.to_string());
    match evidence::parse(format, bytes) {
        Ok(inner) => {
            sheet.add("evidence id", inner.id(format).to_string());
            sheet.add("card", inner.thing.to_string()).add("counter", inner.counter);
        }
        Err(refusal) => {
            sheet.add("malformed", refusal.cause).add("bytes", bytes);
            return sheet;
        }
    }
    match format {
        EvidenceFormat::CARD_URL => {
            sheet.add("url", String::from_utf8_lossy(bytes));
        }
        EvidenceFormat::CARD_PAYLOAD => {
            if let Ok(card) = CardPayload::decode(bytes) {
                sheet.add("content", card.format.to_string());
                sheet.add("payload", content(card.format, card.payload));
                sheet.add_some("card data", card.card_data);
            }
        }
        _ => {}
    }
    sheet
}

fn inception(payload: &[u8]) -> Result<Field, Malformed> {
    let inception: Inception = codec::decode(payload, limits::STATEMENT)?;
    let mut sheet = Sheet::default();
    sheet.add("thing", Inception::id_of(payload).to_string());
    sheet.add("thing kind", inception.kind.to_string());
    sheet.add("keys", keys(&inception.keys));
    sheet.add("threshold", inception.threshold);
    sheet.add_some("next", inception.next.as_ref().map(next));
    sheet.add_some("controller", inception.controller.map(|it| it.to_string()));
    if let Some(owners) = &inception.owners {
        let mut policy = Sheet::default();
        policy.add("threshold", owners.threshold);
        let parties =
            owners.parties.iter().map(|(thing, weight)| format!("{thing} weight {weight}"));
        policy.add("parties", parties.collect::<Field>());
        sheet.add("owners", policy);
    }
    if let Some(attributes) = &inception.attributes {
        sheet.add("attributes", pairs(attributes.iter()));
    }
    Ok(sheet.into())
}

fn opening(payload: &[u8]) -> Result<Field, Malformed> {
    let opening: Opening = codec::decode(payload, limits::STATEMENT)?;
    let mut sheet = Sheet::default();
    sheet.add("channel kind", opening.kind.to_string());
    sheet.add("writers", opening.writers.to_string());
    if let Some(attributes) = &opening.attributes {
        sheet.add("attributes", pairs(attributes.iter()));
    }
    Ok(sheet.into())
}

fn access(payload: &[u8]) -> Result<Field, Malformed> {
    let access: Access = codec::decode(payload, limits::STATEMENT)?;
    let mut sheet = Sheet::default();
    sheet.add("channel", access.channel.to_string());
    let rights = access.rights.names().collect::<Vec<_>>().join(" ");
    match access.thing {
        None => sheet.add("closes", access.rights == Rights::NONE),
        Some(thing) if access.rights == Rights::NONE => {
            sheet.add("thing", thing.to_string()).add("rights", "none: withdrawn")
        }
        Some(thing) if access.rights.is_known() => {
            sheet.add("thing", thing.to_string()).add("rights", rights)
        }
        Some(thing) => sheet.add("thing", thing.to_string()).add("rights", access.rights.0),
    };
    Ok(sheet.into())
}

fn update(payload: &[u8]) -> Result<Field, Malformed> {
    let update: Update = codec::decode(payload, limits::STATEMENT)?;
    let mut sheet = Sheet::default();
    sheet.add("thing", update.thing.to_string()).add("set", pairs(update.set.iter()));
    sheet.add("remove", update.remove.iter().map(String::as_str).collect::<Field>());
    Ok(sheet.into())
}

fn rotation(payload: &[u8]) -> Result<Field, Malformed> {
    let rotation: Rotation = codec::decode(payload, limits::STATEMENT)?;
    let mut sheet = Sheet::default();
    sheet.add("thing", rotation.thing.to_string()).add("add", keys(&rotation.add));
    sheet.add("end", rotation.close.iter().map(|number| number.0).collect::<Field>());
    sheet.add_some("next", rotation.next.as_ref().map(next));
    sheet.add_some("threshold", rotation.threshold);
    Ok(sheet.into())
}

fn status(payload: &[u8]) -> Result<Field, Malformed> {
    let change: SetStatus = codec::decode(payload, limits::STATEMENT)?;
    let mut sheet = Sheet::default();
    sheet.add("thing", change.thing.to_string()).add("status", change.status.to_string());
    sheet.add_some("reason", change.reason.as_deref());
    sheet.add_some("keys", change.keys.as_deref().map(keys));
    Ok(sheet.into())
}

fn accredit(payload: &[u8]) -> Result<Field, Malformed> {
    let accredit: Accredit = codec::decode(payload, limits::STATEMENT)?;
    let mut sheet = Sheet::default();
    sheet.add("thing", accredit.thing.to_string());
    if accredit.roles.is_empty() {
        sheet.add("roles", "withdrawn");
    } else {
        sheet.add("roles", accredit.roles.iter().map(String::as_str).collect::<Field>());
    }
    Ok(sheet.into())
}

fn wrapped(payload: &[u8]) -> Result<Field, Malformed> {
    let wrapped: WrappedEvidence<'_> = codec::decode(payload, limits::STATEMENT)?;
    let mut sheet = evidence(wrapped.format, wrapped.bytes);
    if let Some(context) = wrapped.context {
        sheet.add("context", content(context.format, context.data));
    }
    Ok(sheet.into())
}

fn group(payload: &[u8]) -> Result<Field, Malformed> {
    let group: Group = codec::decode(payload, limits::STATEMENT)?;
    let actions = group.0.iter().map(|action| {
        let mut sheet = Sheet::default();
        sheet.add("actor", action.actor.to_string()).add("kind", action.kind.to_string());
        let payload = match action.kind {
            // None can be in another; nested by a stranger they would take the whole stack.
            StatementKind::GROUP => content(ContentFormat::CBOR, &action.payload),
            kind => of(kind, ContentFormat::CBOR, &action.payload),
        };
        sheet.add("payload", payload);
        sheet
    });
    Ok(actions.collect())
}

fn appointment(payload: &[u8]) -> Result<Field, Malformed> {
    let appointment = Appointment::decode(payload)?;
    let mut sheet = Sheet::default();
    super::committee(&Committee::decode(appointment.committee)?, &mut sheet);
    sheet.add("approvals", validators(&appointment.approvals));
    Ok(sheet.into())
}

/// Who approved, by the place in the committee before; the signatures are not checked here.
pub(crate) fn validators(approvals: &[Approval]) -> Field {
    approvals.iter().map(|approval| u64::from(approval.validator)).collect()
}

fn keys(keys: &[NewKey]) -> Field {
    keys.iter()
        .map(|new| {
            let mut sheet = Sheet::default();
            sheet.add("algorithm", new.key.algorithm().name());
            sheet.add("purposes", purposes(new.purposes)).add("weight", new.weight);
            sheet.add("digest", new.key.digest().to_string());
            sheet
        })
        .collect()
}

fn next(next: &NextKeys) -> Field {
    let mut sheet = Sheet::default();
    sheet.add("threshold", next.threshold);
    sheet.add("commitments", next.keys.iter().map(ToString::to_string).collect::<Field>());
    sheet.into()
}

fn pairs<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> Field {
    let mut sheet = Sheet::default();
    for (name, value) in pairs {
        sheet.add(name.as_str(), value.as_str());
    }
    sheet.into()
}
