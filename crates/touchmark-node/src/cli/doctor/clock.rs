//! The clock: against the time that the network certified, and against those of other nodes.

use super::Patient;
use super::against::Other;
use super::finding::Finding;
use super::presence::Presence;
use crate::cli::failure::Failure;
use crate::node::now;
use touchmark_wire::ids::{NetworkId, Timestamp};

const NAME: &str = "clock";
/// A batch whose time is further ahead of a validator's clock has to wait, milliseconds.
const TOLERATED: u64 = 2_000;
/// A difference to another clock that is worth a word, milliseconds.
const NOTABLE: u64 = 500;
const HINT: &str = "set this machine's clock by NTP (`timedatectl` says whether it is)";

pub(super) fn examine(patient: &Patient, others: Vec<Other>) -> Vec<Finding> {
    let network = patient.genesis.network_id();
    let others = others.into_iter().map(|it| other(it, network));
    std::iter::once(log(certified(patient), now())).chain(others).collect()
}

/// The time of the last batch that is known here.
fn certified(patient: &Patient) -> Timestamp {
    match &patient.presence {
        Presence::Node(node) => Timestamp(node.network.time),
        Presence::Nobody(Some(examined)) => examined.time,
        Presence::Nobody(None) | Presence::Unreadable(_) | Presence::Silent { .. } => {
            patient.genesis.time
        }
    }
}

/// No batch is certified before its time: a clock that is behind the log is wrong.
fn log(certified: Timestamp, now: Timestamp) -> Finding {
    let behind = certified.0.saturating_sub(now.0);
    if behind > TOLERATED {
        let found = format!("{} behind the last certified batch", seconds(behind));
        return Finding::failed(NAME, found, HINT);
    }
    let since = seconds(now.0.saturating_sub(certified.0));
    Finding::fine(NAME, format!("not behind the last certified batch, which is {since} old"))
}

fn other(Other { url, said }: Other, network: NetworkId) -> Finding {
    let said = match said {
        Ok(said) => said,
        Err(error) => {
            let failure = Failure::from(error);
            let why = failure.why.map(|why| format!(": {why}")).unwrap_or_default();
            let hint = failure.hint.unwrap_or_default();
            return Finding::warning(NAME, failure.what + &why, hint);
        }
    };
    if said.network != network.to_string() {
        let hint = "name nodes of this network with --against";
        return Finding::warning(NAME, format!("{url} is of another network"), hint);
    }
    compared(&url, said.sent, Timestamp(said.node.clock), said.received)
}

/// A clock that was read by another machine between `sent` and `received`.
fn compared(url: &str, sent: Timestamp, clock: Timestamp, received: Timestamp) -> Finding {
    let (low, high) = (sent.0, received.0.max(sent.0));
    // Somewhere between the two it was read; the difference is at least the one to the nearer.
    let (difference, word) = if clock.0 < low {
        (low - clock.0, "ahead of")
    } else {
        (clock.0.saturating_sub(high), "behind")
    };
    let found = match difference {
        0 => format!("the same as that of {url}, within {}", seconds(high - low)),
        _ => format!("{} {word} that of {url}", seconds(difference)),
    };
    if difference > TOLERATED {
        Finding::failed(NAME, found, HINT)
    } else if difference > NOTABLE {
        Finding::warning(NAME, found, HINT)
    } else {
        Finding::fine(NAME, found)
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03} s", milliseconds / 1_000, milliseconds % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Verdict;

    #[test]
    fn a_clock_behind_the_log_is_wrong_and_one_ahead_of_it_is_not() {
        let at = |now| log(Timestamp(100_000), Timestamp(now)).verdict;
        assert_eq!(at(100_000), Verdict::Fine);
        assert_eq!(at(900_000), Verdict::Fine);
        assert_eq!(at(98_000), Verdict::Fine);
        assert_eq!(at(97_999), Verdict::Failed);
    }

    #[test]
    fn the_difference_to_another_clock_is_said_with_its_direction() {
        let at = |clock| compared("u", Timestamp(10_000), Timestamp(clock), Timestamp(10_200));
        for (clock, verdict, found) in [
            (10_000, Verdict::Fine, "the same as that of u, within 0.200 s"),
            (10_200, Verdict::Fine, "the same as that of u, within 0.200 s"),
            (9_500, Verdict::Fine, "0.500 s ahead of that of u"),
            (9_499, Verdict::Warning, "0.501 s ahead of that of u"),
            (12_200, Verdict::Warning, "2.000 s behind that of u"),
            (12_201, Verdict::Failed, "2.001 s behind that of u"),
            (0, Verdict::Failed, "10.000 s ahead of that of u"),
        ] {
            let finding = at(clock);
            assert_eq!((finding.verdict, finding.found.as_str()), (verdict, found), "{clock}");
        }
    }
}
