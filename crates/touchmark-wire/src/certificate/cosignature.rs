//! Ed25519 cosignatures, version 1 (C2SP tlog-cosignature).

use super::CertificateError;
use super::note::{NoteKey, NoteKeyKind};
use crate::algorithm::{
    Algorithm, PublicKey, SIGNATURE_LENGTH, SignError, SignatureVerifier, SignedBytes, Signer,
};
use crate::checkpoint::{KeyId, SignedCheckpoint, Text, write_line};
use core::fmt;
use core::fmt::Write as _;

/// When a cosigner signed, in seconds since 1970-01-01T00:00:00Z; below 2^63.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CosignatureTime(pub u64);

/// Who may cosign: a name and an Ed25519 key, as a reader's policy lists them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosigner<'a>(NoteKey<'a>);

impl<'a> Cosigner<'a> {
    /// A cosigner by name and key.
    pub fn new(name: &'a str, key: PublicKey) -> Result<Self, CertificateError> {
        NoteKey::new(NoteKeyKind::Cosigner, name, key).map(Self)
    }

    /// Name in the note's lines.
    pub const fn name(&self) -> &'a str {
        self.0.name()
    }

    /// Its key.
    pub const fn key(&self) -> &PublicKey {
        self.0.key()
    }

    /// Key id in the note's lines.
    pub const fn id(&self) -> KeyId {
        self.0.id()
    }

    /// The same as a key of notes, which people write as a vkey.
    pub const fn note_key(&self) -> &NoteKey<'a> {
        &self.0
    }

    /// The note line of its cosignature.
    pub const fn line(&self, cosignature: Cosignature) -> CosignatureLine<'a> {
        CosignatureLine { name: self.0.name(), id: self.0.id(), cosignature }
    }

    /// Finds and checks its cosignature of a note. Its lines must all be valid, as a note with a
    /// wrong line of a known key is to be refused; the first one counts.
    pub fn verify(
        &self,
        note: &SignedCheckpoint<'_>,
        verifier: &impl SignatureVerifier,
    ) -> Result<CosignatureTime, CertificateError> {
        let mut time = Err(CertificateError::NotCosigned);
        for line in self.0.lines(note) {
            let cosignature = Cosignature::from_bytes(&line.decode()?)?;
            cosignature.verify(note.body(), self.key(), verifier)?;
            time = time.or(Ok(cosignature.time));
        }
        time
    }
}

impl<'a> TryFrom<NoteKey<'a>> for Cosigner<'a> {
    type Error = CertificateError;

    /// A log's own key is no cosigner's.
    fn try_from(key: NoteKey<'a>) -> Result<Self, CertificateError> {
        match key.kind() {
            NoteKeyKind::Cosigner => Ok(Self(key)),
            NoteKeyKind::Log => Err(CertificateError::NotCosigner),
        }
    }
}

/// A cosigner's statement that the checkpoint was the newest consistent one that it knew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cosignature {
    /// When.
    pub time: CosignatureTime,
    signature: [u8; SIGNATURE_LENGTH],
}

impl Cosignature {
    /// Length, bytes: time (big-endian) ‖ signature.
    pub const LEN: usize = 8 + SIGNATURE_LENGTH;

    /// Signs a checkpoint's body. Only to be called for a checkpoint that extends every earlier
    /// one that this key has cosigned.
    pub fn sign(
        body: &str,
        time: CosignatureTime,
        signer: &(impl Signer + ?Sized),
    ) -> Result<Self, SignError> {
        if signer.public_key().algorithm() != Algorithm::Ed25519 || time.0 >> 63 != 0 {
            return Err(SignError::Refused);
        }
        let header = header(time);
        let signature =
            signer.sign(&SignedBytes::new([header.as_str().as_bytes(), body.as_bytes()]))?;
        Ok(Self { time, signature })
    }

    /// Checks it against a checkpoint's body and a cosigner's key.
    pub fn verify(
        &self,
        body: &str,
        key: &PublicKey,
        verifier: &impl SignatureVerifier,
    ) -> Result<(), CertificateError> {
        if key.algorithm() != Algorithm::Ed25519 {
            return Err(CertificateError::CosignerAlgorithm);
        }
        let header = header(self.time);
        let message = SignedBytes::new([header.as_str().as_bytes(), body.as_bytes()]);
        verifier.verify(key, &message, &self.signature).map_err(CertificateError::Cosignature)
    }

    /// Reads time ‖ signature.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, CertificateError> {
        let (mut time, mut signature) = ([0; 8], [0; SIGNATURE_LENGTH]);
        time.copy_from_slice(&bytes[..8]);
        signature.copy_from_slice(&bytes[8..]);
        let time = u64::from_be_bytes(time);
        if time >> 63 != 0 {
            return Err(CertificateError::Malformed);
        }
        Ok(Self { time: CosignatureTime(time), signature })
    }

    /// Time ‖ signature.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&self.time.0.to_be_bytes());
        bytes[8..].copy_from_slice(&self.signature);
        bytes
    }
}

/// The two lines before the checkpoint in the signed message.
fn header(time: CosignatureTime) -> Text<48> {
    let mut text = Text::default();
    writeln!(text, "cosignature/v1\ntime {}", time.0)
        .expect("15 bytes, 5 bytes, at most 20 digits and a newline fit");
    text
}

/// A cosignature as a note's line, with its newline.
#[derive(Clone, Copy, Debug)]
pub struct CosignatureLine<'a> {
    name: &'a str,
    id: KeyId,
    cosignature: Cosignature,
}

impl fmt::Display for CosignatureLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 4 + Cosignature::LEN];
        bytes[..4].copy_from_slice(&self.id.0);
        bytes[4..].copy_from_slice(&self.cosignature.to_bytes());
        write_line(f, self.name, &bytes)
    }
}

/// Checks that at least `threshold` different keys of `cosigners` have cosigned the note; a
/// threshold of 0 is never met.
///
/// A cosigner's wrong line refuses the whole note; names that share a key count once.
pub fn verify_quorum(
    note: &SignedCheckpoint<'_>,
    cosigners: &[Cosigner<'_>],
    threshold: usize,
    verifier: &impl SignatureVerifier,
) -> Result<(), CertificateError> {
    let mut valid = 0;
    for (place, cosigner) in cosigners.iter().enumerate() {
        match cosigner.verify(note, verifier) {
            Ok(_) => {}
            Err(CertificateError::NotCosigned) => continue,
            Err(error) => return Err(error),
        }
        // An earlier name with a line has been checked before, so its key is counted already.
        let counted = |earlier: &Cosigner<'_>| {
            earlier.key() == cosigner.key() && earlier.0.lines(note).next().is_some()
        };
        valid += usize::from(!cosigners[..place].iter().any(counted));
    }
    if valid < threshold || threshold == 0 {
        return Err(CertificateError::Quorum { valid, threshold });
    }
    Ok(())
}
