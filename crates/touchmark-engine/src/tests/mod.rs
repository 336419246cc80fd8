//! Behaviour of the whole engine, on the real runtime and in simulation.

mod certificate;
mod inquiry;
mod ledger;
mod node;
mod simulation;
mod succession;
