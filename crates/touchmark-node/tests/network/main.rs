//! Networks of several validators: formed from the command line, each in processes of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[cfg(target_os = "linux")]
mod agreeing;
#[cfg(target_os = "linux")]
mod disturbed;
mod doctor;
mod following;
mod forming;
#[path = "../spine/issuer.rs"]
#[allow(dead_code, reason = "issuers are shared with other tests")]
mod issuer;
mod light;
#[cfg(target_os = "linux")]
mod machines;
mod member;
#[path = "../mirror/question.rs"]
mod question;
mod running;
#[cfg(target_os = "linux")]
mod scribe;
mod status;
mod succession;
mod taps;
mod witnesses;
