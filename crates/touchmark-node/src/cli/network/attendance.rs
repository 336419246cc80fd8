//! Taking part in a formation: as the convener, or with an invitation.

use super::draft::Place;
use crate::cli::answer::{Answer, Table};
use crate::cli::config::DataFolder;
use crate::cli::failure::{Failure, Fault};
use crate::cli::session::Session;
use crate::cli::sheet::{Field, Sheet};
use crate::config::duration;
use crate::formation::{self, Attendance, Draft, FormationError, Formed, Role, Service, from_text};
use std::path::Path;
use std::time::Duration;
use touchmark_wire::formation::{Agreement, Succession};
use touchmark_wire::hash::Digest;

/// How to answer what people have to decide
#[derive(clap::Args, Debug)]
struct Consent {
    /// Go along with the members that are shown, without being asked
    #[arg(long)]
    accept: bool,
    /// Go along with the agreement of this digest, which the others told, and with no other
    #[arg(long, value_name = "DIGEST")]
    expect: Option<Digest>,
    /// Take what this folder has of a network, or of a committee, that the other members have
    /// already; compare its id with theirs
    #[arg(long, value_name = "ID", conflicts_with_all = ["accept", "expect"])]
    accept_network: Option<Digest>,
    /// How long to wait for the convener's answer, for members to be ready, and for those who fall
    /// silent
    #[arg(long, value_name = "TIME", default_value = "10min", value_parser = duration)]
    patience: Duration,
    #[command(flatten)]
    data: DataFolder,
}

/// Wait for those who were invited, then make the network's key with them
///
/// Runs until all members have accepted the agreement and the network is made. It can be stopped
/// and started again at any time; everyone must be there at the end.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Form {
    #[command(flatten)]
    consent: Consent,
}

/// Take part in forming a network with an invitation
///
/// Makes this validator's keys in an empty data folder, hands in what is public of them, and makes
/// the network's key with the other members. It can be stopped and started again at any time with
/// the same arguments; everyone must be there at the end.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Join {
    /// The invitation
    invitation: String,
    /// Name of this validator: letters, digits, dots, hyphens and underscores
    #[arg(long)]
    name: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    consent: Consent,
}

pub(super) fn form(session: &mut Session<'_, '_>, form: &Form) -> Result<Answer, Failure> {
    let path = form.consent.data.path(session)?;
    if let Some(answer) = candidate(session, &path, &form.consent)? {
        return Ok(answer);
    }
    let draft = Draft::open(&path)?;
    let Role::Convener(convening) = draft.role else {
        let error = FormationError::Draft("this folder takes part by invitation");
        return Err(Failure::from(error).hint("run `touchmark network join` again"));
    };
    let (attendance, reception) = Attendance::open(&path, form.consent.patience)?;
    let reception = reception.ok_or(FormationError::Draft("only the convener forms"))?;
    let _service = Service::start(convening.listen()?, reception)?;
    take_part(session, &path, &form.consent, attendance)
}

pub(super) fn join(session: &mut Session<'_, '_>, join: &Join) -> Result<Answer, Failure> {
    let path = join.consent.data.path(session)?;
    if let Some(answer) = candidate(session, &path, &join.consent)? {
        return Ok(answer);
    }
    let invitation = from_text(&join.invitation)?;
    let plan = join.place.plan(session, &join.name)?;
    Draft::join(&path, &plan, invitation)?;
    let (attendance, _) = Attendance::open(&path, join.consent.patience)?;
    take_part(session, &path, &join.consent, attendance)
}

/// What an earlier run left behind.
fn candidate(
    session: &mut Session<'_, '_>,
    path: &Path,
    consent: &Consent,
) -> Result<Option<Answer>, Failure> {
    if let Some(digest) = consent.accept_network {
        return Ok(Some(formed(path, &formation::accept(path, digest)?)));
    }
    if let Some(network) = formation::candidate(path)? {
        session.say(&format!(
            "an earlier run made what may be the network {network}. If the other members have \
             it, stop this and add --accept-network {network}; otherwise all make another one now"
        ));
    }
    Ok(None)
}

