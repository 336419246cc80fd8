//! Where the tiles of a log are, and how an entry bundle is read (C2SP tlog-tiles).

use std::fmt;

/// Hashes of a whole tile, and leaves of a whole entry bundle.
pub const WIDTH: u64 = 256;
/// Levels of the tree that a tile spans.
pub const LEVELS: u32 = 8;

/// Which tile of a log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tile {
    /// What is in it.
    pub row: Row,
    /// Its number in its row, from 0.
    pub index: u64,
    /// How many of its items are meant, from the first: 1 to [`WIDTH`].
    pub width: u64,
}

/// What a tile holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Row {
    /// Leaves: an entry bundle.
    Entries,
    /// Hashes of the subtrees with 256 to this power leaves each.
    Hashes(u8),
}

impl Tile {
    /// The tile with all of its items.
    #[must_use]
    pub const fn whole(self) -> Self {
        Self { width: WIDTH, ..self }
    }

    /// Whether some of its items are left out, or are not there yet.
    pub const fn is_partial(self) -> bool {
        self.width < WIDTH
    }
}

impl fmt::Display for Tile {
    /// Its path: `tile/0/x001/x234/067`, with `.p/8` behind it where only 8 items are meant.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Row::Entries => f.write_str("tile/entries/")?,
            Row::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut groups = vec![self.index % 1_000];
        let mut rest = self.index / 1_000;
        while rest > 0 {
            groups.push(rest % 1_000);
            rest /= 1_000;
        }
        for group in groups[1..].iter().rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// The entries of a bundle: each has its length before it, two bytes. `None` if it is cut off.
pub fn entries(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry);
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_c2sp_asks() {
        let path = |row, index, width| Tile { row, index, width }.to_string();
        assert_eq!(path(Row::Entries, 1_234_067, 256), "tile/entries/x001/x234/067");
        assert_eq!(path(Row::Hashes(0), 0, 8), "tile/0/000.p/8");
        assert_eq!(path(Row::Hashes(3), 1_000, 256), "tile/3/x001/000");
    }

    #[test]
    fn entries_have_their_length_before_them() {
        assert_eq!(entries(b"\0\x02ab\0\0\0\x01c"), Some(vec![&b"ab"[..], b"", b"c"]));
        for wrong in [&b"\0"[..], b"\0\x02a", b"\0\x01ab"] {
            assert_eq!(entries(wrong), None);
        }
    }
}
