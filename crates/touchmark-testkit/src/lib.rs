//! Fixtures and the real-binary harness of the tests.

pub mod committee;
#[cfg(target_os = "linux")]
pub mod disk;
pub mod log;
pub mod one_leaf;
pub mod vectors;
