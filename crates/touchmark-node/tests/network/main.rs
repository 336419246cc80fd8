//! Networks of several validators: formed from the command line, each in processes of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod doctor;
mod following;
mod forming;
#[path = "../spine/issuer.rs"]
#[allow(dead_code, reason = "issuers are shared with other tests")]
mod issuer;
mod light;
mod member;
mod running;
mod status;
mod succession;
