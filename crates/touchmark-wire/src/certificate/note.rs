//! Keys of signed notes, and a log's own signature (C2SP signed-note).
//!
//! People pass such a key on as a *vkey*: `<name>+<key id>+<base64 of type and key>`.
//!
//! # Deviations
//! * Of the assigned types only those with Ed25519 keys are known: 0x01 and 0x04.

use super::{CertificateError, Cosigner};
use crate::algorithm::{
    Algorithm, CoseKey, PublicKey, SIGNATURE_LENGTH, SignError, SignatureVerifier, SignedBytes,
    Signer,
};
use crate::checkpoint::{
    KeyId, NoteError, NoteSignature, SignedCheckpoint, Text, check_key_name, write_line,
};
use base64ct::{Base64, Encoding as _};
use core::fmt;
use core::fmt::Write as _;

/// What a key of notes signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum NoteKeyKind {
    /// A log's own checkpoints: Ed25519 over the note's text (signed-note, type 0x01).
    Log = 0x01,
    /// Checkpoints as a witness or validator: timestamped Ed25519 (tlog-cosignature, type 0x04).
    Cosigner = 0x04,
}

/// An Ed25519 key under a name, as a reader's policy lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteKey<'a> {
    kind: NoteKeyKind,
    name: &'a str,
    key: PublicKey,
    id: KeyId,
}

impl<'a> NoteKey<'a> {
    /// A key by its name.
    pub fn new(kind: NoteKeyKind, name: &'a str, key: PublicKey) -> Result<Self, CertificateError> {
        check_key_name(name)?;
        if key.algorithm() != Algorithm::Ed25519 {
            return Err(CertificateError::CosignerAlgorithm);
        }
        let id = KeyId::of(name, kind as u8, key.cose().x());
        Ok(Self { kind, name, key, id })
    }

    /// Reads a vkey.
    pub fn parse(text: &'a str) -> Result<Self, CertificateError> {
        let no_key = CertificateError::Note(NoteError::VerifierKey);
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(no_key);
        };
        let mut buffer = [0; 33];
        let (kind, key) = match Base64::decode(encoded, &mut buffer).map(<[u8]>::split_first) {
            Ok(Some((0x01, key))) => (NoteKeyKind::Log, key),
            Ok(Some((0x04, key))) => (NoteKeyKind::Cosigner, key),
            _ => return Err(no_key),
        };
        let key = CoseKey::ed25519(key.try_into().map_err(|_| no_key)?);
        let key = Self::new(kind, name, key.check().map_err(|_| no_key)?)?;
        let mut expected = Text::<8>::default();
        write!(expected, "{}", key.id).map_err(|_| no_key)?;
        if expected.as_str().eq_ignore_ascii_case(id) { Ok(key) } else { Err(no_key) }
    }

    /// What it signs.
    pub const fn kind(&self) -> NoteKeyKind {
        self.kind
    }

    /// Name in the note's lines.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The key itself.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Key id in the note's lines.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Checks that it signed the note. Its lines must all be valid, as a note with a wrong line of a
    /// known key is to be refused.
    pub fn verify(
        &self,
        note: &SignedCheckpoint<'_>,
        verifier: &impl SignatureVerifier,
    ) -> Result<(), CertificateError> {
        if self.kind == NoteKeyKind::Cosigner {
            return Cosigner::try_from(self.clone())?.verify(note, verifier).map(|_| ());
        }
        let mut found = Err(CertificateError::NotCosigned);
        let message = SignedBytes::new([note.body().as_bytes()]);
        for line in self.lines(note) {
            let signature: [u8; SIGNATURE_LENGTH] = line.decode()?;
            let verified = verifier.verify(&self.key, &message, &signature);
            found = Ok(verified.map_err(CertificateError::Signature)?);
        }
        found
    }

    /// The lines under its name and id, unchecked.
    pub fn lines<'n>(
        &self,
        note: &SignedCheckpoint<'n>,
    ) -> impl Iterator<Item = NoteSignature<'n>> {
        note.signatures().filter(|line| line.name == self.name && line.key == self.id)
    }
}

impl fmt::Display for NoteKey<'_> {
    /// The vkey.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [self.kind as u8; 33];
        bytes[1..].copy_from_slice(self.key.cose().x());
        let mut buffer = [0; 44];
        let encoded = Base64::encode(&bytes, &mut buffer).map_err(|_| fmt::Error)?;
        write!(f, "{}+{}+{encoded}", self.name, self.id)
    }
}

/// A log's own signature of a checkpoint, as a line of the note.
#[derive(Clone, Copy, Debug)]
pub struct LogSignature<'a> {
    origin: &'a str,
    id: KeyId,
    signature: [u8; SIGNATURE_LENGTH],
}

impl<'a> LogSignature<'a> {
    /// Signs the body of a checkpoint of the log called `origin`, which is also the key's name. Only
    /// to be called for a checkpoint that is consistent with every other that this key has signed.
    pub fn sign(
        origin: &'a str,
        body: &str,
        signer: &(impl Signer + ?Sized),
    ) -> Result<Self, SignError> {
        let key = NoteKey::new(NoteKeyKind::Log, origin, signer.public_key().clone());
        let id = key.map_err(|_| SignError::Refused)?.id;
        let signature = signer.sign(&SignedBytes::new([body.as_bytes()]))?;
        Ok(Self { origin, id, signature })
    }

    /// A signature that others made with the key of the log, if it is one of the checkpoint's body.
    pub fn verified(
        key: &NoteKey<'a>,
        body: &str,
        signature: [u8; SIGNATURE_LENGTH],
        verifier: &impl SignatureVerifier,
    ) -> Result<Self, CertificateError> {
        let message = SignedBytes::new([body.as_bytes()]);
        verifier.verify(&key.key, &message, &signature).map_err(CertificateError::Signature)?;
        Ok(Self { origin: key.name, id: key.id, signature })
    }
}

impl fmt::Display for LogSignature<'_> {
    /// The line with its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 4 + SIGNATURE_LENGTH];
        bytes[..4].copy_from_slice(&self.id.0);
        bytes[4..].copy_from_slice(&self.signature);
        write_line(f, self.origin, &bytes)
    }
}
