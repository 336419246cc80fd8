//! Copies of logs, and what an auditor finds in them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "much is shared with other tests")]

mod auditing;
#[path = "../cli/bundle.rs"]
mod bundle;
mod copying;
#[path = "../cli/desk.rs"]
mod desk;
#[path = "../spine/issuer.rs"]
mod issuer;
mod log;
#[path = "../crash/node.rs"]
mod node;
mod question;
mod site;
mod splitting;
