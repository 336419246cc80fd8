//! The control center, from the command line to the log and back.

#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "the desk is shared with the tests of the command line")]

mod confidence;
#[path = "../cli/desk.rs"]
mod desk;
mod directory;
mod import;
mod members;
mod node;
mod tamper;
