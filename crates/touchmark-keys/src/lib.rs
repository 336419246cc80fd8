//! Key files and signers.

pub mod disk;
pub mod file;
pub mod software;
pub mod threshold;
