//! By whose authority a control center states something: an identity that is held here whole, or
//! members who sign one after the other.

use super::proposal::{Collected, Quorum};
use crate::cli::answer::Answer;
use crate::cli::failure::{Failure, Fault};
use crate::cli::identity::folder::{Identity, Tip};
use crate::cli::identity::signing::{self, Proposal, Signing};
use crate::cli::passphrase::Passphrase;
use crate::cli::session::Session;
use crate::cli::view;
use std::path::PathBuf;
use touchmark_api::client::Client;
use touchmark_api::{ThingView, Written};
use touchmark_core::entry::Purposes;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::ids::{KeyNumber, Sequence, StatementId, ThingId};
use touchmark_wire::registry::StatementKind;

/// By whose authority
#[derive(clap::Args, Debug)]
pub(super) struct Authority {
    #[command(flatten)]
    signing: Signing,
    /// Organisation of several members, by its id; they sign one after the other
    #[arg(
        long,
        value_name = "ID",
        requires = "member_key",
        requires = "propose",
        conflicts_with = "identity"
    )]
    center: Option<String>,
    /// Your key file as its member
    #[arg(long, value_name = "FILE", requires = "center")]
    member_key: Option<PathBuf>,
    /// Where to put the statement for the other members to sign
    #[arg(long, value_name = "FILE", requires = "center")]
    propose: Option<PathBuf>,
}

/// The organisation's desk for one command: its chain stands still while we write.
pub(super) struct Office {
    pub(super) client: Client,
    pub(super) organisation: ThingId,
    seat: Seat,
}

/// Who sits there.
enum Seat {
    /// All keys that are needed.
    Whole { identity: Box<Identity>, keys: Vec<(KeyNumber, SoftwareKey)> },
    /// One member of several.
    Member { key: Box<SoftwareKey>, quorum: Quorum, tip: Tip, file: PathBuf },
}

/// What became of a statement.
pub(super) enum Stated {
    /// A node has it.
    Written(Written),
    /// It waits for more members.
    Proposed(Collected),
}

impl Authority {
    /// Where a passphrase comes from.
    pub(super) const fn passphrase(&self) -> &Passphrase {
        self.signing.passphrase()
    }

    /// Goes on from the chain's head as the node has it now. Whatever is counted after this, such
    /// as the next number, holds for the next statement: if another comes in between, the node
    /// refuses ours.
    pub(super) fn open(&self, session: &mut Session<'_, '_>) -> Result<Office, Failure> {
        let client = session.client()?;
        if let Some(center) = &self.center {
            return self.open_as_member(session, client, center);
        }
        let mut identity = self.signing.open(session)?;
        signing::deliver_pending(session, &client, &mut identity)?;
        let organisation = identity.thing()?;
        let view = client.thing(organisation)?;
        signing::adopt(&mut identity, &view.head)?;
        let keys = self.signing.keys(session, &identity, Purposes::CONTROL)?;
        let seat = Seat::Whole { identity: Box::new(identity), keys };
        Ok(Office { client, organisation, seat })
    }

    fn open_as_member(
        &self,
        session: &mut Session<'_, '_>,
        client: Client,
        center: &str,
    ) -> Result<Office, Failure> {
        let (Some(key), Some(file)) = (&self.member_key, &self.propose) else {
            return Err(Failure::new(Fault::Usage, "a member needs a key and a place to propose")
                .hint("give --member-key and --propose"));
        };
        let organisation = session.thing(center)?;
        session.network(&client)?;
        let view = client.thing(organisation)?;
        let key = super::creation::open_key(session, key, self.passphrase())?;
        let seat = Seat::Member {
            key: Box::new(key),
            quorum: Quorum::of(&view)?,
            tip: tip(&view)?,
            file: file.clone(),
        };
        Ok(Office { client, organisation, seat })
    }
}

/// Where a chain goes on, by a node's word.
fn tip(view: &ThingView) -> Result<Tip, Failure> {
    let last: Result<StatementId, _> = view.head.last.parse();
    let StatementId(previous) =
        last.map_err(|_| Failure::new(Fault::Answer, "the node names no head of the chain"))?;
    Ok(Tip { sequence: Sequence(view.head.sequence + 1), previous })
}

impl Office {
    /// States something in the organisation's chain, or proposes it to the members.
    pub(super) fn state(
        &mut self,
        session: &mut Session<'_, '_>,
        kind: StatementKind,
        payload: &[u8],
    ) -> Result<Stated, Failure> {
        match &mut self.seat {
            Seat::Whole { identity, keys } => {
                let bytes = signing::keep(identity, keys, &Proposal::new(kind, payload))?;
                signing::deliver(&self.client, identity, &bytes).map(Stated::Written)
            }
            Seat::Member { key, quorum, tip, file } => {
                let proposal = Proposal::new(kind, payload);
                let draft = signing::draft_at(*tip, self.organisation, &proposal);
                let collected = quorum.sign(session, &draft, &[], key)?;
                session.write(file, &collected.statement)?;
                Ok(Stated::Proposed(collected.at(file)))
            }
        }
    }
}

impl Stated {
    /// As an answer about `thing`, with what is to be added to it.
    pub(super) fn answer(&self, thing: ThingId, more: &[(&str, String)]) -> Answer {
        let thing = thing.to_string();
        let mut answer = match self {
            Self::Written(written) => view::written(written, Some(&thing)),
            Self::Proposed(collected) => Answer::sheet(&collected.sheet(&thing)),
        };
        for (name, value) in more {
            answer.document[name.replace(' ', "_")] = value.as_str().into();
            answer.text.extend_from_slice(format!("{name:<9}{value}\n").as_bytes());
        }
        answer
    }
}
