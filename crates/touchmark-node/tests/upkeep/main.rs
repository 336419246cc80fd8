//! What an operator does to a data folder, with the real binary.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backup;
mod certified;
mod configuration;
mod doctor;
#[path = "../spine/issuer.rs"]
#[allow(dead_code, reason = "shared with the tests of the whole way")]
mod issuer;
#[path = "../crash/node.rs"]
#[allow(dead_code, reason = "shared with the tests of crashes")]
mod node;
mod operator;
mod rebuild;
mod refusals;
#[path = "../crash/writer.rs"]
#[allow(dead_code, reason = "shared with the tests of crashes")]
mod writer;
