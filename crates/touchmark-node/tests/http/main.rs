//! The HTTP interface of a whole node, over connections.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]

mod administration;
mod channels;
mod conventions;
mod dashboard;
mod events;
mod exposition;
#[allow(dead_code, reason = "issuers are shared with other tests")]
#[path = "../spine/issuer.rs"]
mod issuer;
mod limits;
mod lists;
mod operation;
mod payloads;
mod queries;
mod repetition;
mod scitt;
mod site;
mod slowness;
mod taps;
mod walk;
