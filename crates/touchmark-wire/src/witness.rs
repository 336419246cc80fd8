//! What a log asks of a witness, and what the witness decides: `add-checkpoint` of C2SP
//! tlog-witness.
//!
//! ```text
//! old 20852014
//! PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
//!
//! example.com/behind-the-sofa
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurm…
//! ```
//!
//! The decision is a pure function of what the witness cosigned last and the submission; whoever
//! calls it makes the result durable before a cosignature leaves.
//!
//! # Deviations
//! * Limits of notes are those of [`crate::checkpoint`]; of keys only those with Ed25519 are known.

use crate::algorithm::SignatureVerifier;
use crate::certificate::{CertificateError, NoteKey};
use crate::checkpoint::{Checkpoint, NOTE_LIMIT, NoteError, SignedCheckpoint, decimal};
use crate::hash::Digest;
use crate::ids::TreeSize;
use crate::merkle::{self, ProofError};
use base64ct::{Base64, Encoding as _};
use core::fmt;

/// Most lines of a consistency proof; a client must not send more (add-checkpoint).
pub const PROOF_LIMIT: usize = 63;
/// Longest submission, bytes: `old`, a space, 20 digits, the proof's lines, an empty line, the note.
pub const SUBMISSION_LIMIT: usize = 25 + PROOF_LIMIT * 45 + 1 + NOTE_LIMIT;

/// A checkpoint that a log wants to have cosigned, with a proof that it continues an older one.
/// Nothing of it is checked yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Submission<'a> {
    old: TreeSize,
    /// Whole lines, each the base64 of a hash.
    proof: &'a str,
    note: SignedCheckpoint<'a>,
}

impl<'a> Submission<'a> {
    /// Reads the body of a request, of at most [`SUBMISSION_LIMIT`] bytes.
    pub fn parse(body: &'a [u8]) -> Result<Self, NoteError> {
        let is_break = |pair: &[u8]| pair == b"\n\n";
        let end = body.windows(2).position(is_break).ok_or(NoteError::Shape)?;
        let (head, note) = (&body[..=end], &body[end + 2..]);
        let head = str::from_utf8(head).map_err(|_| NoteError::Shape)?;
        let (old, proof) = head.split_once('\n').ok_or(NoteError::Shape)?;
        let old = old.strip_prefix("old ").ok_or(NoteError::Shape)?;
        let submission = Self {
            old: TreeSize(decimal(old)?),
            proof,
            note: SignedCheckpoint::parse_extended(note)?,
        };
        if submission.hashes().count() > PROOF_LIMIT {
            return Err(NoteError::Shape);
        }
        submission.hashes().try_for_each(|it| it.map(|_| ()).ok_or(NoteError::Root))?;
        Ok(submission)
    }

    /// Size of the tree that the proof begins with.
    pub const fn old(&self) -> TreeSize {
        self.old
    }

    /// The consistency proof (RFC 6962 §2.1.2).
    pub fn proof(&self) -> impl Iterator<Item = Digest> + use<'a> {
        self.hashes().map_while(|it| it)
    }

    /// What its lines say. They end in a newline, and a carriage return is none.
    fn hashes(&self) -> impl Iterator<Item = Option<Digest>> + use<'a> {
        self.proof.split_terminator('\n').map(hash)
    }

    /// The checkpoint with the signatures that came with it.
    pub const fn note(&self) -> &SignedCheckpoint<'a> {
        &self.note
    }
}

/// The hash in a line of a proof.
fn hash(line: &str) -> Option<Digest> {
    let mut digest = Digest::default();
    let bytes = Base64::decode(line, &mut digest.0).ok()?;
    (bytes.len() == Digest::LEN).then_some(digest)
}

/// The body of a request.
#[cfg(feature = "alloc")]
pub fn submission(old: TreeSize, proof: &[Digest], note: &str) -> alloc::string::String {
    use core::fmt::Write as _;
    let mut text = alloc::string::String::new();
    let _ = writeln!(text, "old {old}");
    for hash in proof {
        let mut buffer = [0; 44];
        text += Base64::encode(&hash.0, &mut buffer).expect("44 characters are 32 bytes");
        text.push('\n');
    }
    text + "\n" + note
}

