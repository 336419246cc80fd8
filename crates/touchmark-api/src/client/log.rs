//! The log itself, as C2SP tlog-tiles serve it.

use super::{Client, ClientError};
use touchmark_wire::ids::{LeafIndex, TreeSize};

/// Leaves of a whole entry bundle.
const BUNDLE: u64 = 256;

impl Client {
    /// The leaves from `from` on that stand in one entry bundle with it, of a log of `size` leaves.
    /// Empty at the end. Nothing is checked here: hash them into the tree and compare its root.
    pub fn leaves(&self, from: LeafIndex, size: TreeSize) -> Result<Vec<Vec<u8>>, ClientError> {
        if from.0 >= size.0 {
            return Ok(Vec::new());
        }
        let (bundle, skip) = (from.0 / BUNDLE, from.0 % BUNDLE);
        let width = (size.0 - bundle * BUNDLE).min(BUNDLE);
        let path = format!("/tile/entries/{}", place(bundle, width));
        let bytes = self.bytes(&path, "application/octet-stream")?;
        let wrong = || ClientError::Answer {
            url: format!("{}{path}", self.base()),
            reason: "it is no bundle of so many entries".into(),
        };
        let mut leaves = entries(&bytes).ok_or_else(wrong)?;
        if leaves.len() as u64 != width {
            return Err(wrong());
        }
        Ok(leaves.split_off(usize::try_from(skip).map_err(|_| wrong())?))
    }
}

/// The entries of a bundle: each has its length before it, two bytes.
fn entries(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry.to_vec());
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}

/// `x001/x234/067` for 1234067, with `.p/8` behind it where only 8 entries are there.
fn place(mut index: u64, width: u64) -> String {
    let mut path = format!("{:03}", index % 1_000);
    while index >= 1_000 {
        index /= 1_000;
        path = format!("x{:03}/{path}", index % 1_000);
    }
    if width < BUNDLE { format!("{path}.p/{width}") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_c2sp_asks() {
        assert_eq!(place(1_234_067, 256), "x001/x234/067");
        assert_eq!(place(0, 8), "000.p/8");
        assert_eq!(place(1_000, 256), "x001/000");
    }

    #[test]
    fn entries_have_their_length_before_them() {
        assert_eq!(
            entries(b"\0\x02ab\0\0\0\x01c"),
            Some(vec![b"ab".to_vec(), vec![], b"c".to_vec()])
        );
        for wrong in [&b"\0"[..], b"\0\x02a", b"\0\x01ab"] {
            assert_eq!(entries(wrong), None);
        }
    }
}
