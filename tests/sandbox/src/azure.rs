//! What stands in for Azure.
//!
//! [`azurite`] is Microsoft's emulator of the data plane. Nothing that can be installed does the
//! control plane; [`double`] is ours, in front of Azurite.

pub mod azurite;
pub mod double;

/// Names the running Azurite to the tests.
pub const URL: &str = "WBSTORE_SANDBOX_AZURE";
/// Names the interpreter that has Microsoft's clients.
pub const PYTHON: &str = "WBSTORE_SANDBOX_AZURE_PYTHON";
