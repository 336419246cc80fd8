//! What belongs to neighbouring leaves of one batch, together in one row.
//!
//! ```text
//! key    index of the first leaf in it (8, big-endian)
//! value  for each leaf that has something: its place in the window (1) ‖ length (4) ‖ bytes
//! ```
//! A run ends with its batch, and at every multiple of [`WINDOW`]: what belongs to a leaf is found
//! in the last run that begins in its window and not behind it. A row for each leaf would cost the
//! key-value engine more than all the rest of a commit.

use crate::database::{DatabaseView, Table, Write};
use crate::error::Error;
use crate::number;
use fjall::Slice;
use std::ops::{Bound, Range};

/// Leaves that a run spans at most.
const WINDOW: u64 = 32;
/// Bytes before the content: place and length.
const HEAD: usize = 5;

/// Writes what belongs to the leaves of one batch, in the order of their indexes.
pub(crate) fn write<B: AsRef<[u8]>>(
    write: &mut Write<'_>,
    table: Table,
    contents: impl IntoIterator<Item = (u64, B)>,
) {
    let mut run = Vec::new();
    let mut first = None;
    for (leaf, content) in contents {
        let begun = *first.get_or_insert(leaf);
        if leaf / WINDOW != begun / WINDOW {
            write.put(table, number::bytes(begun), std::mem::take(&mut run));
            first = Some(leaf);
        }
        let content = content.as_ref();
        run.push((leaf % WINDOW) as u8);
        run.extend_from_slice(&(content.len() as u32).to_be_bytes());
        run.extend_from_slice(content);
    }
    if let Some(first) = first {
        write.put(table, number::bytes(first), run);
    }
}

/// Takes a row apart: leaf indexes, and where in the row their contents are. `None` stands for the
/// rest of a row that nobody wrote.
pub(crate) fn parts(first: u64, run: &[u8]) -> impl Iterator<Item = Option<(u64, Range<usize>)>> {
    let (window, mut at, mut next) = (first - first % WINDOW, 0, first);
    std::iter::from_fn(move || {
        if at == run.len() {
            return None;
        }
        let part = (|| {
            let (place, rest) = run[at..].split_first()?;
            let (length, _) = rest.split_first_chunk()?;
            let content = at + HEAD..at + HEAD + u32::from_be_bytes(*length) as usize;
            let leaf = window + u64::from(*place);
            let holds = leaf >= next && u64::from(*place) < WINDOW && content.end <= run.len();
            holds.then_some((leaf, content))
        })();
        (at, next) = match &part {
            Some((leaf, content)) => (content.end, leaf + 1),
            None => (run.len(), next),
        };
        Some(part)
    })
}

impl DatabaseView {
    /// What belongs to a leaf.
    pub(crate) fn in_run(&self, table: Table, leaf: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(row) = self.last_run(table, leaf) else { return Ok(None) };
        let (first, run) = row?;
        for part in parts(first, &run) {
            match part {
                Some((found, content)) if found == leaf => return Ok(Some(run[content].to_vec())),
                Some(_) => {}
                None => return Err(Error::Corrupt("log")),
            }
        }
        Ok(None)
    }

    /// What belongs to the leaves from `leaf` on, in order.
    pub(crate) fn runs_from(
        &self,
        table: Table,
        leaf: u64,
    ) -> impl Iterator<Item = Result<(u64, Vec<u8>), Error>> + use<> {
        let first = number::bytes(leaf - leaf % WINDOW);
        let bounds = (Bound::Included(&first[..]), Bound::Unbounded);
        self.range(table, bounds)
            .flat_map(|row| {
                let parts = row.and_then(|(key, run)| {
                    let first = number::read(&key).ok_or(Error::Corrupt("log"))?;
                    parts(first, &run)
                        .map(|part| part.map(|(leaf, content)| (leaf, run[content].to_vec())))
                        .collect::<Option<Vec<_>>>()
                        .ok_or(Error::Corrupt("log"))
                });
                match parts {
                    Ok(parts) => parts.into_iter().map(Ok).collect(),
                    Err(error) => vec![Err(error)],
                }
            })
            .skip_while(move |part| matches!(part, Ok((found, _)) if *found < leaf))
    }

    /// The run that a leaf is in, if it has anything.
    fn last_run(&self, table: Table, leaf: u64) -> Option<Result<(u64, Slice), Error>> {
        let (first, last) = (number::bytes(leaf - leaf % WINDOW), number::bytes(leaf));
        let bounds = (Bound::Included(&first[..]), Bound::Included(&last[..]));
        self.range(table, bounds).next_back().map(|row| {
            let (key, run) = row?;
            Ok((number::read(&key).ok_or(Error::Corrupt("log"))?, run))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_of(contents: &[(u8, &[u8])]) -> Vec<u8> {
        let mut run = Vec::new();
        for (place, content) in contents {
            run.push(*place);
            run.extend_from_slice(&(content.len() as u32).to_be_bytes());
            run.extend_from_slice(content);
        }
        run
    }

    #[test]
    fn a_row_is_taken_apart() {
        let run = run_of(&[(3, b"three"), (4, b""), (31, b"last")]);
        let found: Vec<_> = parts(35, &run).map(|part| part.unwrap()).collect();
        let found: Vec<_> = found.into_iter().map(|(leaf, at)| (leaf, &run[at])).collect();
        assert_eq!(found, [(35, &b"three"[..]), (36, b""), (63, b"last")]);
    }

    #[test]
    fn what_nobody_wrote_ends_it() {
        let whole = run_of(&[(3, b"three"), (4, b"four")]);
        for (name, run) in [
            ("cut off", whole[..whole.len() - 1].to_vec()),
            ("half a head", [&whole[..], &[5, 0]].concat()),
            ("backwards", run_of(&[(4, b"four"), (3, b"three")])),
            ("twice", run_of(&[(3, b"three"), (3, b"three")])),
            ("before its key", run_of(&[(2, b"two")])),
            ("beyond its window", run_of(&[(32, b"next")])),
        ] {
            let found: Vec<_> = parts(35, &run).collect();
            assert!(found.last().is_some_and(Option::is_none), "{name}: {found:?}");
        }
    }
}
