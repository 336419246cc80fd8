//! The command line, run in process: what a command says, how it ends and what it leaves behind.

#![allow(clippy::unwrap_used, reason = "a test")]

mod apikeys;
mod bundle;
mod chains;
mod configuration;
mod contexts;
mod conventions;
mod desk;
mod help;
mod inspect;
mod node;
mod nodes;
mod ratchet;
mod reader;
mod requests;
mod sensor;
mod verify;
