//! The touchmark binary: configuration, HTTP gateway, command line.

pub mod agreement;
pub mod apikey;
pub mod attestation;
pub mod audit;
mod batches;
pub mod cli;
pub mod config;
mod ending;
pub mod folder;
mod follow;
mod foreign;
pub mod formation;
pub mod http;
pub mod intake;
mod judgement;
pub mod keyring;
mod line;
pub mod mirror;
pub mod node;
mod order;
pub mod outbox;
pub mod pages;
mod pauses;
pub mod proof;
mod room;
pub mod rules;
pub mod sensor;
pub mod service;
pub mod shown;
mod stop;
mod suggestion;
pub mod upkeep;
pub mod verifier;
pub mod witness;
mod word;

use touchmark_keys::disk;
