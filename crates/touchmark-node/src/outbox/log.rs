//! The frames of an outbox's log.

use touchmark_wire::hash::Digest;
use touchmark_wire::limits;

/// What a frame says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Kind {
    /// A statement waits.
    Statement = 1,
    /// The oldest that waited has arrived.
    Arrived = 2,
}

/// One frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame<'a> {
    pub(super) kind: Kind,
    pub(super) body: &'a [u8],
}

/// The frames of a log, each with its place.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Frames<'a> {
    pub(super) frames: Vec<(usize, Frame<'a>)>,
    /// Where the last of them ends.
    pub(super) length: usize,
}

const HEAD: usize = 5;
const CHECKSUM: usize = 8;

impl<'a> Frame<'a> {
    pub(super) fn encode(&self) -> Vec<u8> {
        let length = u32::try_from(self.body.len()).expect("no statement is that long");
        let mut bytes = Vec::with_capacity(HEAD + self.body.len() + CHECKSUM);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(self.body);
        bytes.extend_from_slice(&checksum(&bytes));
        bytes
    }

    /// The frame at the start of `bytes`, if there is one.
    fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (kind, rest) = rest.split_first()?;
        let kind = match kind {
            1 if (1..=limits::STATEMENT).contains(&length) => Kind::Statement,
            2 if length == 0 => Kind::Arrived,
            _ => return None,
        };
        let (body, rest) = rest.split_at_checked(length)?;
        let expected = checksum(&bytes[..HEAD + length]);
        (rest.get(..CHECKSUM)? == expected).then_some(Self { kind, body })
    }

    const fn length(&self) -> usize {
        HEAD + self.body.len() + CHECKSUM
    }
}

pub(super) fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut checksum = [0; CHECKSUM];
    checksum.copy_from_slice(&Digest::of(&[bytes]).0[..CHECKSUM]);
    checksum
}

/// Takes a log apart. A frame is on the disk before the next is written, so a crash spoils the
/// last one at most, and nobody was told of that one. Spoilt bytes with a frame behind them are
/// damage, whatever was promised; the error says where.
pub(super) fn frames(bytes: &[u8]) -> Result<Frames<'_>, usize> {
    let mut frames = Vec::new();
    let mut at = 0;
    while let Some(frame) = bytes.get(at..).and_then(Frame::decode) {
        frames.push((at, frame));
        at += frame.length();
    }
    let is_followed = (at + 1..bytes.len()).any(|next| Frame::decode(&bytes[next..]).is_some());
    if is_followed { Err(at) } else { Ok(Frames { frames, length: at }) }
}
