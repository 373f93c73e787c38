//! What the tests of this binary share.

mod boto;
mod ran;
mod running;
mod site;

pub use ran::{Ends, finish};
pub use running::Running;
pub use site::{HOST, NAME, QUEUE, Site};
