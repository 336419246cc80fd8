//! From a statement to a proof, through a whole node: admission, rules, order, store, bundle.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod channels;
mod command;
#[allow(dead_code, reason = "issuers are shared with other tests")]
mod issuer;
mod network;
mod pages;
mod proofs;
mod setup;
mod submissions;
mod words;
