//! What the tests of this binary share.

mod boto;
mod ran;
mod running;
mod site;
mod terminal;

pub use ran::{Ends, finish};
pub use running::Running;
pub use site::{HOST, NAME, QUEUE, Site};
pub use terminal::Terminal;
