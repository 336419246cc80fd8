//! Beginning to form a network: the convener's keys, and invitations.

use crate::cli::answer::Answer;
use crate::cli::config::DataFolder;
use crate::cli::failure::Failure;
use crate::cli::moment::Moment;
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use crate::config::duration;
use crate::formation::{Draft, Plan, Role, to_text};
use crate::node::now;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

/// Where a formation is served unless it is said.
const LISTEN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 8790));

/// Where a validator to be is reached
#[derive(clap::Args, Debug)]
pub(super) struct Engine {
    /// Where the other validators reach this one's engine
    #[arg(long, value_name = "HOST:PORT")]
    address: String,
    /// Where the engine listens; otherwise at the port of --address on all interfaces, or at a
    /// loopback address itself
    #[arg(long, value_name = "ADDRESS")]
    engine_listen: Option<SocketAddr>,
}

impl Engine {
    pub(super) fn plan(&self, name: &str) -> Plan {
        Plan { name: name.into(), address: self.address.clone(), listen: self.engine_listen }
    }
}

/// Begin to form a network of several organisations, as the one that invites the others
///
/// Makes this validator's keys in an empty data folder. `network invite` then writes the
/// invitations, and `network form` waits for those who have one.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Init {
    /// Name of this validator: letters, digits, dots, hyphens and underscores
    #[arg(long)]
    name: String,
    /// How many validators the network will have, this one among them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=16))]
    validators: u16,
    #[command(flatten)]
    engine: Engine,
    /// Where `network form` answers those who join; they find it at the host of --address
    #[arg(long, value_name = "ADDRESS", default_value_t = LISTEN)]
    formation_listen: SocketAddr,
    /// C2SP origin of the log, a name for ever, such as log.example.org/2026
    #[arg(long)]
    origin: Option<String>,
    #[command(flatten)]
    data: DataFolder,
}

pub(super) fn init(session: &mut Session<'_, '_>, init: &Init) -> Result<Answer, Failure> {
    let path = init.data.path(session)?;
    let plan = init.engine.plan(&init.name);
    let (validators, origin) = (init.validators, init.origin.clone());
    let draft = Draft::convene(&path, &plan, validators, origin, init.formation_listen, now())?;
    let mut sheet = Sheet::default();
    sheet.add("formation", draft.formation().to_string());
    if let Role::Convener(convening) = &draft.role {
        sheet.add("origin", convening.origin.as_str()).add("validators", convening.validators);
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
