//! What the tests of this binary share.

mod site;

use wbstore_sandbox::ran::Ran;

pub use site::{HOST, NAME, QUEUE, Site};
pub use wbstore_sandbox::ran::finish;

/// Checks that either stream has all of `words`.
#[track_caller]
pub fn shows(ran: &Ran, words: &[&str]) {
    let all = format!("{}{}", ran.stdout, ran.stderr);
    for word in words {
        assert!(all.contains(word), "{word:?} is not in\n{ran}");
    }
}
