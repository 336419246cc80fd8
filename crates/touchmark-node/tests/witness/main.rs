//! What others say of a log: outside witnesses that cosign it (C2SP tlog-witness), and networks in
//! which its checkpoints are recorded.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod anchoring;
mod cosigning;
mod crashing;
#[allow(dead_code, reason = "shared with the tests of commands")]
#[path = "../cli/desk.rs"]
mod desk;
#[allow(dead_code, reason = "issuers are shared with other tests")]
#[path = "../spine/issuer.rs"]
mod issuer;
#[allow(dead_code, reason = "shared with the tests of crashes")]
#[path = "../crash/node.rs"]
mod node;
#[allow(dead_code, reason = "shared with the tests of the HTTP interface")]
#[path = "../http/site.rs"]
mod site;
mod verifying;
mod witnessing;

use desk::Desk;
use issuer::Issuer;
use site::Site;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::certificate::{NoteKey, NoteKeyKind};
use touchmark_wire::registry::ThingKind;

/// A node with a log that grows, and somebody at its machine.
struct Party {
    site: Site,
    desk: Desk,
    issuer: Issuer,
}

impl Party {
    fn new() -> Self {
        let site = Site::start();
        let mut desk = Desk::new();
        desk.set("TOUCHMARK__CONTEXT__NODE", &format!("http://{}", site.address));
        desk.set("TOUCHMARK__NODE__DATA", &site.data().display().to_string());
        let mut issuer = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
        let inception = issuer.inception();
        site.submit(&[inception]);
        Self { site, desk, issuer }
    }

    /// The log gets longer; says how long.
    fn grow(&mut self) -> u64 {
        let record = self.issuer.record(b"one more");
        self.site.submit(&[record]);
        self.site.node.store.snapshot().size().0
    }

    /// The key by which witnesses know its log.
    fn log_key(&mut self) -> String {
        self.desk.json("witness log-key")["key"].as_str().unwrap().to_owned()
    }

    /// Makes it a witness of a log with this key; where it is one, and its own key.
    fn witness(&mut self, log: &str) -> (String, String) {
        self.desk.run("witness init");
        let shown = self.desk.json(&format!("witness add-log {log}"));
        let url = format!("http://{}/witness", self.site.address);
        (url, shown["key"].as_str().unwrap().to_owned())
    }

    /// Has its log cosigned by a witness; the witness's key.
    fn ask(&mut self, witness: &mut Self) -> String {
        let (url, key) = witness.witness(&self.log_key());
        self.desk.json(&format!("witness add {url} {key}"));
        self.site.node.ask_witnesses();
        key
    }

    /// What is wrong with its first witness.
    fn problem(&mut self) -> String {
        let listed = self.desk.json("witness list");
        listed["items"][0]["problem"].as_str().unwrap_or_else(|| panic!("{listed}")).to_owned()
    }
}

/// A key of a log that only a test has, as a vkey.
fn vkey(origin: &str, key: &SoftwareKey) -> String {
    NoteKey::new(NoteKeyKind::Log, origin, key.public_key().clone()).unwrap().to_string()
}
