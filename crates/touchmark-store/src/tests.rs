//! Behaviour of the store under real batches.

mod backup;
mod caches;
mod certificates;
mod channels;
mod commits;
mod crash;
mod fixture;
mod folder;
mod paths;
mod readers;
mod rebuild;
mod sealed;
