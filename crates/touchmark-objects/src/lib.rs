//! Files in S3-compatible object storage, or in a folder that stands for it, for callers that
//! wait: the only crate that names `object_store`.
//!
//! [`Objects`] has threads of its own. Whoever calls from an asynchronous runtime moves the wait out
//! of that runtime's way. Nothing here says whether bytes are the right ones: who reads checks.
#![warn(missing_docs)]

mod error;
mod objects;
mod place;

pub use error::Error;
pub use objects::Objects;
pub use place::Place;

#[cfg(test)]
mod tests;
