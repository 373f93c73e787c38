//! What the tests of this binary share.

mod ran;
mod site;

pub use ran::{Ends, finish};
pub use site::{HOST, NAME, QUEUE, Site};
