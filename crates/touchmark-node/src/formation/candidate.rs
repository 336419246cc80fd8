//! What a member has of a committee before it knows whether the others have it, too.

use super::Formed;
use crate::folder::{FolderError, Founding, Peers, Promise, Secrets, Site, genesis_of};
use minicbor::{Decode, Encode};
use std::net::SocketAddr;
use touchmark_engine::{Committee, Seat};
use touchmark_keys::threshold::Share;
use touchmark_wire::formation::{Agreement, Succession};
use touchmark_wire::genesis::{CertificateKey, Committee as Certifiers};
use touchmark_wire::hash::Digest;

/// A committee that is about to be.
#[derive(Encode, Decode)]
#[cbor(array)]
pub(super) struct Candidate {
    /// Whether all members are known to have it: then only files have to be written.
    #[n(0)]
    is_confirmed: bool,
    #[n(1)]
    made: Made,
}

#[derive(Encode, Decode)]
enum Made {
    #[n(0)]
    Network(#[n(0)] Founding),
    #[n(1)]
    Committee(#[n(0)] Promise),
}

impl Candidate {
    /// What the agreement and the keys make, for the member that has `seat` and `share` of them.
    pub(super) fn new(
        agreement: &Agreement,
        committee: &Committee,
        secrets: Secrets,
        (seat, share): (&Seat, Option<&Share>),
        listen: SocketAddr,
    ) -> Result<Self, String> {
        let agreed = certifiers(agreement, committee, share)?;
        let me = secrets.peer().map_err(|error| error.to_string())?;
        let others = agreement.members.iter().map(|member| &member.record);
        let others = others
            .filter(|record| record.peer != me)
            .map(|record| (record.name.as_str(), record.peer, record.address.as_str()));
        let peers = Peers::text(listen, others).map_err(|error| error.to_string())?;
        let secrets = secrets.seated(seat.clone()).holding(share);
        let made = match agreement.succession {
            None => {
                let genesis = genesis_of(agreement.origin.clone(), agreement.time, agreed);
                Made::Network(Founding::new(genesis, committee, secrets, Some(peers)))
            }
            Some(Succession { network, .. }) => {
                Made::Committee(Promise::new(network, agreed, committee, secrets, peers))
            }
        };
        Ok(Self { is_confirmed: false, made })
    }

    /// What the members compare: the new network's id, or the digest of the committee.
    pub(super) fn digest(&self) -> Digest {
        match &self.made {
            Made::Network(founding) => founding.genesis.network_id().0,
            Made::Committee(promise) => promise.committee.digest(),
        }
    }

    pub(super) const fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// Everyone has it: writes what there is to be in the folder.
    pub(super) fn settle(mut self, site: &Site) -> Result<Formed, FolderError> {
        self.is_confirmed = true;
        site.keep_candidate(&self)?;
        let formed = match self.made {
            Made::Network(founding) => {
                founding.write(site.path())?;
                Formed::Network(founding.genesis)
            }
            Made::Committee(promise) => {
                promise.write(site.path())?;
                Formed::Committee(promise.network, promise.committee)
            }
        };
        site.clear()?;
        Ok(formed)
    }
}

/// The committee follows from the agreement and the keys alone, so all members make the same.
fn certifiers(
    agreement: &Agreement,
    committee: &Committee,
    share: Option<&Share>,
) -> Result<Certifiers, String> {
    let key = committee.certificate_key().map_err(|error| error.to_string())?;
    let agreed = agreement.members.iter().map(|member| member.record.peer.0);
    if !agreed.eq(committee.members.iter().map(|member| member.0)) {
        return Err("the key is of other members than the agreement".to_owned());
    }
    Ok(agreement.committee(CertificateKey(key), share.map(|share| Digest(share.key()))))
}
