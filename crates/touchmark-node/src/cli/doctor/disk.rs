//! The disk: whether it can be written, how long a sync takes, and how much room is left.

use super::finding::Finding;
use crate::room;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often a sync is measured.
const SYNCS: usize = 5;
/// What is written for each, bytes: a page.
const PAGE: usize = 4096;
/// A sync that takes longer is said: a batch waits for more than one of them.
const SLOW: Duration = Duration::from_millis(50);
/// With less room a warning is due, bytes.
const SCARCE: u64 = 2 << 30;
/// With less the next batches may not fit, bytes.
const NONE: u64 = 64 << 20;

pub(super) fn examine(data: &Path) -> [Finding; 2] {
    [written(data), left(data)]
}

fn written(data: &Path) -> Finding {
    match measured(data) {
        Ok(time) => judged(time),
        Err(error) => Finding::failed(
            "disk",
            format!("{} cannot be written: {error}", data.display()),
            "check who owns the folder, and that its file system is whole and mounted for writing",
        ),
    }
}

/// The middle of some syncs of a small file.
fn measured(data: &Path) -> io::Result<Duration> {
    let path = data.join(format!(".doctor-{}", std::process::id()));
    let times = File::create(&path).and_then(|mut file| {
        let sync = |file: &mut File| {
            file.write_all(&[0; PAGE])?;
            let start = Instant::now();
            file.sync_all()?;
            Ok(start.elapsed())
        };
        (0..SYNCS).map(|_| sync(&mut file)).collect::<io::Result<Vec<_>>>()
    });
    let removed = match std::fs::remove_file(&path) {
        // It was never made.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    let mut times = times?;
    removed?;
    times.sort();
    Ok(times[SYNCS / 2])
}

fn judged(time: Duration) -> Finding {
    let found = format!("a sync takes {:.1} ms", time.as_secs_f64() * 1e3);
    if time <= SLOW {
        return Finding::fine("disk", found);
    }
    let found =
        format!("{found}; batches wait for more than one, and {} ms is slow", SLOW.as_millis());
    Finding::warning("disk", found, "use a disk of its own, one that syncs fast")
}

fn left(data: &Path) -> Finding {
    match room::free(data) {
        Ok(free) => judged_room(free),
        Err(error) => Finding::failed(
            "space",
            format!("the room on the disk is not known: {error}"),
            "check that the file system is mounted",
        ),
    }
}

fn judged_room(free: u64) -> Finding {
    let found = format!("{} MiB are free", free >> 20);
    if free >= SCARCE {
        Finding::fine("space", found)
    } else if free >= NONE {
        Finding::warning("space", found, "free room, or move the folder to a larger disk")
    } else {
        let hint = "free room now: a node whose disk is full takes nothing any more";
        Finding::failed("space", found, hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Verdict;

    #[test]
    fn slow_disks_and_scarce_room_are_said() {
        assert_eq!(judged(SLOW).verdict, Verdict::Fine);
        assert_eq!(judged(SLOW + Duration::from_millis(1)).verdict, Verdict::Warning);
        for (free, verdict) in [
            (SCARCE, Verdict::Fine),
            (SCARCE - 1, Verdict::Warning),
            (NONE, Verdict::Warning),
            (NONE - 1, Verdict::Failed),
        ] {
            assert_eq!(judged_room(free).verdict, verdict, "{free}");
        }
    }

    #[test]
    fn a_disk_is_measured_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        assert!(measured(folder.path()).unwrap() > Duration::ZERO);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(written(&folder.path().join("none")).verdict, Verdict::Failed);
        let found = left(folder.path()).found;
        assert!(found.split(' ').next().unwrap().parse::<u64>().unwrap() > 0, "{found}");
    }
}
