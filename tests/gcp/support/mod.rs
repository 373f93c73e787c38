//! What the tests of this binary share.

mod record;
mod site;
mod told;

pub use record::record;
pub use site::{EVENTS, HOST, NAME, Site};
pub use told::is_told_well;
pub use wbstore_sandbox::ran::finish;
pub use wbstore_sandbox::running::Running;
