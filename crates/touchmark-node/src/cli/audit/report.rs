//! What an audit found.

use super::worst;
use crate::audit::{Counts, Replayed, Standing};
use crate::cli::answer::Answer;
use crate::cli::failure::{Exit, Failure};
use crate::cli::sheet::{Field, Sheet};
use crate::shown::{Signer, Source, Tip};
use std::collections::BTreeMap;
use std::time::Duration;
use touchmark_wire::ids::NetworkId;

/// What a source shows, certified.
pub(super) struct Found {
    pub(super) source: Source,
    pub(super) tip: Tip,
    pub(super) signers: Vec<Signer>,
}

/// What another source shows beside the first.
pub(super) struct Compared {
    pub(super) name: String,
    pub(super) result: Result<(Found, Standing), Failure>,
}

/// The whole.
pub(super) struct Report {
    pub(super) network: NetworkId,
    pub(super) first: Found,
    pub(super) replayed: Replayed,
    /// How long the replay took.
    pub(super) time: Duration,
    pub(super) compared: Vec<Compared>,
}

impl Report {
    /// How the command ends: negative if anything is, whatever else could not be looked at.
    pub(super) fn exit(&self) -> Exit {
        let own = if self.replayed.deviation.is_some() { Exit::Refused } else { Exit::Fine };
        worst(self.compared.iter().map(Compared::exit).chain([own]))
    }

    pub(super) fn answer(&self) -> Answer {
        let mut sheet = Sheet::default();
        sheet.add("valid", self.exit() == Exit::Fine);
        sheet.add("network", self.network.to_string());
        self.first.describe(&mut sheet);
        let Replayed { counts, deviation, .. } = &self.replayed;
        count(&mut sheet, counts);
        let milliseconds = u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX).max(1);
        sheet.add("seconds", format!("{:.1}", self.time.as_secs_f64()));
        sheet.add("statements per second", counts.accepted().saturating_mul(1_000) / milliseconds);
        if let Some(deviation) = deviation {
            let mut found = Sheet::default();
            found
                .add("leaf", deviation.leaf.0)
                .add("after batch", self.replayed.last.map_or(0, |batch| batch.height.0))
                .add("log", deviation.logged.as_str())
                .add("rules", deviation.rules.as_str());
            sheet.add("deviation", found);
        }
        if !self.compared.is_empty() {
            sheet.add("compared", self.compared.iter().map(Compared::sheet).collect::<Field>());
        }
        let mut answer = Answer::sheet(&sheet);
        answer.document["seconds"] = self.time.as_secs_f64().into();
        answer
    }

    /// Names and contents of the files that prove a negative verdict: of the first source and of
    /// those that show another log, by their place among the arguments.
    pub(super) fn evidence(&self) -> Vec<(String, Vec<u8>)> {
        let split =
            self.compared.iter().zip(2..).filter_map(|(compared, number)| match &compared.result {
                Ok((found, Standing::Split(_))) => Some((found, number)),
                _ => None,
            });
        let mut shown: Vec<_> = split.collect();
        if self.replayed.deviation.is_some() || !shown.is_empty() {
            shown.insert(0, (&self.first, 1));
        }
        let files = shown.into_iter().flat_map(|(found, number)| {
            let tip = &found.tip;
            [
                (format!("{number}.checkpoint"), tip.note.clone().into_bytes()),
                (format!("{number}.tmb"), tip.proof.clone()),
            ]
        });
        files.collect()
    }
}

impl Found {
    fn describe(&self, sheet: &mut Sheet) {
        let as_of = self.tip.as_of;
        sheet
            .add("source", self.source.name())
            .add("height", as_of.height.0)
            .add("time", as_of.time)
            .add("size", as_of.size.0)
            .add("root", as_of.root.to_string())
            .add("state root", self.tip.state_root.to_string())
            .add("signed by", self.signers.iter().map(signer).collect::<Field>());
    }
}

impl Compared {
    fn exit(&self) -> Exit {
        match &self.result {
            Ok((_, Standing::Split(_))) => Exit::Refused,
            Ok(_) => Exit::Fine,
            Err(failure) => failure.exit,
        }
    }

    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::default();
        match &self.result {
            Ok((found, standing)) => {
                let (name, common) = match standing {
                    Standing::Same => ("same", None),
                    Standing::Behind => ("behind", None),
                    Standing::Ahead => ("ahead", None),
                    Standing::Split(common) => ("split", Some(common.0)),
                };
                sheet.add("standing", name).add_some("leaves in common", common);
                found.describe(&mut sheet);
            }
            Err(failure) => {
                sheet.add("standing", "unknown").add("source", self.name.as_str());
                sheet.add("code", failure.code.as_str()).add("reason", failure.what.as_str());
                sheet.add_some("why", failure.why.as_deref());
            }
        }
        sheet
    }
}

fn count(sheet: &mut Sheet, counts: &Counts) {
    sheet.add("leaves", counts.leaves).add("batches", counts.batches);
    sheet.add("statements", by_name(&counts.statements));
    sheet.add("denied", by_name(&counts.denied)).add("forks", counts.forks);
    sheet.add("evidence", counts.evidence).add("sightings", by_name(&counts.sightings));
}

fn by_name(counts: &BTreeMap<String, u64>) -> Sheet {
    let mut sheet = Sheet::default();
    for (name, count) in counts {
        sheet.add(name.as_str(), *count);
    }
    sheet
}

fn signer(signer: &Signer) -> String {
    match signer {
        Signer::Committee { number, term, view } => {
            format!("committee {number}, in view {view} of term {term}: certificate")
        }
        Signer::Cosigner(name) => format!("{name}: checkpoint"),
        Signer::Receipt(name) => format!("{name}: receipt of the last leaf"),
    }
}
