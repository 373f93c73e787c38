//! The clouds.

#[cfg(feature = "aws")]
pub(crate) mod aws;
#[cfg(feature = "azure")]
pub(crate) mod azure;
#[cfg(feature = "gcp")]
pub(crate) mod gcp;

#[cfg(not(any(feature = "aws", feature = "azure", feature = "gcp")))]
compile_error!("enable the feature of at least one cloud, such as `aws`");
