//! The OpenAPI 3.1 document of a table of endpoints (feature `openapi`).
//!
//! An [`Endpoint`] describes one route; whoever serves routes keeps them in one table, and
//! [`document`] makes the document of it. Schemas come from the JSON types themselves, whose
//! dialect (JSON Schema 2020-12) is that of OpenAPI 3.1.

mod document;
mod endpoint;
mod examples;

pub use document::document;
pub use endpoint::{Content, Endpoint, Method, Parameter, Place, ProblemForm, ProblemKind, Shape};
pub use examples::{Exampled, identifiers};
