//! The clouds.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "azure")]
pub mod azure;
#[cfg(feature = "gcp")]
pub mod gcp;

#[cfg(not(any(feature = "aws", feature = "azure", feature = "gcp")))]
compile_error!("enable the feature of at least one cloud, such as `aws`");
