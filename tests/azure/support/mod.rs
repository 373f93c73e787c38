//! What the tests of this binary share.

mod site;

pub use site::{HOST, NAME, QUEUE, Site};
pub use wbstore_sandbox::ran::finish;
