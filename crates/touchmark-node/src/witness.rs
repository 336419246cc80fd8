//! Outside witnesses (C2SP tlog-witness), both ways: this node cosigns the checkpoints of other
//! logs ([`Register`]), and has others cosign its own ([`Witnesses`]).
//!
//! ```text
//! <data>/witness.cbor      key of this node as a witness, and what it cosigned last; owner only
//! <data>/witnesses.toml    outside witnesses of this node's log
//! <data>/witnessed.cbor    what they cosigned, and how they are doing; can be had anew
//! ```

mod kept;
mod list;
mod outside;
mod register;

pub(crate) use kept::Kept;
pub use list::{List, ListError, Outside};
pub(crate) use outside::{SEVERAL_OWNERS, Witnesses, view};
pub(crate) use register::FILE;
pub use register::{LOGS, Log, Register, Witness, WitnessError};
