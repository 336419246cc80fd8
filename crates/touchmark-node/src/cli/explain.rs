//! Statements and leaves in readable form.

pub(crate) mod payload;

use super::sheet::{Field, Sheet};
use touchmark_core::channel::opening::Opening;
use touchmark_core::entry::Purposes;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::codec::Malformed;
use touchmark_wire::genesis::Committee;
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::registry::{RefusalCode, StatementKind};
use touchmark_wire::statement::{Content, Signatures, Statement};

/// A leaf of the log.
pub(crate) fn leaf(bytes: &[u8]) -> Result<Sheet, Malformed> {
    let mut sheet = Sheet::default();
    match Leaf::decode(bytes)? {
        Leaf::Accepted(bytes) => return parsed(bytes),
        Leaf::Denied { code, statement } => {
            sheet.add("denied", RefusalCode(code).to_string());
            sheet.add("statement", parsed(statement)?);
        }
        Leaf::Fork { first, second } => {
            sheet.add("first statement at leaf", first.0);
            sheet.add("second statement", parsed(second)?);
        }
        Leaf::Evidence(bare) => return Ok(evidence(&bare)),
        Leaf::Sighting { code, leaf: inner } => {
            sheet.add("sighting", RefusalCode(code).to_string());
            // No deeper: leaves nested by a stranger would take the whole stack.
            let inner = match Leaf::decode(inner)? {
                Leaf::Accepted(bytes) => parsed(bytes)?,
                Leaf::Evidence(bare) => evidence(&bare),
                _ => return Err(Malformed::Shape),
            };
            sheet.add("of", inner);
        }
        Leaf::Batch(batch) => {
            sheet.add("height", batch.height.0).add("time", batch.time);
            sheet.add("state root", batch.state_root.to_string());
        }
    }
    Ok(sheet)
}

fn parsed(bytes: &[u8]) -> Result<Sheet, Malformed> {
    Statement::parse(bytes).map(|it| statement(&it))
}

fn evidence(bare: &BareEvidence<'_>) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.add("evidence", payload::evidence(bare.format, bare.bytes));
    sheet
}

/// Who certifies: number, validators, threshold and digest.
pub(crate) fn committee(committee: &Committee, sheet: &mut Sheet) {
    sheet.add("epoch", committee.epoch.0);
    let validators = committee.validators.iter().map(|validator| {
        let mut one = Sheet::default();
        one.add("name", validator.name.as_str());
        one.add("log key", validator.log_key.digest().to_string());
        one.add("cosigner key", validator.cosigner_key.digest().to_string());
        one
    });
    sheet.add("validators", validators.collect::<Field>());
    sheet.add("threshold", committee.threshold);
    sheet.add_some("note key", committee.note_key.map(|key| key.to_string()));
    sheet.add("committee", committee.digest().to_string());
}

/// A statement: who, where in which chain, what, signed by whom.
pub(crate) fn statement(statement: &Statement<'_>) -> Sheet {
    let protected = statement.protected();
    let link = protected.link;
    let mut sheet = Sheet::default();
    sheet.add("id", statement.id().to_string()).add("kind", link.kind.to_string());
    sheet.add("issuer", protected.kid.thing.to_string());
    sheet.add("sequence", link.sequence.0);
    let previous = if link.sequence.0 == 1 { "network" } else { "previous" };
    sheet.add(previous, link.previous.to_string());
    sheet.add_some("channel", link.channel.map(|channel| channel.to_string()));
    if link.kind == StatementKind::CHANNEL {
        let opened = Opening::id_of(protected.kid.thing, statement.payload());
        sheet.add("opens channel", opened.to_string());
    }
    let profile = if protected.claims.is_some() { "SCITT" } else { "compact" };
    sheet.add("profile", profile);
    if let Some(claims) = protected.claims {
        let mut inner = Sheet::default();
        inner.add("iss", claims.issuer).add("sub", claims.subject);
        inner.add_some("iat", claims.issued_at);
        sheet.add("claims", inner);
    }
    match protected.content {
        Content::Inline(format) => {
            sheet.add("content", format.to_string());
            sheet.add("payload", payload::of(link.kind, format, statement.payload()));
        }
        Content::Committed(format) => {
            sheet.add("content", format!("committed, {format}"));
            sheet.add("commitment", statement.payload());
        }
    }
    sheet.add("signers", signers(statement));
    sheet.add("bytes", statement.bytes().len());
    sheet
}

fn signers(statement: &Statement<'_>) -> Field {
    let signer = |thing: String, key: u32, algorithm: i64| {
        let name = Algorithm::from_cose_id(algorithm).map(Algorithm::name);
        let mut sheet = Sheet::default();
        sheet.add("thing", thing).add("key", key);
        sheet.add("algorithm", name.map_or_else(|| algorithm.to_string(), str::to_owned));
        sheet
    };
    let protected = statement.protected();
    match statement.signatures() {
        Signatures::One(_) => {
            let number = protected.kid.key.unwrap_or_default().0;
            let algorithm = protected.algorithm.unwrap_or_default();
            [signer(protected.kid.thing.to_string(), number, algorithm)].into_iter().collect()
        }
        Signatures::Many(many) => many
            .iter()
            .map(|entry| {
                let kid = entry.kid();
                signer(kid.thing.to_string(), kid.key.unwrap_or_default().0, entry.algorithm())
            })
            .collect(),
    }
}

/// What a key may be used for, by name.
pub(crate) fn purposes(purposes: Purposes) -> String {
    purposes.names().collect::<Vec<_>>().join(" ")
}
