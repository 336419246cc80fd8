//! SIGKILL at random moments: nothing that was acknowledged is lost.
//!
//! `TOUCHMARK_CRASHES` sets the number of kills, `TOUCHMARK_SEED` the moments. Of four kills one
//! comes a random time after the start, three a random time after the first answer, so that a slow
//! machine tries as much as a fast one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../spine/issuer.rs"]
#[allow(dead_code, reason = "shared with the tests of the whole way")]
mod issuer;
#[allow(dead_code, reason = "shared with the tests of cards, centers and upkeep")]
mod node;
#[cfg(target_os = "linux")]
mod power;
mod writer;

use issuer::Issuer;
use node::Node;
use std::time::Duration;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::registry::ThingKind;
use writer::{Acknowledged, Moment, Since, Written};

/// Kills unless the environment says otherwise.
const CRASHES: u32 = 200;

/// Things that write at the same time.
const WRITERS: usize = 4;

/// Moments of the kills: xorshift, so that a seed repeats them.
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let seed = std::env::var("TOUCHMARK_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or(1_u64);
        println!("TOUCHMARK_SEED={seed}");
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn seed(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn next(&mut self) -> Moment {
        self.seed();
        let since = if self.0 >> 62 == 0 { Since::Start } else { Since::FirstAnswer };
        Moment { since, delay: Duration::from_millis(self.0 % 160) }
    }
}

fn crashes() -> u32 {
    let set = std::env::var("TOUCHMARK_CRASHES").ok();
    set.and_then(|crashes| crashes.parse().ok()).unwrap_or(CRASHES)
}

#[test]
fn nothing_acknowledged_is_lost() {
    let lost = run(crashes(), Acknowledged::WhenAnswered);
    assert_eq!(lost, Vec::<Written>::new());
}

/// The control: whoever counts a statement as accepted when it was only sent does lose some, so
/// the test above would see it.
#[test]
fn what_is_acknowledged_too_early_is_seen_to_be_lost() {
    let lost = run(crashes().min(20), Acknowledged::WhenSent);
    assert!(!lost.is_empty(), "the control lost nothing: the test could not have failed");
}

/// Kills a node `crashes` times under load; returns what counted as acknowledged and is not there.
fn run(crashes: u32, acknowledged: Acknowledged) -> Vec<Written> {
    let folder = tempfile::tempdir().unwrap();
    let mut moments = Moments::new();
    let mut node = Node::start(folder.path());
    let mut issuers: Vec<Issuer> = (0..WRITERS)
        .map(|_| Issuer::new(node.network(), ThingKind::DEVICE, Algorithm::Ed25519))
        .collect();
    let mut pending: Vec<Option<Vec<u8>>> =
        issuers.iter_mut().map(|issuer| Some(issuer.inception())).collect();
    let (mut lost, mut all) = (Vec::new(), Vec::new());
    for _ in 0..crashes {
        let moment = moments.next();
        let written =
            writer::write_until_killed(&mut node, moment, &mut issuers, &mut pending, acknowledged);
        node = Node::start(folder.path());
        lost.extend(written.iter().filter(|it| !node.has(it)).cloned());
        all.extend(written);
    }
    assert!(all.len() >= crashes as usize / 2, "hardly anything was written: nothing was tried");
    // What was there after its own crash must be there after all later ones.
    lost.extend(
        all.into_iter().filter(|it| !lost.contains(it) && !node.has(it)).collect::<Vec<_>>(),
    );
    lost
}
