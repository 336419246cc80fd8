//! Checkpoints as text: C2SP tlog-checkpoint, signed-note and tlog-cosignature.
//!
//! ```text
//! example.com/log
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — example.com/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurm…
//! ```
//!
//! # Deviations
//! * A checkpoint with extension lines is refused: our log writes none, and monitors cannot audit
//!   them. Only a witness, which reads others' logs, takes them.
//! * Limits: [`ORIGIN_LIMIT`], [`NOTE_LIMIT`], [`SIGNATURES_LIMIT`], [`EXTENSIONS_LIMIT`].

use crate::hash::Digest;
use crate::ids::TreeSize;
use base64ct::{Base64, Encoding as _};
use core::fmt;
use core::fmt::Write as _;

/// Longest origin line and key name, bytes.
pub const ORIGIN_LIMIT: usize = 128;
/// Longest signed note, bytes.
pub const NOTE_LIMIT: usize = 16_384;
/// Most signature lines in a note; the standard asks for at least 16.
pub const SIGNATURES_LIMIT: usize = 64;
/// Longest extension lines of another log's checkpoint, bytes with their newlines.
pub const EXTENSIONS_LIMIT: usize = 1_024;
/// Most bytes of a signature line that is read here: key id, time and signature.
const LINE_LIMIT: usize = 4 + 72;
/// Longest checkpoint body, bytes: origin, 20 digits, 44 characters, three newlines.
const BODY_LIMIT: usize = ORIGIN_LIMIT + 20 + 44 + 3;

/// Size and root of a log at one moment, under the log's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint<'a> {
    origin: &'a str,
    /// Number of leaves.
    pub size: TreeSize,
    /// RFC 9162 root at that size.
    pub root: Digest,
}

impl<'a> Checkpoint<'a> {
    /// A checkpoint of the log called `origin`: 1 to [`ORIGIN_LIMIT`] bytes, no control character.
    pub fn new(origin: &'a str, size: TreeSize, root: Digest) -> Result<Self, NoteError> {
        let fits = (1..=ORIGIN_LIMIT).contains(&origin.len());
        if !fits || origin.contains(char::is_control) {
            return Err(NoteError::Origin);
        }
        Ok(Self { origin, size, root })
    }

    /// Unique name of the log.
    pub const fn origin(&self) -> &'a str {
        self.origin
    }

    /// Reads a note's body, whose three lines all end in a newline.
    pub fn parse(body: &'a str) -> Result<Self, NoteError> {
        match Self::parse_extended(body)? {
            (checkpoint, "") => Ok(checkpoint),
            _ => Err(NoteError::Shape),
        }
    }

    /// As [`Self::parse`], of a body that may go on with extension lines; returns them too.
    fn parse_extended(body: &'a str) -> Result<(Self, &'a str), NoteError> {
        let mut lines = body.splitn(4, '\n');
        let (Some(origin), Some(size), Some(root), Some(extensions)) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteError::Shape);
        };
        let mut digest = Digest::default();
        match Base64::decode(root, &mut digest.0) {
            Ok(bytes) if bytes.len() == Digest::LEN => {}
            _ => return Err(NoteError::Root),
        }
        Ok((Self::new(origin, TreeSize(decimal(size)?), digest)?, extensions))
    }

    /// The body's text, without an allocator.
    pub fn body(&self) -> CheckpointBody {
        let mut body = CheckpointBody(Text::default());
        write!(body.0, "{self}").expect("the limit of the body is the sum of its lines' limits");
        body
    }
}

impl fmt::Display for Checkpoint<'_> {
    /// The note's body with its final newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; 44];
        let root = Base64::encode(&self.root.0, &mut buffer).map_err(|_| fmt::Error)?;
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, root)
    }
}

/// Digits without sign or leading zeroes.
pub(crate) fn decimal(text: &str) -> Result<u64, NoteError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || text.len() > 1 && text.starts_with('0') {
        return Err(NoteError::Size);
    }
    text.parse().map_err(|_| NoteError::Size)
}

/// Text of a checkpoint: what cosignatures cover.
#[derive(Clone, Copy, Debug)]
pub struct CheckpointBody(Text<BODY_LIMIT>);

impl CheckpointBody {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A short text without an allocator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self { bytes: [0; N], len: 0 }
    }
}

impl<const N: usize> Text<N> {
    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.len]).expect("only whole strings are written")
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// A checkpoint with its signature lines (C2SP signed-note). No signature is checked yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedCheckpoint<'a> {
    checkpoint: Checkpoint<'a>,
    body: &'a str,
    lines: &'a str,
}

impl<'a> SignedCheckpoint<'a> {
    /// Reads a signed note of at most [`NOTE_LIMIT`] bytes whose body is a checkpoint.
    pub fn parse(note: &'a [u8]) -> Result<Self, NoteError> {
        let signed = Self::parse_extended(note)?;
        // What is signed is then exactly what the checkpoint says.
        Checkpoint::parse(signed.body).map(|_| signed)
    }

