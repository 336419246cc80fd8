//! What a member keeps while a network is being formed.

use super::FormationError;
use crate::folder::{self, FolderError, Secrets, Site, local_origin};
use minicbor::{Decode, Encode};
use std::net::SocketAddr;
use std::path::Path;
use touchmark_wire::algorithm::Signer as _;
use touchmark_wire::formation::{
    Agreement, FormationId, Invitation, InvitationNumber, Record, SignedRecord, Succession,
    VERSION, quorum,
};
use touchmark_wire::genesis::Genesis;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, Timestamp};
use touchmark_wire::limits;

/// Most invitations of a formation.
const INVITATIONS: usize = 256;
/// Longest note about who an invitation is for, bytes.
const NOTE: usize = 128;

/// A member's keys and record, and its part in the formation.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct Draft {
    #[n(0)]
    pub(super) secrets: Secrets,
    /// What it hands in.
    #[n(1)]
    pub record: SignedRecord,
    #[n(2)]
    listen: String,
    /// Its part.
    #[n(3)]
    pub role: Role,
}

/// A part in a formation.
#[derive(Clone, Encode, Decode)]
pub enum Role {
    /// Invites and collects.
    #[n(0)]
    Convener(#[n(0)] Convening),
    /// Was invited.
    #[n(1)]
    Member(#[n(0)] Invitation),
}

/// What the convener keeps.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct Convening {
    /// The formation.
    #[n(0)]
    pub formation: FormationId,
    /// Origin of the network's log.
    #[n(1)]
    pub origin: String,
    /// When the network begins.
    #[n(2)]
    pub time: Timestamp,
    /// How many validators it will have.
    #[n(3)]
    pub validators: u16,
    #[n(4)]
    listen: String,
    #[n(5)]
    address: String,
    /// The invitations, in order of their numbers.
    #[n(6)]
    pub issued: Vec<Issued>,
    /// Of a committee for a network that exists: which.
    #[n(7)]
    pub succession: Option<Succession>,
}

/// An invitation as the convener keeps it.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct Issued {
    /// Its number.
    #[n(0)]
    pub number: InvitationNumber,
    /// Who it is for; the member names itself.
    #[n(1)]
    pub name: String,
    /// Until when a record can be handed in with it.
    #[n(2)]
    pub expires: Timestamp,
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub(super) secret: [u8; 32],
    /// The record that was handed in with it.
    #[n(4)]
    pub record: Option<SignedRecord>,
}

/// What an operator says of a validator to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// `host:port` where the others reach its engine.
    pub address: String,
    /// Where its engine listens; otherwise at the port of `address`.
    pub listen: Option<SocketAddr>,
    /// Keys that it has already, as a validator of the network that gets another committee.
    pub keys: Option<Secrets>,
}

/// Which committee a formation makes.
#[derive(Clone, Debug)]
pub enum Purpose {
    /// The first of a new network, with this origin.
    Network(Option<String>),
    /// A later one of a network.
    Committee(Box<Genesis>, Epoch),
}

impl Plan {
    fn listen(&self) -> Result<SocketAddr, FormationError> {
        match (self.listen, self.address.parse::<SocketAddr>()) {
            (Some(listen), _) if listen.port() == 0 => {
                Err(FormationError::Setting("an engine listens at a certain port"))
            }
            (Some(listen), _) => Ok(listen),
            (None, Ok(address)) if address.ip().is_loopback() => Ok(address),
            (None, _) => {
                let port = self.address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
                let port: u16 = port.ok_or(touchmark_wire::formation::RecordError::Address)?;
                Ok(SocketAddr::from(([0, 0, 0, 0], port)))
            }
        }
    }
}

impl Draft {
    /// Begins a formation as its convener, in an empty folder; the network begins at `now`.
    pub fn convene(
        path: &Path,
        plan: &Plan,
        validators: u16,
        purpose: Purpose,
        listen: SocketAddr,
        now: Timestamp,
    ) -> Result<Self, FormationError> {
        let site = empty(path)?;
        if !(1..=limits::MEMBERS).contains(&usize::from(validators)) {
            return Err(FormationError::Setting("a network is formed by 1 to 16 validators"));
        }
        if listen.port() == 0 {
            return Err(FormationError::Setting("a formation listens at a certain port"));
        }
        let formation = FormationId(Digest(random()?));
        let (origin, time, succession) = match purpose {
            Purpose::Network(origin) => {
                (origin.unwrap_or_else(|| local_origin(&formation.0)), now, None)
            }
            Purpose::Committee(genesis, number) => {
                let network = genesis.network_id();
                (genesis.origin, genesis.time, Some(Succession { network, number }))
            }
        };
        let host = plan.address.rsplit_once(':').map_or(plan.address.as_str(), |(host, _)| host);
        let convening = Convening {
            formation,
            origin,
            time,
            validators,
            address: format!("{host}:{}", listen.port()),
            listen: listen.to_string(),
            issued: Vec::new(),
            succession,
        };
        let draft = Self::new(plan, formation, Role::Convener(convening.clone()))?;
        // An origin that no network can have is better found before anybody is invited.
        let alone = convening.agreement(vec![draft.record.clone()]);
        alone.check().map_err(super::Objection::Unsound)?;
        draft.keep(&site)?;
        Ok(draft)
    }