fn take_part(
    session: &mut Session<'_, '_>,
    path: &Path,
    consent: &Consent,
    attendance: Attendance,
) -> Result<Answer, Failure> {
    if let Some(genesis) = attendance.finish()? {
        return Ok(formed(path, &genesis));
    }
    let mut said = 0;
    let agreement = attendance.agreement(|present, of| {
        if said != present {
            said = present;
            session.say(&format!("{present} of {of} members are here"));
        }
    })?;
    decide(session, &agreement, consent)?;
    let mut said = None;
    let made = attendance.make(&agreement, |absent| {
        if said.as_deref() != Some(absent) {
            said = Some(absent.to_vec());
            session.say(&format!("waiting for {}", absent.join(", ")));
        }
    });
    let made = made.map_err(|error| kept(path, Failure::from(error)))?;
    Ok(formed(path, &made))
}

/// Shows the agreement, and has somebody decide.
fn decide(
    session: &mut Session<'_, '_>,
    agreement: &Agreement,
    consent: &Consent,
) -> Result<(), Failure> {
    let digest = agreement.digest();
    let mut table = Table::new(&["member", "address", "peer key"]);
    for member in &agreement.members {
        let record = &member.record;
        let fingerprint = record.peer.to_string()[..16].to_owned();
        table.row([record.name.clone(), record.address.clone(), fingerprint]);
    }
    let (origin, threshold) = (&agreement.origin, agreement.threshold);
    let existing = agreement.succession.map(|Succession { network, number }| {
        format!("network    {network}, which exists\ncommittee  {number}\n")
    });
    session.say(&format!(
        "{table}origin     {origin}\n{}threshold  {threshold} of {}\nagreement  {digest}",
        existing.unwrap_or_default(),
        agreement.members.len()
    ));
    match consent.expect {
        Some(expected) if expected == digest => return Ok(()),
        Some(expected) => {
            return Err(Failure::new(Fault::Agreement, "this is not the agreement you expect")
                .because(format!("its digest is {digest}, not {expected}"))
                .hint("ask the other members which digest they see; do not go on before"));
        }
        None if consent.accept => return Ok(()),
        None => {}
    }
    let hint = "compare the digest with the other members, then give --expect DIGEST; --accept \
                takes whatever the convener shows";
    let Some(terminal) = &mut session.environment.terminal else {
        return Err(Failure::new(Fault::Usage, "nobody is here to accept the members")
            .because("a convener could have filled the network with members of its own")
            .hint(hint));
    };
    let answer = terminal.line("Do the other members see the same digest? Type yes to go on: ");
    match answer {
        Ok(answer) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::new(Fault::Agreement, "the members were not accepted").hint(hint)),
    }
}

/// A failure after which this folder may have what others rely on.
fn kept(path: &Path, failure: Failure) -> Failure {
    match formation::candidate(path) {
        Ok(Some(network)) => failure.hint(format!(
            "ask the other members: if one has the network {network}, run this again with \
             --accept-network {network}; if none has, all run it again"
        )),
        _ => failure,
    }
}

fn formed(path: &Path, formed: &Formed) -> Answer {
    let mut sheet = Sheet::default();
    let committee = match formed {
        Formed::Network(genesis) => {
            sheet.add("network", genesis.network_id().to_string());
            sheet.add("origin", genesis.origin.as_str());
            &genesis.committee
        }
        Formed::Committee(network, committee) => {
            sheet.add("network", network.to_string());
            sheet.add("committee", committee.epoch.0).add("digest", formed.digest().to_string());
            committee
        }
    };
    let validators = &committee.validators;
    sheet.add("validators", validators.iter().map(|it| it.name.as_str()).collect::<Field>());
    sheet.add("threshold", committee.threshold);
    sheet.add("data", path.display().to_string());
    Answer::sheet(&sheet)
}
