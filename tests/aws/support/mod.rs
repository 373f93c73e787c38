//! What the tests of this binary share.

mod boto;
mod site;

pub use site::{HOST, NAME, QUEUE, Site};
pub use wbstore_sandbox::ran::finish;
pub use wbstore_sandbox::running::Running;
