//! The control center and channels, from the command line to the log and back.

#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "desk and node are shared with other tests")]

mod channels;
mod commitment;
mod confidence;
#[path = "../cli/desk.rs"]
mod desk;
mod directory;
mod ending;
mod following;
mod import;
mod members;
#[path = "../crash/node.rs"]
mod node;
mod progress;
mod tamper;
