//! Presigned URLs.

use crate::call::Call;
use crate::reply::ApiError;

/// "The presigned URL is valid for the duration that you specify."
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html> (X-Amz-Expires)
pub(super) fn expired(call: &Call) -> Option<ApiError> {
    let lifetime: i64 = call.parameter("X-Amz-Expires")?.parse().ok()?;
    let over = call.signed_at()? + lifetime < jiff::Timestamp::now().as_second();
    over.then(|| {
        ApiError::new(403, "AccessDenied", "Request has expired").field("X-Amz-Expires", lifetime.to_string())
    })
}
