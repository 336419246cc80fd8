//! What the benchmarks measure with: a node in a process of its own, devices that signed before,
//! and the load that they make.

pub(crate) mod arguments;
pub(crate) mod clock;
pub(crate) mod fleet;
pub(crate) mod load;
pub(crate) mod makers;
pub(crate) mod node;
pub(crate) mod row;
pub(crate) mod writer;
