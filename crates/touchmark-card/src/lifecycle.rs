//! States of a card's life (ISO/IEC 7816-4 §7.4.10, life cycle status byte).

use core::fmt;
use minicbor::{Decode, Encode};

/// Where in its life a card is. There is no way back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
#[repr(u8)]
pub enum LifeCycle {
    /// May be given a key, an id and data; signs nothing.
    #[n(3)]
    Initialisation = 0x03,
    /// Signs; what it was given stays as it is.
    #[n(5)]
    Activated = 0x05,
    /// Locked for ever: signs nothing, its public side can be read.
    #[n(4)]
    Deactivated = 0x04,
    /// At its end: the private key is destroyed.
    #[n(12)]
    Terminated = 0x0c,
}

impl LifeCycle {
    /// The life cycle status byte.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// The state of a status byte, also where the standard leaves bits open.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x03 => Self::Initialisation,
            0x05 | 0x07 => Self::Activated,
            0x04 | 0x06 => Self::Deactivated,
            0x0c..=0x0f => Self::Terminated,
            _ => return None,
        })
    }

    /// The standard's name, with hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initialisation => "initialisation",
            Self::Activated => "operational-activated",
            Self::Deactivated => "operational-deactivated",
            Self::Terminated => "terminated",
        }
    }
}

impl fmt::Display for LifeCycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
