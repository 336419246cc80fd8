//! The next committee of a network: approving of it, appointing it, taking one's place in it.

use crate::cli::answer::Answer;
use crate::cli::config::DataFolder;
use crate::cli::explain;
use crate::cli::failure::{Failure, Fault};
use crate::cli::identity::signing::{Proposal, Signing};
use crate::cli::session::Session;
use crate::cli::sheet::{Field, Sheet};
use crate::cli::view;
use crate::folder::{self, Kept, Promise};
use crate::line;
use std::path::{Path, PathBuf};
use touchmark_wire::codec;
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::handover::{Appointment, Approval};
use touchmark_wire::ids::Epoch;
use touchmark_wire::limits;
use touchmark_wire::registry::{ContentFormat, StatementKind};
use touchmark_wire::statement::Content;

/// What every approval of this version begins with.
const PREFIX: &str = "tmk-approval1";

/// Approve, as a validator, of the committee that shall certify next
///
/// Prints the approval as one line. When as many validators as the threshold says have approved,
/// `network appoint` writes them into the log.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Approve {
    /// The next committee: `next.cbor` from the folder of its formation
    committee: PathBuf,
    #[command(flatten)]
    data: DataFolder,
}

pub(super) fn approve(session: &mut Session<'_, '_>, approve: &Approve) -> Result<Answer, Failure> {
    let path = approve.data.path(session)?;
    let next = read(session, &approve.committee)?;
    let number = next.epoch.0.checked_sub(1).map(Epoch).ok_or_else(|| {
        Failure::new(Fault::Malformed, "this is a network's first committee")
            .hint("give the `next.cbor` of a formation that was begun with --of")
    })?;
    let present = folder::committee(&path, number)?.ok_or_else(|| {
        Failure::new(Fault::Unknown, format!("this validator has no place in committee {number}"))
            .hint("those who certify now approve, each with its own data folder")
    })?;
    can_hand_over(&present, &next)?;
    let network = folder::genesis(&path)?.network_id();
    let unusable = |error: &dyn std::fmt::Display| Failure::new(Fault::Internal, error.to_string());
    let key = folder::secrets(&path)?.cosigner_key().map_err(|error| unusable(&error))?;
    let approval = Approval::sign(network, &present, &next, &key).map_err(|error| {
        Failure::new(Fault::Unknown, "this validator cannot approve").because(error)
    })?;
    let text = line::to_text(PREFIX, &codec::encode(&approval));
    let mut sheet = Sheet::default();
    explain::committee(&next, &mut sheet);
    session.say(&sheet.to_string());
    let document = serde_json::json!({
        "approval": text,
        "validator": approval.validator,
        "committee": next.digest().to_string(),
    });
    Ok(Answer::new(&document, format!("{text}\n")))
}

/// Those who leave do not know those who come, so who stays hands the log on: as many must stay that
/// one of them is honest.
fn can_hand_over(present: &Committee, next: &Committee) -> Result<(), Failure> {
    let stays = |peer| next.validators.iter().any(|validator| validator.peer == peer);
    let stay = present.validators.iter().filter(|validator| stays(validator.peer)).count();
    let faulty = present.validators.len().saturating_sub(present.threshold.into());
    if stay > faulty {
        return Ok(());
    }
    let what = "too few of those who certify now are in this committee";
    let why = format!(
        "it needs {} of them, it has {stay}: they hand the log on, and {faulty} may fail",
        faulty + 1
    );
    Err(Failure::new(Fault::Agreement, what)
        .because(why)
        .hint("form a committee with more of them, and exchange the others in a second step"))
}

/// Appoint the next committee with the approvals of the present one
///
/// Writes a statement. The next committee takes office at the end of the term, which then comes
/// within seconds.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Appoint {
    #[command(flatten)]
    signing: Signing,
    /// The next committee: `next.cbor` from the folder of its formation
    committee: PathBuf,
    /// What `network approve` printed, of as many validators as the threshold says
    #[arg(required = true)]
    approvals: Vec<String>,
}

