//! What the tests of this binary share.

mod boto;
mod ran;
mod site;
mod terminal;

pub use ran::Ends;
pub use site::{HOST, NAME, QUEUE, Site};
pub use terminal::Terminal;
