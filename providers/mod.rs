//! The clouds.

#[cfg(feature = "aws")]
pub(crate) mod aws;
#[cfg(feature = "azure")]
pub(crate) mod azure;
#[cfg(feature = "gcp")]
pub(crate) mod gcp;
#[cfg(feature = "s3")]
pub(crate) mod s3;
#[cfg(any(feature = "aws", feature = "s3"))]
pub(crate) mod s3_protocol;

#[cfg(not(any(feature = "aws", feature = "azure", feature = "gcp", feature = "s3")))]
compile_error!("enable the feature of at least one cloud, such as `aws`");
