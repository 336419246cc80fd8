//! Smart cards in readers, through the system's PC/SC service.
//!
//! The service's library is looked for when a program asks for readers, not when it is built or
//! started: a machine without it builds and runs everything else. This crate is the only one that
//! calls foreign functions; its interface is safe, and it knows nothing of what cards say.
#![warn(missing_docs)]

mod error;
#[cfg(target_os = "linux")]
mod library;
#[cfg(target_os = "linux")]
mod service;
#[cfg(not(target_os = "linux"))]
#[path = "absent.rs"]
mod service;

pub use error::{Error, ErrorKind};
pub use service::{Connection, ReaderState, Service};
