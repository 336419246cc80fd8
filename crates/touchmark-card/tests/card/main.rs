//! The card in software, through its commands and through the client.

#![allow(clippy::unwrap_used, reason = "a test")]

mod apdus;
mod counter;
mod fixture;
mod flow;
mod refusals;
