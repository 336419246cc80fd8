//! What a member has of a network before it knows whether the others have it, too.

use crate::folder::{FolderError, Founding, Peers, Secrets, Site, genesis_of};
use minicbor::{Decode, Encode};
use std::net::SocketAddr;
use touchmark_engine::{Committee, Seat};
use touchmark_wire::formation::Agreement;
use touchmark_wire::genesis::{Genesis, Validator};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::NetworkId;

/// A network that is about to be.
#[derive(Encode, Decode)]
#[cbor(array)]
pub(super) struct Candidate {
    /// Whether all members are known to have it: then only files have to be written.
    #[n(0)]
    is_confirmed: bool,
    #[n(1)]
    founding: Founding,
}

impl Candidate {
    /// What the agreement and the key make, for the member that has `seat`.
    pub(super) fn new(
        agreement: &Agreement,
        committee: &Committee,
        secrets: Secrets,
        seat: &Seat,
        listen: SocketAddr,
    ) -> Result<Self, String> {
        let genesis = genesis(agreement, committee)?;
        let me = secrets.peer_key().map_err(|error| error.to_string())?;
        let me = Digest(*touchmark_wire::algorithm::Signer::public_key(&me).cose().x());
        let others = agreement.members.iter().map(|member| &member.record);
        let others = others
            .filter(|record| record.peer != me)
            .map(|record| (record.name.as_str(), record.peer, record.address.as_str()));
        let peers = Peers::text(listen, others).map_err(|error| error.to_string())?;
        let secrets = secrets.seated(seat.clone());
        let founding = Founding::new(genesis, committee, secrets, Some(peers));
        Ok(Self { is_confirmed: false, founding })
    }

    pub(super) fn network(&self) -> NetworkId {
        self.founding.genesis.network_id()
    }

    pub(super) const fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// Everyone has it: makes the folder that of a validator.
    pub(super) fn settle(mut self, site: &Site) -> Result<Genesis, FolderError> {
        self.is_confirmed = true;
        site.keep_candidate(&self)?;
        self.founding.write(site.path())?;
        site.clear()?;
        Ok(self.founding.genesis)
    }
}

/// The genesis follows from the agreement and the key alone, so all members make the same.
pub(super) fn genesis(agreement: &Agreement, committee: &Committee) -> Result<Genesis, String> {
    let key = committee.certificate_key().map_err(|error| error.to_string())?;
    let agreed = agreement.members.iter().map(|member| member.record.peer.0);
    if !agreed.eq(committee.members.iter().map(|member| member.0)) {
        return Err("the key is of other members than the agreement".to_owned());
    }
    let validators = agreement.members.iter().map(|member| Validator {
        name: agreement.validator_name(member),
        peer: member.record.peer,
        log_key: member.record.log_key,
        cosigner_key: member.record.cosigner_key,
    });
    let (origin, threshold) = (agreement.origin.clone(), agreement.threshold);
    Ok(genesis_of(origin, agreement.time, key, validators.collect(), threshold))
}