/// A tree of a log: what a witness keeps of the newest that it has cosigned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tree {
    /// Number of leaves.
    pub size: TreeSize,
    /// Its root.
    pub root: Digest,
}

impl Tree {
    /// The tree without a leaf, with which every log begins: that of a log of which nothing was
    /// cosigned.
    pub fn empty() -> Self {
        Self { size: TreeSize(0), root: merkle::empty_root() }
    }
}

impl From<&Checkpoint<'_>> for Tree {
    fn from(checkpoint: &Checkpoint<'_>) -> Self {
        Self { size: checkpoint.size, root: checkpoint.root }
    }
}

/// What a witness knows of a log.
#[derive(Clone, Debug)]
pub struct Witnessed<'a> {
    /// The log's unique name.
    pub origin: &'a str,
    /// Keys that sign its checkpoints; one is enough.
    pub keys: &'a [NoteKey<'a>],
    /// The newest tree that was cosigned, or [`Tree::empty`].
    pub newest: Tree,
}

impl Witnessed<'_> {
    /// Decides on a submission. The tree that is returned takes the place of [`Self::newest`],
    /// durably, before the cosignature of the note's body leaves; nobody else may decide meanwhile.
    pub fn decide(
        &self,
        submission: &Submission<'_>,
        verifier: &impl SignatureVerifier,
    ) -> Result<Tree, Refusal> {
        let checkpoint = submission.note.checkpoint();
        if checkpoint.origin() != self.origin {
            return Err(Refusal::UnknownLog);
        }
        self.check_signatures(&submission.note, verifier)?;
        let (old, new) = (submission.old, Tree::from(checkpoint));
        if old > new.size {
            return Err(Refusal::OldIsLarger);
        }
        if old != self.newest.size {
            return Err(Refusal::OtherSize(self.newest.size));
        }
        if new.size.0 == 0 && new.root != merkle::empty_root() {
            return Err(Refusal::Inconsistent(ProofError::RootMismatch));
        }
        let mut proof = submission.proof();
        let consistent = if old.0 > 0 {
            merkle::verify_consistency(old, &self.newest.root, new.size, &new.root, proof)
        } else if proof.next().is_none() {
            Ok(())
        } else {
            // Every tree continues the empty one, so there is nothing to prove.
            Err(ProofError::PathTooLong)
        };
        consistent.map(|()| new).map_err(Refusal::Inconsistent)
    }

    /// One of the log's keys signed, and no line under the name and id of one is wrong.
    fn check_signatures(
        &self,
        note: &SignedCheckpoint<'_>,
        verifier: &impl SignatureVerifier,
    ) -> Result<(), Refusal> {
        let mut found = Err(Refusal::Untrusted(CertificateError::NotCosigned));
        for key in self.keys {
            match key.verify(note, verifier) {
                Ok(()) => found = Ok(()),
                Err(CertificateError::NotCosigned) => {}
                Err(error) => return Err(Refusal::Untrusted(error)),
            }
        }
        found
    }
}

/// Why a witness does not cosign; the log's fault, or a race between two of its requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// Not the log that was asked about: 404.
    UnknownLog,
    /// No signature of a key that is trusted for the log, or a wrong one: 403.
    Untrusted(CertificateError),
    /// The old size is above the checkpoint's: 400.
    OldIsLarger,
    /// The newest tree that was cosigned has this size, not the old one: 409.
    OtherSize(TreeSize),
    /// Nothing proves that the checkpoint continues what was cosigned: 422.
    Inconsistent(ProofError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownLog => f.write_str("no log of this origin is witnessed here"),
            Self::Untrusted(CertificateError::NotCosigned) => {
                f.write_str("no key that is trusted for this log signed the checkpoint")
            }
            Self::Untrusted(error) => fmt::Display::fmt(error, f),
            Self::OldIsLarger => f.write_str("the old size is above the size of the checkpoint"),
            Self::OtherSize(size) => write!(f, "the newest cosigned checkpoint has size {size}"),
            Self::Inconsistent(error) => {
                write!(f, "it is not proved to continue what was cosigned: {error}")
            }
        }
    }
}

impl core::error::Error for Refusal {}
