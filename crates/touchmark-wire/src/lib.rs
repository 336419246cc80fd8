//! The wire room: everything that a node, a device and a browser must agree on byte for byte.
//!
//! * [`algorithm`]: signature algorithms, public keys, signers and verifiers.
//! * [`ids`]: newtypes for every id, position and time.
//! * [`hash`]: SHA-256 and the table of domain-separated uses.
//! * [`codec`]: deterministic CBOR with exactly one accepted encoding.
//! * [`registry`], [`limits`]: every number and every bound.
//! * [`statement`]: the signed statement and its place in a chain.
//! * [`leaf`]: what stands in the log.
//! * [`merkle`], [`trie`], [`state`]: proofs in the log and in the state.
//! * [`header`]: the batch header that the order engine certifies.
//! * [`checkpoint`], [`certificate`]: the log's size and root as text, and who certifies them.
//! * [`ratchet`]: what a light client keeps, so that nothing goes back.
//! * [`receipt`]: COSE receipts for tools outside of this project.
//! * `batches`: certified batches, for nodes that follow a log (feature `alloc`).
//! * `bundle`: self-contained proof files (feature `alloc`).
//! * [`genesis`]: a network's root of trust and its committees.
//! * `handover`: how a committee hands over to the next, and how readers follow (feature `alloc`).
//! * `formation`: what those who form a network say to each other (feature `alloc`).
//! * [`witness`]: what a log asks of an outside witness, and what the witness decides.
//!
//! The crate is `no_std` and needs no allocator for statements, chains and proofs; the feature
//! `alloc` adds builders and bundles.
#![no_std]
#![warn(missing_docs)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod algorithm;
#[cfg(feature = "alloc")]
pub mod batches;
#[cfg(feature = "alloc")]
pub mod bundle;
pub mod certificate;
pub mod checkpoint;
pub mod codec;
#[cfg(feature = "alloc")]
pub mod formation;
pub mod genesis;
#[cfg(feature = "alloc")]
pub mod handover;
pub mod hash;
pub mod header;
pub mod ids;
pub mod leaf;
pub mod limits;
pub mod merkle;
pub mod ratchet;
pub mod receipt;
pub mod registry;
pub mod state;
pub mod statement;
pub mod trie;
pub mod witness;
#[cfg(feature = "alloc")]
pub mod word;
