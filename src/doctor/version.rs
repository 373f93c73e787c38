//! Which program this is.

use std::env::consts::{ARCH, OS};

use crate::verify::{Verdict, passed};

/// The features that a build may leave out.
const FEATURES: [(&str, bool); 5] = [
    ("aws", cfg!(feature = "aws")),
    ("azure", cfg!(feature = "azure")),
    ("check", cfg!(feature = "check")),
    ("gcp", cfg!(feature = "gcp")),
    ("s3", cfg!(feature = "s3")),
];

pub(super) fn verdict() -> Verdict {
    let built: Vec<_> = FEATURES.iter().filter(|(_, built)| *built).map(|(name, _)| *name).collect();
    let built = if built.is_empty() { "no features".to_owned() } else { built.join(", ") };
    passed(format!(
        "wbstore {} on {OS} {ARCH}, built with {built}; TLS by rustls with AWS-LC",
        env!("CARGO_PKG_VERSION")
    ))
}
