//! The clouds.

#[cfg(feature = "aws")]
pub mod aws;
