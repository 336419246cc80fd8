//! What this node signs about the log: checkpoints, receipts and fresh answers. Only roots that it
//! has computed itself and made durable.

use std::sync::Mutex;
use touchmark_keys::software::{SoftwareKey, SoftwareKeyError};
use touchmark_wire::algorithm::{Algorithm, SIGNATURE_LENGTH, SignError, SignedBytes, Signer as _};
use touchmark_wire::bundle::Freshness;
use touchmark_wire::certificate::{
    CertificateError, Cosignature, CosignatureTime, Cosigner, LogSignature,
};
use touchmark_wire::checkpoint::Checkpoint;
use touchmark_wire::codec;
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, NetworkId, Timestamp, TreeSize};
use touchmark_wire::receipt::{Path, Proof, Receipt, ReceiptError, ReceiptHeader};

use crate::folder::Secrets;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttestationError {
    /// This node's keys are not those of a validator of the committee that certifies.
    #[error("this node is not a validator of the committee that certifies now")]
    NotValidator,
    /// A key cannot be used.
    #[error("{0}")]
    Key(#[from] SoftwareKeyError),
    /// What is newer was cosigned before.
    #[error("a newer checkpoint was cosigned before")]
    Old,
    /// Signing failed.
    #[error("{0}")]
    Sign(#[from] SignError),
    /// The receipt cannot be made.
    #[error("{0}")]
    Receipt(ReceiptError),
    /// The checkpoint cannot be made.
    #[error("{0}")]
    Checkpoint(CertificateError),
}

/// Signs with this node's log key and cosigner key.
pub struct Attestor {
    network: NetworkId,
    origin: String,
    /// Network id as text: `sub` of receipts.
    subject: String,
    log: SoftwareKey,
    cosigner: SoftwareKey,
    /// Signs checkpoints as the log, where that is the word of one owner.
    note: Option<SoftwareKey>,
    /// What was cosigned last, of a log that had `begun` leaves at the start; a cosigner never signs
    /// an older state.
    newest: Mutex<Option<Cosigned>>,
    begun: TreeSize,
}

/// A state of the log, cosigned.
#[derive(Clone, Copy)]
struct Cosigned {
    size: TreeSize,
    root: Digest,
    cosignature: Cosignature,
}

impl Attestor {
    /// The attestor that has these keys, for a log that has `begun` leaves.
    pub fn new(
        genesis: &Genesis,
        secrets: &Secrets,
        begun: TreeSize,
    ) -> Result<Self, AttestationError> {
        let (log, cosigner) = (secrets.log_key()?, secrets.cosigner_key()?);
        Ok(Self {
            network: genesis.network_id(),
            origin: genesis.origin.clone(),
            subject: genesis.network_id().to_string(),
            log,
            cosigner,
            note: None,
            newest: Mutex::new(None),
            begun,
        })
    }

    /// The same, which also signs as the log.
    pub(crate) fn with_note_key(self, note: Option<SoftwareKey>) -> Self {
        Self { note, ..self }
    }

    /// Whether it can sign as the log.
    pub(crate) const fn has_note_key(&self) -> bool {
        self.note.is_some()
    }

    /// This validator's place and name in the committee.
    pub(crate) fn place<'c>(
        &self,
        committee: &'c Committee,
    ) -> Result<(u16, &'c str), AttestationError> {
        let own = self.log.public_key().cose();
        let mut validators = (0..).zip(&committee.validators);
        let found = validators.find(|(_, validator)| validator.log_key == *own);
        let (place, validator) = found.ok_or(AttestationError::NotValidator)?;
        Ok((place, &validator.name))
    }

    /// This validator's place in the committee.
    pub fn validator(&self, committee: &Committee) -> Result<u16, AttestationError> {
        self.place(committee).map(|(place, _)| place)
    }

    /// Cosigns a durable checkpoint as a member of `committee`, or the newest that it has cosigned;
    /// the note that `/checkpoint` shows.
    pub fn checkpoint(
        &self,
        committee: &Committee,
        size: TreeSize,
        root: Digest,
        now: Timestamp,
    ) -> Result<String, AttestationError> {
        let (_, name) = self.place(committee)?;
        let Cosigned { size, root, cosignature } = self.newest(size, root, now)?;
        let body = self.body(size, root)?;
        let cosigner = Cosigner::new(name, self.cosigner.public_key().clone())
            .map_err(AttestationError::Checkpoint)?;
        let line = cosigner.line(cosignature);
        match &self.note {
            // Of a log that several own, none of them speaks for all.
            Some(key) if committee.validators.len() == 1 => {
                let own = LogSignature::sign(&self.origin, &body, key)?;
                Ok(format!("{body}\n{own}{line}"))
            }
            _ => Ok(format!("{body}\n{line}")),
        }
    }

    /// Cosigns exactly this durable checkpoint; returns this validator's place with it.
    pub fn cosign(
        &self,
        committee: &Committee,
        size: TreeSize,
        root: Digest,
        now: Timestamp,
    ) -> Result<(u16, Cosignature), AttestationError> {
        let (place, _) = self.place(committee)?;
        // It may have been shown before this process began.
        if size < self.begun {
            return Err(AttestationError::Old);
        }
        let newest = self.newest(size, root, now)?;
        if newest.size != size {
            return Err(AttestationError::Old);
        }
        Ok((place, newest.cosignature))
    }

    /// What is cosigned of this state and of what was cosigned before: the newer one.
    fn newest(
        &self,
        size: TreeSize,
        root: Digest,
        now: Timestamp,
    ) -> Result<Cosigned, AttestationError> {
        let mut newest = self.newest.lock().expect("no holder of the lock panics");
        if let Some(known) = newest.as_ref()
            && known.size >= size
        {
            return Ok(*known);
        }
        let body = self.body(size, root)?;
        let cosignature = Cosignature::sign(&body, CosignatureTime(now.0 / 1_000), &self.cosigner)?;
        Ok(*newest.insert(Cosigned { size, root, cosignature }))
    }

    /// The text of a checkpoint, which is what is signed.
    pub(crate) fn body(&self, size: TreeSize, root: Digest) -> Result<String, AttestationError> {
        let checkpoint = Checkpoint::new(&self.origin, size, root);
        Ok(checkpoint.map_err(|error| AttestationError::Checkpoint(error.into()))?.to_string())
    }

    /// A receipt (RFC 9942): the leaf is at `index` of the log of `size` leaves with `root`.
    pub fn receipt(
        &self,
        committee: &Committee,
        index: LeafIndex,
        size: TreeSize,
        path: &[Digest],
        root: &Digest,
    ) -> Result<Vec<u8>, AttestationError> {
        self.place(committee)?;
        let kid = self.log.public_key().digest();
        let header = ReceiptHeader {
            algorithm: Algorithm::Es256,
            kid: Some(&kid.0),
            issuer: Some(&self.origin),
            subject: Some(&self.subject),
        };
        let path = Path::new(path).ok_or(AttestationError::Sign(SignError::Refused))?;
        let mut buffer = [0; ReceiptHeader::LIMIT];
        let proof = Proof::Inclusion { size, index, path };
        let receipt = Receipt::sign(&header, &mut buffer, proof, root, &self.log)
            .map_err(AttestationError::Receipt)?;
        Ok(codec::encode(&receipt))
    }

    /// Signs a client's nonce with the newest state; returns this validator's place with it.
    pub fn fresh(
        &self,
        committee: &Committee,
        nonce: &[u8],
        size: TreeSize,
        root: Digest,
    ) -> Result<(u16, [u8; SIGNATURE_LENGTH]), AttestationError> {
        let message = Freshness::message(self.network, nonce, size, root);
        let (place, _) = self.place(committee)?;
        Ok((place, self.log.sign(&SignedBytes::new([&message[..]]))?))
    }
}
