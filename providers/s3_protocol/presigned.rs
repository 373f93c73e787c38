//! Presigned URLs.

use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};

use crate::error::{Error, Kind, Result};

/// What a URL is signed with that is valid for this long.
///
/// # Errors
/// For a time that S3 does not allow.
pub(crate) fn valid_for(time: Duration) -> Result<PresigningConfig> {
    PresigningConfig::expires_in(time).map_err(unsigned)
}

/// The URL that was signed, which is a secret.
///
/// # Errors
/// When it could not be signed, as without credentials.
pub(crate) fn url<E>(signed: std::result::Result<PresignedRequest, E>) -> Result<String>
where
    E: std::error::Error + Send + Sync + 'static,
{
    signed.map(|signed| signed.uri().to_owned()).map_err(unsigned)
}

fn unsigned(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Kind::Failed, "presign a URL").because(error)
}
