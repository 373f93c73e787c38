//! Errors, and how each service spells them.

use crate::call::Call;
use crate::operation::Service;
use crate::reply::ApiError;
use crate::strict::notification;

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
    /// Another change of the same bucket is under way.
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
    ///
    /// S3: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>; SQS and STS:
    /// "Common Errors" of their API references.
    pub fn spell(&self, call: &Call) -> ApiError {
        let s3 = call.service == Service::S3;
        match self {
            Self::Throttled if s3 => ApiError::new(503, "SlowDown", "Please reduce your request rate."),
            Self::Throttled if call.service == Service::Sqs => {
                ApiError::new(403, "RequestThrottled", "Request is throttled.")
            }
            Self::Throttled => ApiError::new(400, "Throttling", "Rate exceeded"),
            Self::TooManyRequests(seconds) => {
                ApiError::new(429, "TooManyRequests", "Please reduce your request rate.")
                    .header("retry-after", seconds.to_string())
            }
            Self::ExpiredToken => ApiError::new(
                if s3 { 400 } else { 403 },
                "ExpiredToken",
                if s3 {
                    "The provided token has expired."
                } else {
                    "The security token included in the request is expired"
                },
            ),
            Self::AccessDenied => ApiError::new(403, "AccessDenied", "Access Denied"),
            Self::Internal => ApiError::new(
                500,
                if s3 { "InternalError" } else { "InternalFailure" },
                "We encountered an internal error. Please try again.",
            ),
            Self::Unavailable => {
                ApiError::new(503, "ServiceUnavailable", "Service is unable to handle request.")
            }
            Self::OperationAborted => ApiError::new(
                409,
                "OperationAborted",
                "A conflicting conditional operation is currently in progress against this resource. Please try again.",
            ),
            Self::NoSuchBucket => ApiError::new(404, "NoSuchBucket", "The specified bucket does not exist")
                .field("BucketName", call.bucket.clone().unwrap_or_default()),
            Self::DestinationNotReady => notification::not_permitted(call),
            Self::WrongRegion(region) => ApiError::new(
                301,
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified endpoint. \
                 Please send all future requests to this endpoint.",
            )
            .field("Endpoint", format!("s3.{region}.amazonaws.com"))
            .header("x-amz-bucket-region", region.clone()),
            Self::Other(error) => error.clone(),
        }
    }
}
