//! The newest that a source shows, and who signed it.

use super::{ShownError, Source};
use crate::upkeep::Certified;
use std::thread;
use std::time::Duration;
use touchmark_wire::algorithm::PureVerifier;
use touchmark_wire::bundle::Bundle;
use touchmark_wire::certificate::{CertificateError, ThresholdCertificate};
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::genesis::{Committee, Genesis, Validator};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, LeafIndex};
use touchmark_wire::merkle;
use touchmark_wire::ratchet::Position;
use touchmark_wire::receipt::{Included, Receipt};

/// How often checkpoint and proof are asked for, until a node that goes on meanwhile shows both of
/// the same batch.
const ATTEMPTS: u32 = 50;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(20);

/// What the network certified of a log: its size and root, proved twice. The committee's certificate
/// is in the proof; the checkpoint has the names of those who cosigned it.
#[derive(Clone, Debug)]
pub struct Tip {
    /// The checkpoint as it was shown (C2SP tlog-checkpoint), and of which network's log it is.
    pub note: String,
    /// The proof as it was shown: a bundle.
    pub proof: Vec<u8>,
    /// Size and root of the log, height and certified time of the batch.
    pub as_of: Position,
    /// Root of the state.
    pub state_root: Digest,
}

/// Somebody whose signature is under a tip.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signer {
    /// A committee, in one of its engine's views.
    Committee {
        /// Which.
        number: Epoch,
        /// The engine's term.
        term: Epoch,
        /// The engine's view in it.
        view: u64,
    },
    /// A validator, on the checkpoint.
    Cosigner(String),
    /// A validator, on a receipt of the last leaf.
    Receipt(String),
}

impl Tip {
    /// Reads what `source` shows as its newest, and refuses what the network did not certify.
    pub fn read(source: &Source, genesis: &Genesis) -> Result<Self, ShownError> {
        let attempts = if source.is_node() { ATTEMPTS } else { 1 };
        for attempt in 1..=attempts {
            if let Some(tip) = Self::look(source, genesis)? {
                return Ok(tip);
            }
            if attempt < attempts {
                thread::sleep(PAUSE);
            }
        }
        let reason = "its checkpoint and its proof are never of the same batch".to_owned();
        Err(ShownError::Uncertified { name: source.name().to_owned(), reason })
    }

    /// `None` where the log went on between checkpoint and proof.
    fn look(source: &Source, genesis: &Genesis) -> Result<Option<Self>, ShownError> {
        let uncertified =
            |reason| ShownError::Uncertified { name: source.name().to_owned(), reason };
        let note = source.checkpoint()?;
        let signed =
            SignedCheckpoint::parse(&note).map_err(|error| uncertified(error.to_string()))?;
        let shown = signed.checkpoint();
        if shown.origin() != genesis.origin {
            let own = shown.origin();
            return Err(uncertified(format!("its checkpoint is of the log {own}")));
        }
        if shown.size.0 == 0 {
            return Err(ShownError::Empty { name: source.name().to_owned() });
        }
        let proof = source.proof(shown.size)?;
        let Certified { header, state_root } =
            Certified::judged(&proof, genesis.network_id()).map_err(uncertified)?;
        if header.size != shown.size {
            return Ok(None);
        }
        if header.root != shown.root {
            let reason = "its checkpoint has another root than the network certified";
            return Err(uncertified(reason.into()));
        }
        let bundle = Bundle::decode(&proof).map_err(|error| uncertified(error.to_string()))?;
        let committee = committee(&bundle, genesis);
        let by = cosigned(&signed, committee).map_err(|error| uncertified(error.to_string()))?;
        if by.is_empty() {
            return Err(uncertified("no validator cosigned its checkpoint".into()));
        }
        let note = String::from_utf8(note).map_err(|error| uncertified(error.to_string()))?;
        Ok(Some(Self { note, proof, as_of: header, state_root }))
    }

    /// Who signed it; a node is asked for a receipt of the last leaf, too.
    pub fn signers(&self, source: &Source, genesis: &Genesis) -> Vec<Signer> {
        // It was decoded when it was read.
        let Ok(bundle) = Bundle::decode(&self.proof) else { return Vec::new() };
        let committee = committee(&bundle, genesis);
        let certificate = bundle.certificate.and_then(|it| ThresholdCertificate::parse(it).ok());
        let certificate = certificate.map(|it| Signer::Committee {
            number: committee.epoch,
            term: it.epoch(),
            view: it.view(),
        });
        let note = SignedCheckpoint::parse(self.note.as_bytes()).ok();
        let cosigners = note.and_then(|note| cosigned(&note, committee).ok()).unwrap_or_default();
        let receipt = self.receipt(source, committee, bundle.batch.index, bundle.batch.leaf);
        certificate
            .into_iter()
            .chain(cosigners.into_iter().map(Signer::Cosigner))
            .chain(receipt.map(Signer::Receipt))
            .collect()
    }

    /// The validator that signed a receipt of the last leaf for this very log.
    fn receipt(
        &self,
        source: &Source,
        committee: &Committee,
        index: LeafIndex,
        leaf: &[u8],
    ) -> Option<String> {
        let bytes = source.receipt(index)?;
        let hash = merkle::leaf_hash(leaf);
        let mut by = committee
            .validators
            .iter()
            .filter_map(|it| receipted(&bytes, &hash, it).map(|included| (it, included)));
        let (validator, _) = by.find(|(_, included)| included.root == self.as_of.root)?;
        Some(validator.name.clone())
    }
}

/// What a validator's receipt says of the leaf with this hash, if it is one.
pub(crate) fn receipted(bytes: &[u8], hash: &Digest, by: &Validator) -> Option<Included> {
    let receipt = Receipt::decode(bytes).ok()?;
    receipt.verify_inclusion(hash, &by.log_key.check().ok()?, &PureVerifier).ok()
}

/// Who certified what a bundle shows; of one that was judged.
pub(crate) fn committee<'b>(bundle: &'b Bundle<'_>, genesis: &'b Genesis) -> &'b Committee {
    bundle.handovers.0.last().map_or(&genesis.committee, |handover| &handover.committee)
}

/// Names of the validators that cosigned a checkpoint; a wrong line of one of them is an error.
pub(crate) fn cosigned(
    note: &SignedCheckpoint<'_>,
    committee: &Committee,
) -> Result<Vec<String>, CertificateError> {
    let mut names = Vec::new();
    for cosigner in committee.cosigners() {
        match cosigner.verify(note, &PureVerifier) {
            Ok(_) => names.push(cosigner.name().to_owned()),
            Err(CertificateError::NotCosigned) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}
