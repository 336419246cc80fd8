//! Beginning to form a network: the convener's keys, and invitations.

use crate::cli::answer::Answer;
use crate::cli::config::DataFolder;
use crate::cli::failure::Failure;
use crate::cli::moment::Moment;
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use crate::config::duration;
use crate::folder;
use crate::formation::{Draft, Plan, Purpose, Role, to_text};
use crate::node::now;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::time::Duration;
use touchmark_wire::ids::Epoch;

/// Where a formation is served unless it is said.
const LISTEN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 8790));

/// Where a validator to be is reached
#[derive(clap::Args, Debug)]
pub(super) struct Place {
    /// Where the other validators reach this one's engine
    #[arg(long, value_name = "HOST:PORT")]
    address: String,
    /// Where the engine listens; otherwise at the port of --address on all interfaces, or at a
    /// loopback address itself
    #[arg(long = "engine-listen", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The data folder of this validator, if it certifies already: it keeps its keys
    #[arg(long, value_name = "FOLDER")]
    of: Option<PathBuf>,
}

impl Place {
    pub(super) fn plan(&self, session: &Session<'_, '_>, name: &str) -> Result<Plan, Failure> {
        let keys = self.of.as_ref().map(|of| folder::secrets(&session.path(of))).transpose()?;
        let (name, address) = (name.into(), self.address.clone());
        Ok(Plan { name, address, listen: self.listen, keys })
    }
}

/// Begin to form a network of several organisations, as the one that invites the others
///
/// Makes this validator's keys in an empty data folder. `network invite` then writes the
/// invitations, and `network form` waits for those who have one. With --of it is the next committee
/// of a network that exists, formed in an empty folder of its own.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Init {
    /// Name of this validator: letters, digits, dots, hyphens and underscores
    #[arg(long)]
    name: String,
    /// How many validators the network will have, this one among them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=16))]
    validators: u16,
    #[command(flatten)]
    place: Place,
    /// Where `network form` answers those who join; they find it at the host of --address
    #[arg(long, value_name = "ADDRESS", default_value_t = LISTEN)]
    formation_listen: SocketAddr,
    /// C2SP origin of the log, a name for ever, such as log.example.org/2026
    #[arg(long, conflicts_with = "of")]
    origin: Option<String>,
    /// Number of the next committee, if it is not the one after the last that the folder of --of
    /// has a place in
    #[arg(long, value_name = "N", requires = "of")]
    number: Option<u64>,
    #[command(flatten)]
    data: DataFolder,
}

pub(super) fn init(session: &mut Session<'_, '_>, init: &Init) -> Result<Answer, Failure> {
    let path = init.data.path(session)?;
    let plan = init.place.plan(session, &init.name)?;
    let purpose = match &init.place.of {
        None => Purpose::Network(init.origin.clone()),
        Some(of) => {
            let of = session.path(of);
            let number = match init.number {
                Some(number) => Epoch(number),
                None => folder::next_number(&of)?,
            };
            Purpose::Committee(Box::new(folder::genesis(&of)?), number)
        }
    };
    let (validators, listen) = (init.validators, init.formation_listen);
    let draft = Draft::convene(&path, &plan, validators, purpose, listen, now())?;
    let mut sheet = Sheet::default();
    sheet.add("formation", draft.formation().to_string());
    if let Role::Convener(convening) = &draft.role {
        sheet.add("origin", convening.origin.as_str()).add("validators", convening.validators);
        if let Some(succession) = &convening.succession {
            sheet.add("network", succession.network.to_string());
            sheet.add("committee", succession.number.0);
        }
    }
    sheet.add("name", init.name.as_str());
    sheet.add("peer key", draft.record.record.peer.to_string());
    sheet.add("data", path.display().to_string());
    session.say("next: `touchmark network invite` for each other member, then `network form`");
    Ok(Answer::sheet(&sheet))
}

/// Write an invitation for one organisation and print it as one line
///
/// It lets its holder take one place, once. Pass it on in confidence.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Invite {
    /// Who it is for, as a note for the convener; the member names itself
    #[arg(long)]
    name: String,
    /// How long a member can join with it, such as 12h or 7d
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = duration)]
    valid: Duration,
    #[command(flatten)]
    data: DataFolder,
}

pub(super) fn invite(session: &mut Session<'_, '_>, invite: &Invite) -> Result<Answer, Failure> {
    let path = invite.data.path(session)?;
    let valid = u64::try_from(invite.valid.as_millis()).unwrap_or(u64::MAX);
    let invitation = Draft::invite(&path, &invite.name, now(), valid)?;
    let text = to_text(&invitation);
    let document = serde_json::json!({
        "invitation": text,
        "number": invitation.number.0,
        "name": invite.name,
        "convener": invitation.convener,
        "expires": invitation.expires.0,
    });
    let end = Moment(invitation.expires);
    session.say(&format!("for {}, until {end}: pass it on in confidence", invite.name));
    Ok(Answer::new(&document, format!("{text}\n")))
}
