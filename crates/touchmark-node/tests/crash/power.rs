//! Power cuts, syncs that fail, and a full disk: on a disk of our own that loses what was not synced.
//!
//! The whole data folder lies on it, so both the key-value engine and the order engine are tried.
//! `TOUCHMARK_POWER_CUTS` sets the number of cuts.

use crate::issuer::Issuer;
use crate::node::Node;
use crate::writer::{self, Acknowledged, Written};
use crate::{Moments, WRITERS};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use touchmark_api::client::ClientError;
use touchmark_engine::genesis_context;
use touchmark_ledger::genesis_batch;
use touchmark_store::{CacheLimits, Store};
use touchmark_testkit::disk::{Disk, Mood};
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::TreeSize;
use touchmark_wire::registry::ThingKind;

/// Power cuts unless the environment says otherwise.
const CUTS: u32 = 25;

fn cuts() -> u32 {
    let set = std::env::var("TOUCHMARK_POWER_CUTS").ok();
    set.and_then(|cuts| cuts.parse().ok()).unwrap_or(CUTS)
}

/// A disk, where this user may mount one. The folder is that of its mount point.
fn disk() -> Option<(Disk, TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    match Disk::mount(folder.path()) {
        Ok(disk) => Some((disk, folder)),
        Err(error) => {
            eprintln!("skipped: no file system can be mounted here: {error}");
            None
        }
    }
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let Some((mut disk, folder)) = disk() else {
        return;
    };
    let mut trial = Trial::new(folder.path());
    for _ in 0..cuts() {
        let lost = trial.run(&mut disk, Mood::Well);
        assert_eq!(lost, Some(Vec::new()));
    }
    trial.finish();
}

/// The control: on a disk that only says that it has synced, the same trials do lose something.
#[test]
fn without_syncs_a_power_cut_is_seen_to_lose_something() {
    let Some((mut disk, folder)) = disk() else {
        return;
    };
    let mut trial = Trial::new(folder.path());
    for _ in 0..5 {
        match trial.run(&mut disk, Mood::Lying) {
            // What is left is no node.
            None => return,
            Some(lost) if !lost.is_empty() => return,
            Some(_) => {}
        }
    }
    panic!("the control lost nothing: the test could not have failed");
}

/// A node that loses its power again and again.
struct Trial<'a> {
    folder: &'a Path,
    node: Option<Node>,
    moments: Moments,
    issuers: Vec<Issuer>,
    pending: Vec<Option<Vec<u8>>>,
    written: Vec<Written>,
    /// Checkpoints that the node has signed: size, and root in base64.
    signed: Vec<(TreeSize, String)>,
}

impl<'a> Trial<'a> {
    fn new(folder: &'a Path) -> Self {
        let node = Node::start(folder);
        let mut issuers: Vec<Issuer> = (0..WRITERS)
            .map(|_| Issuer::new(node.network(), ThingKind::DEVICE, Algorithm::Ed25519))
            .collect();
        let pending = issuers.iter_mut().map(|issuer| Some(issuer.inception())).collect();
        let (written, signed) = (Vec::new(), Vec::new());
        Self {
            folder,
            node: Some(node),
            moments: Moments::new(),
            issuers,
            pending,
            written,
            signed,
        }
    }

    /// Lets the things write, cuts the power, and looks for what was answered. None if the node
    /// does not start any more.
    fn run(&mut self, disk: &mut Disk, mood: Mood) -> Option<Vec<Written>> {
        let mut node = self.node.take()?;
        disk.set(mood);
        let moment = self.moments.next();
        let written = writer::write_until_killed(
            &mut node,
            moment,
            &mut self.issuers,
            &mut self.pending,
            Acknowledged::WhenAnswered,
        );
        drop(node);
        disk.cut_power(self.moments.seed()).unwrap();
        let node = Node::try_start(self.folder)?;
        let lost = written.iter().filter(|it| !node.has(it)).cloned().collect();
        self.written.extend(written);
        self.signed.push(checkpoint(&node));
        self.node = Some(node);
        Some(lost)
    }

    /// All of it is there still, what was signed is the beginning of what there is, and the whole
    /// log leads to its roots.
    fn finish(mut self) {
        let mut node = self.node.take().unwrap();
        assert!(self.written.len() > self.signed.len(), "hardly anything was written");
        let lost: Vec<_> = self.written.iter().filter(|it| !node.has(it)).collect();
        assert_eq!(lost, Vec::<&Written>::new());
        node.kill();
        let data = self.folder.join("data");
        let genesis = Genesis::decode(&std::fs::read(data.join("genesis.cbor")).unwrap()).unwrap();
        let first = Arc::new(genesis_batch(&genesis, genesis_context()));
        let limits = CacheLimits::default();
        let store = Store::open(&data.join("ledger"), &genesis, &first, limits).unwrap();
        for (size, root) in &self.signed {
            let now = store.snapshot().root(*size).unwrap();
            assert_eq!(&base64(&now.0), root, "another history at size {size}");
        }
        drop(store);
        touchmark_node::upkeep::rebuild(&data, None, |_| {}).unwrap();
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64ct::Encoding as _;
    base64ct::Base64::encode_string(bytes)
}

fn checkpoint(node: &Node) -> (TreeSize, String) {
    let (status, note) = node.page("/checkpoint");
    assert_eq!(status, 200, "{note}");
    let mut lines = note.lines().skip(1);
    (TreeSize(lines.next().unwrap().parse().unwrap()), lines.next().unwrap().to_owned())
}

#[test]
fn a_node_whose_syncs_fail_stops_accepting_and_says_why() {
    stops_accepting_and_goes_on_after(Mood::FailingSync);
}

#[test]
fn a_node_whose_disk_is_full_stops_accepting_and_says_why() {
    stops_accepting_and_goes_on_after(Mood::Full);
}

fn stops_accepting_and_goes_on_after(mood: Mood) {
    let Some((mut disk, folder)) = disk() else {
        return;
    };
    let mut node = Node::start(folder.path());
    let mut issuer = Issuer::new(node.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    let mut written = Vec::new();
    let mut submit = |node: &Node, bytes: Vec<u8>| {
        let answer = node.client().submit_statement(&bytes)?;
        let id = touchmark_wire::statement::Statement::parse(&bytes).unwrap().id();
        written.push(Written { id, bytes, position: answer.position });
        Ok::<(), ClientError>(())
    };
    submit(&node, issuer.inception()).unwrap();
    submit(&node, issuer.record(b"before")).unwrap();
    disk.set(mood);
    let late = issuer.record(b"late");
    let problem = match submit(&node, late.clone()) {
        Err(ClientError::Refused(problem)) => problem,
        other => panic!("{mood:?}: {other:?}"),
    };
    assert_eq!((problem.status, problem.code.as_str()), (503, "TM-STORAGE"), "{problem:?}");
    // It stays refused, it is said where it is looked for, and reading goes on.
    let start = Instant::now();
    assert!(submit(&node, late.clone()).is_err());
    assert!(start.elapsed() < Duration::from_secs(2), "it waited");
    assert_eq!(node.page("/health/live").0, 200);
    let (status, reasons) = node.page("/health/ready");
    assert_eq!(status, 503);
    assert!(reasons.contains("failed"), "{reasons}");
    node.kill();
    disk.cut_power(7).unwrap();
    let node = Node::start(folder.path());
    // Known or accepted: either is right for what was not acknowledged.
    submit(&node, late).unwrap();
    submit(&node, issuer.record(b"after")).unwrap();
    assert!(written.iter().all(|it| node.has(it)));
}
