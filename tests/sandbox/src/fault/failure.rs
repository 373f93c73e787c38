//! Errors that a service may report.

use crate::call::Call;
use crate::reply::ApiError;

/// An error a service may report. Each service has its own word for it.
#[derive(Clone, Debug)]
pub enum Failure {
    /// Slow down, says the service.
    Throttled,
    /// 429 with `Retry-After` in seconds.
    TooManyRequests(u64),
    /// The session ended in the middle of the run.
    ExpiredToken,
    /// The caller lacks a permission.
    AccessDenied,
    /// 500.
    Internal,
    /// 503.
    Unavailable,
    /// Another change of the same thing is under way.
    OperationAborted,
    /// A bucket made a moment ago is not known everywhere yet.
    NoSuchBucket,
    /// The queue's policy has not reached S3 yet.
    DestinationNotReady,
    /// The bucket lives in this other region.
    WrongRegion(String),
    /// Anything else.
    Other(ApiError),
}

impl Failure {
    /// How the service of `call` puts it.
    pub fn spell(&self, call: &Call) -> ApiError {
        call.dialect.spell(self, call)
    }
}
