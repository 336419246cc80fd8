//! A witness that is killed at any moment never cosigns two views of a log.

use crate::desk::Desk;
use crate::node::Node;
use crate::vkey;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};
use touchmark_api::client::{Client, WitnessAnswer};
use touchmark_keys::software::SoftwareKey;
use touchmark_testkit::log::View;
use touchmark_wire::algorithm::Algorithm;

/// Kills.
const CRASHES: u32 = 12;
/// Leaves that both views have.
const COMMON: u64 = 3;
/// Size at which a view is ready.
const END: u64 = 8;

/// Where the witness is; it changes with each start.
struct Witness {
    url: Mutex<String>,
}

impl Witness {
    fn submit(&self, body: &str) -> Option<WitnessAnswer> {
        let url = self.url.lock().unwrap().clone();
        Client::patient(&url, Duration::from_secs(2)).unwrap().add_checkpoint(body).ok()
    }
}

/// Has a view cosigned leaf by leaf, as long as the witness lets it; what was cosigned.
fn push(witness: &Witness, origin: &str, key: &SoftwareKey, fork: u64) -> Vec<View> {
    let (mut cosigned, mut old, mut size) = (Vec::new(), 0, COMMON);
    let limit = Instant::now() + Duration::from_secs(10);
    let mut refused = 0;
    while size <= END && refused < 20 && Instant::now() < limit {
        let view = View::forked(size, fork);
        match witness.submit(&view.submission(origin, key, old)) {
            Some(WitnessAnswer::Cosigned(_)) => {
                cosigned.push(view);
                old = size;
                size += 1;
            }
            Some(WitnessAnswer::OtherSize(known)) => {
                old = known.0;
                size = size.max(old);
            }
            // It is away, or the other view has won.
            None => {
                refused += 1;
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
    cosigned
}

#[test]
fn a_witness_that_is_killed_cosigns_one_history() {
    let folder = tempfile::tempdir().unwrap();
    let key = SoftwareKey::from_seed(Algorithm::Ed25519, &[7; 32]).unwrap();
    let mut node = Node::start(folder.path());
    let mut desk = Desk::new();
    desk.set("TOUCHMARK__NODE__DATA", &folder.path().join("data").display().to_string());
    desk.json("witness init witness.example/crashing");
    let witness = Witness { url: Mutex::default() };
    let mut both = 0;
    for crash in 0..CRASHES {
        let origin = format!("log.example/{crash}");
        desk.json(&format!("witness add-log {}", vkey(&origin, &key)));
        *witness.url.lock().unwrap() = format!("{}/witness", node.url());
        let views = thread::scope(|scope| {
            let push = |fork| {
                let (witness, origin, key) = (&witness, &origin, &key);
                scope.spawn(move || push(witness, origin, key, fork))
            };
            let (honest, other) = (push(END), push(COMMON));
            thread::sleep(Duration::from_millis(u64::from(crash) * 3));
            node.kill();
            node = Node::start(folder.path());
            *witness.url.lock().unwrap() = format!("{}/witness", node.url());
            [honest.join().unwrap(), other.join().unwrap()]
        });
        let longest = views.iter().map(|view| view.last().map_or(0, |it| it.tree().size.0));
        assert_eq!(longest.max(), Some(END), "nothing went on after the kill");
        both += u32::from(views.iter().all(|cosigned| !cosigned.is_empty()));
        let all: Vec<&View> = views.iter().flatten().collect();
        for one in &all {
            let is_one = all.iter().all(|it| it.continues(one) || one.continues(it));
            assert!(is_one, "two views of {origin} were cosigned");
        }
    }
    // Otherwise no kill came while there was something to decide.
    assert!(both > 0, "never had both views a part");
}
