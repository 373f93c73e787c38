//! Presigned URLs.

use crate::call::Call;
use crate::reply::ApiError;

/// "The presigned URL is valid for the duration that you specify."
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html> (X-Amz-Expires)
pub(super) fn expired(call: &Call) -> Option<ApiError> {
    let end = match call.parameter("X-Amz-Expires") {
        Some(seconds) => call.signed_at()? + seconds.parse::<i64>().ok()?,
        // The scheme before SigV4 names the moment itself.
        None => call.parameter("Expires")?.parse().ok()?,
    };
    let over = end < jiff::Timestamp::now().as_second();
    over.then(|| ApiError::new(403, "AccessDenied", "Request has expired"))
}
