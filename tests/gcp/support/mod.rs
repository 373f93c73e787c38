//! What the tests of this binary share.

mod site;
mod told;

pub use site::{EVENTS, HOST, NAME, Site};
pub use told::is_told_well;
pub use wbstore_sandbox::ran::finish;
pub use wbstore_sandbox::running::Running;
