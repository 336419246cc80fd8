//! Old leaves in S3-compatible object storage: a real node, and a real service from PyPI.
//!
//! Where the service cannot be installed the tests say so and do nothing, but in continuous
//! integration (`CI` is set) they fail.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "much is shared with other tests")]

#[path = "../cli/desk.rs"]
mod desk;
mod folder;
mod gate;
#[path = "../spine/issuer.rs"]
mod issuer;
mod killing;
#[path = "../crash/node.rs"]
mod node;
mod reading;
mod service;
mod story;
mod upkeep;
