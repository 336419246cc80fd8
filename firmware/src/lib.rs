//! What both programs of the device share: the machine ([`board`]) and the network that they trust.
#![no_std]

extern crate alloc;

pub mod board;

use touchmark_wire::ids::NetworkId;

/// The network that is baked in: its id in hexadecimal, given when this is built.
pub fn network() -> NetworkId {
    env!("TOUCHMARK_NETWORK").parse().expect("the build gives 64 hexadecimal digits")
}
