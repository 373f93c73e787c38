//! What the tests of this binary share.

#[path = "../../aws/support/ran.rs"]
mod ran;
#[path = "../../aws/support/running.rs"]
mod running;
mod site;
mod told;

pub use ran::{Ends, finish};
pub use running::Running;
pub use site::{EVENTS, HOST, NAME, Site};
pub use told::is_told_well;
