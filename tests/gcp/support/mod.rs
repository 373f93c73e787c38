//! What the tests of this binary share.

#[path = "../../aws/support/ran.rs"]
mod ran;
#[path = "../../aws/support/running.rs"]
mod running;
mod site;

pub use ran::{Ends, finish};
pub use running::Running;
pub use site::{EVENTS, NAME, Site};