pub(super) fn appoint(session: &mut Session<'_, '_>, appoint: &Appoint) -> Result<Answer, Failure> {
    let next = read(session, &appoint.committee)?;
    let approvals = appoint.approvals.iter().map(|text| parse(text));
    let mut approvals = approvals.collect::<Result<Vec<_>, _>>()?;
    approvals.sort_by_key(|approval| approval.validator);
    approvals.dedup();
    let committee = codec::encode(&next);
    let payload = Appointment { committee: &committee, approvals }.encode_to_vec();
    let proposal = Proposal {
        content: Content::Inline(ContentFormat::CBOR),
        ..Proposal::new(StatementKind::APPOINT, &payload)
    };
    let written = appoint.signing.state(session, &proposal)?;
    Ok(view::written(&written, None))
}

/// Take one's place in the next committee, as its formation left it
///
/// Adds the place and the members' addresses to the data folder of a stopped node; an empty folder
/// becomes that of a new validator. The node votes as soon as the committee is in office.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Adopt {
    /// The folder of the formation
    place: PathBuf,
    /// For an empty data folder: the network's genesis document, from somebody you trust
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    #[command(flatten)]
    data: DataFolder,
}

pub(super) fn adopt(session: &mut Session<'_, '_>, adopt: &Adopt) -> Result<Answer, Failure> {
    let path = adopt.data.path(session)?;
    let promise = Promise::read(&session.path(&adopt.place))?;
    let genesis = match &adopt.genesis {
        None => None,
        Some(file) => {
            let genesis = Genesis::decode(&session.read(file)?).map_err(|malformed| {
                Failure::new(Fault::Malformed, "this is no genesis document").because(malformed)
            })?;
            Some(genesis)
        }
    };
    let kept = promise.adopt(&path, genesis.as_ref())?;
    let mut sheet = Sheet::default();
    sheet.add("network", promise.network.to_string());
    explain::committee(&promise.committee, &mut sheet);
    sheet.add("data", path.display().to_string());
    if !kept.is_empty() {
        session
            .say("some members are reached at other addresses than they gave: look at peers.toml");
    }
    let kept = kept.into_iter().map(|Kept { name, address, offered }| {
        let mut line = Sheet::default();
        line.add("name", name).add("address", address).add("instead of", offered);
        line
    });
    sheet.add("addresses kept", kept.collect::<Field>());
    session.say("next: start the node; keep the folder of the formation until it votes");
    Ok(Answer::sheet(&sheet))
}

fn read(session: &mut Session<'_, '_>, file: &Path) -> Result<Committee, Failure> {
    let bytes = session.read(file)?;
    codec::decode(&bytes, limits::GENESIS).map_err(|malformed| {
        Failure::new(Fault::Malformed, format!("{} is no committee", file.display()))
            .because(malformed)
            .hint("give the `next.cbor` of a formation")
    })
}

fn parse(text: &str) -> Result<Approval, Failure> {
    let malformed = || {
        Failure::new(Fault::Malformed, "this is no approval")
            .because(format!("an approval is one line that begins with {PREFIX}"))
            .hint("check that it is whole")
    };
    let bytes = line::from_text(PREFIX, text).ok_or_else(malformed)?;
    codec::decode(&bytes, 128).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_wire::algorithm::CoseKey;
    use touchmark_wire::genesis::{CertificateKey, Validator};
    use touchmark_wire::hash::Digest;

    fn committee(peers: &[u8]) -> Committee {
        let key = CoseKey::ed25519([7; 32]);
        let validators = peers.iter().map(|peer| Validator {
            name: peer.to_string(),
            peer: Digest([*peer; 32]),
            log_key: key,
            cosigner_key: key,
        });
        let (certificate_key, faulty) = (CertificateKey([0; 96]), (peers.len() - 1) / 3);
        let threshold = u16::try_from(peers.len() - faulty).unwrap();
        let validators = validators.collect();
        Committee { epoch: Epoch(0), certificate_key, validators, threshold, note_key: None }
    }

    #[test]
    fn one_honest_member_of_the_old_committee_is_in_the_new_one() {
        for (present, next, can) in [
            (&[1][..], &[1, 2, 3, 4][..], true),
            (&[1], &[2, 3, 4, 5], false),
            (&[1, 2, 3, 4], &[2, 5, 6, 7], false),
            (&[1, 2, 3, 4], &[1, 2, 5, 6], true),
            (&[1, 2, 3, 4, 5, 6, 7], &[6, 7, 8, 9], false),
            (&[1, 2, 3, 4, 5, 6, 7], &[5, 6, 7, 8], true),
        ] {
            let decided = can_hand_over(&committee(present), &committee(next));
            assert_eq!(decided.is_ok(), can, "{present:?} to {next:?}");
        }
    }
}
