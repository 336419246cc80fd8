//! Processor time, memory and bytes, as the kernel counts them.

use std::fs;
use std::path::Path;

/// Clock ticks per second in /proc (USER_HZ, 100 on every architecture that Linux serves today).
const TICKS: f64 = 100.0;

/// User and system time of a process with all its threads, seconds.
pub(crate) fn process_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the node runs");
    let fields = stat.rsplit(')').next().expect("stat has a name in parentheses");
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<f64>().expect("ticks are a number")).sum::<f64>() / TICKS
}

/// Processor time of the calling thread, seconds.
pub(crate) fn thread_seconds() -> f64 {
    let schedule = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    let nanoseconds = schedule.split(' ').next().expect("three numbers");
    nanoseconds.parse::<f64>().expect("nanoseconds are a number") / 1e9
}

/// Bytes that a process has sent to storage.
pub(crate) fn written(pid: u32) -> u64 {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or_default()
}

/// Memory that a process has, bytes.
pub(crate) fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the node runs");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux counts it");
    let kilobytes = line.trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().expect("kilobytes are a number") << 10
}

/// Bytes of the files in a folder and those below it; a file that goes meanwhile counts nothing.
pub(crate) fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
