//! Bytes between validators, as the kernel counts them on each connection.

use super::member::Member;
use std::process::Command;

pub(crate) struct Wire {
    /// Selects the listening ends of the connections between validators.
    filter: String,
}

impl Wire {
    pub(crate) fn of(members: &[Member]) -> Self {
        let ports = members.iter().map(|member| format!("sport = :{}", member.engine));
        Self { filter: ports.collect::<Vec<_>>().join(" or ") }
    }

    /// All bytes so far, in both directions, without the headers of TCP and IP. `None` when `ss`
    /// (Debian's iproute2) is not there, and when there are no connections.
    pub(crate) fn bytes(&self) -> Option<u64> {
        let output = Command::new("ss")
            .args(["--tcp", "--info", "--numeric", "--oneline", "--no-header"])
            .args(["state", "established", &format!("( {} )", self.filter)])
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let counted = |word: &str| {
            let counts = ["bytes_sent:", "bytes_received:"];
            counts.iter().find_map(|count| word.strip_prefix(count)?.parse::<u64>().ok())
        };
        let sum = text.split_whitespace().filter_map(counted).sum();
        (sum > 0).then_some(sum)
    }
}
