//! Bundles.

use super::{Explained, header};
use crate::cli::explain;
use crate::cli::sheet::{Field, Sheet};
use touchmark_wire::algorithm::PublicKey;
use touchmark_wire::bundle::{Bundle, Claim};
use touchmark_wire::certificate::ThresholdCertificate;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::handover::Handover;
use touchmark_wire::header::BatchHeader;

pub(super) fn explain(bytes: &[u8], _: &[PublicKey]) -> Result<Explained, String> {
    let bundle = Bundle::decode(bytes).map_err(|error| error.to_string())?;
    let mut sheet = Sheet::default();
    match Genesis::decode(bundle.genesis) {
        Ok(genesis) => sheet.add("network", genesis.network_id().to_string()),
        Err(error) => sheet.add("network", format!("malformed genesis: {error}")),
    };
    sheet.add("claims", bundle.claims.iter().map(claim).collect::<Field>());
    if let Some(first) = bundle.headers.first() {
        match BatchHeader::decode(first.0) {
            Ok(decoded) => sheet.add("batch", header::sheet(&decoded, first.0)),
            Err(error) => sheet.add("batch", format!("malformed header: {error}")),
        };
    }
    sheet.add("headers", bundle.headers.len());
    match bundle.certificate.map(ThresholdCertificate::parse) {
        Some(Ok(certificate)) => sheet.add("certificate", header::certificate_sheet(&certificate)),
        Some(Err(error)) => sheet.add("certificate", error.to_string()),
        None => sheet.add("certificate", "none of the engine: the checkpoint is cosigned"),
    };
    if !bundle.handovers.0.is_empty() {
        sheet.add("hand-overs", bundle.handovers.0.iter().map(handover).collect::<Field>());
    }
    sheet.add("state proof", format!("{} bytes", bundle.state.len()));
    let leaves = bundle.leaves.iter().map(|leaf| {
        let mut one = Sheet::default();
        one.add("leaf", leaf.index.0);
        match explain::leaf(leaf.leaf) {
            Ok(inside) => one.add("content", inside),
            Err(error) => one.add("content", error.to_string()),
        };
        one
    });
    sheet.add("leaves", leaves.collect::<Field>());
    if let Some(fresh) = &bundle.freshness {
        sheet.add(
            "answers nonce",
            String::from_utf8_lossy(fresh.nonce).escape_default().to_string(),
        );
        sheet.add("fresh signatures", fresh.signatures.len());
    }
    sheet.add("checkpoint note", bundle.note.is_some());
    if let Some(anchor) = bundle.anchor {
        sheet.add("anchor", anchored(anchor.bundle));
    }
    sheet.add("check", "touchmark verify FILE --trust NETWORK");
    Ok(Explained::new(sheet))
}

/// What another network is said to have. Anybody can put anchors into anchors: those are not opened.
fn anchored(bytes: &[u8]) -> Sheet {
    let mut sheet = Sheet::default();
    match Bundle::decode(bytes) {
        Ok(bundle) => {
            match Genesis::decode(bundle.genesis) {
                Ok(genesis) => sheet.add("network", genesis.network_id().to_string()),
                Err(error) => sheet.add("network", format!("malformed genesis: {error}")),
            };
            sheet.add("claims", bundle.claims.iter().map(claim).collect::<Field>());
        }
        Err(error) => {
            sheet.add("malformed", error.to_string());
        }
    }
    sheet
}

fn handover(handover: &Handover<'_>) -> Sheet {
    let mut sheet = Sheet::default();
    match BatchHeader::decode(handover.header) {
        Ok(header) => sheet.add("after height", header.height.0),
        Err(error) => sheet.add("after height", format!("malformed header: {error}")),
    };
    explain::committee(&handover.committee, &mut sheet);
    sheet.add("approvals", explain::payload::validators(&handover.approvals));
    sheet
}

fn claim(claim: &Claim) -> String {
    match claim {
        Claim::Record(leaf) => format!("leaf {leaf} is in the log, rightly signed"),
        Claim::Complete(thing, leaves) => {
            format!("{} leaves are the whole history of {thing}", leaves.len())
        }
        Claim::Mentioned(thing, leaves) => {
            format!("{} leaves are all in which others mention {thing}", leaves.len())
        }
        Claim::Status(thing) => format!("status and keys of {thing}"),
        Claim::StatusAt(thing, leaf) => format!("status and keys of {thing} for leaf {leaf}"),
        Claim::Absent(thing) => format!("there is no thing {thing}"),
        Claim::Latest(leaf) => format!("leaf {leaf} is the last statement of its issuer"),
        Claim::Accredited(by, thing) => format!("{by} vouches for {thing}"),
        Claim::Channel(channel) => format!("author and policy of channel {channel}"),
        Claim::CompleteChannel(channel, leaves) => {
            format!("{} leaves are all about or in channel {channel}", leaves.len())
        }
        Claim::Writer(channel, thing) => format!("{thing} may write into channel {channel}"),
        Claim::Continues(size, root, _) => {
            format!("the log begins with the {size} leaves whose root is {root}")
        }
    }
}
