//! Cards and a real node: what a card signs is what the ledger accepts.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../cli/desk.rs"]
#[allow(dead_code, reason = "shared with the tests of other commands")]
mod desk;
#[path = "../crash/node.rs"]
#[allow(dead_code, reason = "shared with the tests of crashes")]
mod node;
mod readers;
mod software;
