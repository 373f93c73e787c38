//! The one voice of the library.

use std::io::{self, Write};

/// Tells people something on standard error. Unlike `eprintln!` it is heard from inside a passing
/// test as well. A closed pipe is no reason to fail.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "sandbox: {line}");
}