    /// Begins to take part with an invitation in an empty folder, or goes on in a folder where
    /// that was begun.
    pub fn join(path: &Path, plan: &Plan, invitation: Invitation) -> Result<Self, FormationError> {
        if let Some(draft) = folder::draft::<Self>(path)? {
            let record = &draft.record.record;
            let same = matches!(&draft.role, Role::Member(known) if *known == invitation)
                && (&record.name, &record.address) == (&plan.name, &plan.address)
                && draft.listen == plan.listen()?.to_string();
            return if same {
                Ok(draft)
            } else {
                Err(FormationError::Draft(
                    "this folder takes part already, with another invitation, name or address",
                ))
            };
        }
        let site = empty(path)?;
        let draft = Self::new(plan, invitation.formation, Role::Member(invitation))?;
        draft.keep(&site)?;
        Ok(draft)
    }

    /// What is kept in a folder.
    pub fn open(path: &Path) -> Result<Self, FormationError> {
        if folder::has_network(path) {
            return Err(FolderError::Taken { path: path.into() }.into());
        }
        folder::draft(path)?
            .ok_or(FormationError::Draft("no network is being formed in this folder"))
    }

    fn new(plan: &Plan, formation: FormationId, role: Role) -> Result<Self, FormationError> {
        let unusable = |error: &dyn std::fmt::Display| FolderError::Keys(error.to_string());
        let listen = plan.listen()?.to_string();
        let secrets = match &plan.keys {
            Some(keys) => keys.clone().unseated(),
            None => Secrets::generate()?,
        };
        let signer = secrets.peer_key().map_err(|error| unusable(&error))?;
        let log = secrets.log_key().map_err(|error| unusable(&error))?;
        let cosigner = secrets.cosigner_key().map_err(|error| unusable(&error))?;
        let record = Record {
            name: plan.name.clone(),
            peer: Digest(*signer.public_key().cose().x()),
            address: plan.address.clone(),
            log_key: *log.public_key().cose(),
            cosigner_key: *cosigner.public_key().cose(),
        };
        record.check()?;
        let record = record.sign(formation, &signer).map_err(|error| unusable(&error))?;
        Ok(Self { secrets, record, listen, role })
    }

    /// Writes an invitation into the draft in a folder; it ends after `valid` milliseconds.
    pub fn invite(
        path: &Path,
        name: &str,
        now: Timestamp,
        valid: u64,
    ) -> Result<Invitation, FormationError> {
        let site = Site::take(path)?;
        let mut draft = Self::open(path)?;
        let peer = draft.record.record.peer;
        let Role::Convener(convening) = &mut draft.role else {
            return Err(FormationError::Draft("only the convener invites"));
        };
        if !(1..=NOTE).contains(&name.len()) || name.contains(char::is_control) {
            return Err(FormationError::Setting("who an invitation is for has 1 to 128 bytes"));
        }
        if convening.is_complete() || convening.issued.len() >= INVITATIONS {
            return Err(FormationError::Setting("nobody else can be invited"));
        }
        let number = u32::try_from(convening.issued.len() + 1).unwrap_or(u32::MAX);
        let issued = Issued {
            number: InvitationNumber(number),
            name: name.to_owned(),
            expires: Timestamp(now.0.saturating_add(valid)),
            secret: random()?,
            record: None,
        };
        let invitation = convening.invitation(&issued, peer);
        convening.issued.push(issued);
        draft.keep(&site)?;
        Ok(invitation)
    }

    pub(super) fn keep(&self, site: &Site) -> Result<(), FolderError> {
        site.keep_draft(self)
    }

    /// Where this validator's engine listens.
    pub(super) fn listen(&self) -> Result<SocketAddr, FormationError> {
        self.listen.parse().map_err(|_| FormationError::Draft("the draft is damaged"))
    }

    /// The formation.
    pub fn formation(&self) -> FormationId {
        match &self.role {
            Role::Convener(convening) => convening.formation,
            Role::Member(invitation) => invitation.formation,
        }
    }
}

impl Convening {
    /// Where the formation is served.
    pub fn listen(&self) -> Result<SocketAddr, FormationError> {
        self.listen.parse().map_err(|_| FormationError::Draft("the draft is damaged"))
    }

    /// How many members there are, the convener among them.
    pub fn present(&self) -> usize {
        1 + self.issued.iter().filter(|issued| issued.record.is_some()).count()
    }

    fn invitation(&self, issued: &Issued, peer: Digest) -> Invitation {
        Invitation {
            version: VERSION,
            formation: self.formation,
            number: issued.number,
            convener: self.address.clone(),
            peer,
            secret: issued.secret,
            expires: issued.expires,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.present() >= usize::from(self.validators)
    }

    /// The agreement of these members, in any order.
    pub(super) fn agreement(&self, mut members: Vec<SignedRecord>) -> Agreement {
        members.sort_by_key(|member| member.record.peer);
        let threshold = u16::try_from(quorum(members.len())).unwrap_or(u16::MAX);
        let (formation, origin, time) = (self.formation, self.origin.clone(), self.time);
        let succession = self.succession;
        Agreement { version: VERSION, formation, origin, time, threshold, members, succession }
    }
}

fn empty(path: &Path) -> Result<Site, FormationError> {
    let site = Site::take(path)?;
    if folder::is_forming(path) {
        return Err(FolderError::Forming { path: path.into() }.into());
    }
    Ok(site)
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], FormationError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| FolderError::Keys(error.to_string()))?;
    Ok(bytes)
}