    /// As [`Self::parse`], of another log's checkpoint, which may have extension lines of at most
    /// [`EXTENSIONS_LIMIT`] bytes.
    pub fn parse_extended(note: &'a [u8]) -> Result<Self, NoteError> {
        if note.len() > NOTE_LIMIT {
            return Err(NoteError::TooLong { actual: note.len() });
        }
        let note = str::from_utf8(note).map_err(|_| NoteError::Shape)?;
        if note.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(NoteError::Shape);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Shape)?;
        let (body, lines) = (&note[..=split], &note[split + 2..]);
        let (checkpoint, extensions) = Checkpoint::parse_extended(body)?;
        let is_whole = extensions.is_empty() || extensions.ends_with('\n');
        if !is_whole || extensions.len() > EXTENSIONS_LIMIT || extensions.lines().any(str::is_empty)
        {
            return Err(NoteError::Shape);
        }
        let signed = Self { checkpoint, body, lines };
        let count = lines.strip_suffix('\n').ok_or(NoteError::Shape)?.split('\n').count();
        if count > SIGNATURES_LIMIT {
            return Err(NoteError::TooManySignatures);
        }
        signed.lines().try_for_each(|line| line.map(|_| ()))?;
        Ok(signed)
    }

    /// What the note says, *unchecked*.
    pub const fn checkpoint(&self) -> &Checkpoint<'a> {
        &self.checkpoint
    }

    /// The signed text, with its final newline.
    pub const fn body(&self) -> &'a str {
        self.body
    }

    /// The signature lines in order; those of unknown keys are for the reader to ignore.
    pub fn signatures(&self) -> impl Iterator<Item = NoteSignature<'a>> + use<'a> {
        self.lines().map_while(Result::ok)
    }

    fn lines(&self) -> impl Iterator<Item = Result<NoteSignature<'a>, NoteError>> + use<'a> {
        self.lines.lines().map(NoteSignature::parse)
    }
}

/// One signature line of a note.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoteSignature<'a> {
    /// The key's name.
    pub name: &'a str,
    /// The first four bytes of the decoded line.
    pub key: KeyId,
    encoded: &'a str,
}

impl<'a> NoteSignature<'a> {
    fn parse(line: &'a str) -> Result<Self, NoteError> {
        let (name, encoded) = line
            .strip_prefix("\u{2014} ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or(NoteError::Signature)?;
        check_key_name(name)?;
        let mut id = [0; 6];
        let head = encoded.get(..8).ok_or(NoteError::Signature)?;
        match Base64::decode(head, &mut id) {
            Ok([a, b, c, d, ..]) => Ok(Self { name, key: KeyId([*a, *b, *c, *d]), encoded }),
            _ => Err(NoteError::Signature),
        }
    }

    /// The bytes after the key id, if there are exactly `N` and the line is their one encoding.
    pub(crate) fn decode<const N: usize>(&self) -> Result<[u8; N], NoteError> {
        // Longer ones are no business of ours.
        let mut buffer = [0; LINE_LIMIT];
        let bytes = Base64::decode(self.encoded, &mut buffer).map_err(|_| NoteError::Signature)?;
        bytes.get(4..).and_then(|signature| signature.try_into().ok()).ok_or(NoteError::Signature)
    }
}

impl fmt::Display for NoteSignature<'_> {
    /// The line with its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\u{2014} {} {}", self.name, self.encoded)
    }
}

/// Writes a signature line: key id and signature in base64, at most [`LINE_LIMIT`] bytes.
pub(crate) fn write_line(f: &mut fmt::Formatter<'_>, name: &str, bytes: &[u8]) -> fmt::Result {
    let mut buffer = [0; LINE_LIMIT.div_ceil(3) * 4];
    let encoded = Base64::encode(bytes, &mut buffer).map_err(|_| fmt::Error)?;
    writeln!(f, "\u{2014} {name} {encoded}")
}

/// Short name of a note key: first four bytes of
/// SHA-256(name ‖ 0x0A ‖ signature type ‖ public key). An identifier, not a commitment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    /// As a vkey has it: hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl KeyId {
    /// The id of a key by C2SP signed-note's rule.
    pub fn of(name: &str, signature_type: u8, public_key: &[u8]) -> Self {
        let digest = Digest::of(&[name.as_bytes(), b"\n", &[signature_type], public_key]);
        Self([digest.0[0], digest.0[1], digest.0[2], digest.0[3]])
    }
}

/// Key names are 1 to [`ORIGIN_LIMIT`] bytes and hold neither space, plus nor control character.
pub(crate) fn check_key_name(name: &str) -> Result<(), NoteError> {
    let foreign = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if (1..=ORIGIN_LIMIT).contains(&name.len()) && !name.contains(foreign) {
        Ok(())
    } else {
        Err(NoteError::KeyName)
    }
}

/// Why a text is not a checkpoint; always the fault of who sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NoteError {
    /// Longer than [`NOTE_LIMIT`].
    TooLong {
        /// Actual length, bytes.
        actual: usize,
    },
    /// More signature lines than [`SIGNATURES_LIMIT`].
    TooManySignatures,
    /// Not the lines of a signed note over a checkpoint.
    Shape,
    /// Empty or too long an origin, or one with control characters.
    Origin,
    /// Not a decimal number below 2^64 without leading zeroes.
    Size,
    /// Not the base64 of 32 bytes.
    Root,
    /// A signature line that is not in its one encoding.
    Signature,
    /// A key name that notes cannot hold.
    KeyName,
    /// Not the text of a verifier key (vkey) of a kind that is known here.
    VerifierKey,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { actual } => {
                write!(f, "{actual} bytes are more than a note's limit of {NOTE_LIMIT}")
            }
            Self::TooManySignatures => {
                write!(f, "more than {SIGNATURES_LIMIT} signature lines in the note")
            }
            Self::Shape => f.write_str("not a signed note over a checkpoint"),
            Self::Origin => f.write_str("not a log's origin line"),
            Self::Size => f.write_str("not a tree size"),
            Self::Root => f.write_str("not the base64 of a root hash"),
            Self::Signature => f.write_str("malformed signature line"),
            Self::KeyName => f.write_str("not a note key's name"),
            Self::VerifierKey => f.write_str("not the text of an Ed25519 verifier key (vkey)"),
        }
    }
}

impl core::error::Error for NoteError {}
