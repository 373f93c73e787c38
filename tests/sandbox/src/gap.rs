//! What cannot be seen on this machine.

/// Something that an emulator cannot show, even through the strict proxy.
#[derive(Clone, Copy, Debug)]
pub struct Gap {
    /// What it is, in words.
    pub what: &'static str,
    /// The tests that are not run because of it, by their paths (`module::name`).
    pub tests: &'static [&'static str],
}

impl Gap {
    /// A gap that no test depends on.
    pub const fn new(what: &'static str) -> Self {
        Self { what, tests: &[] }
    }

    /// A gap on account of which these tests are not run.
    pub const fn without(what: &'static str, tests: &'static [&'static str]) -> Self {
        Self { what, tests }
    }
}
