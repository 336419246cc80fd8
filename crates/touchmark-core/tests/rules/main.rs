//! The rules, as whoever writes statements meets them: bytes go in, outcomes and leaves come out.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

mod accreditation;
mod admission;
mod appointment;
mod chain;
mod channel;
mod confidence;
mod evidence;
mod fork;
mod group;
mod inception;
mod ledger;
mod model;
mod outdated;
mod roster;
mod rotation;
mod standing;
mod status;
mod update;
