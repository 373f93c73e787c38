//! Counting and emptying, over a store in memory.

mod counting;
mod emptying;
mod expiring;
pub(crate) mod fake;
