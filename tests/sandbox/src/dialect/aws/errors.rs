//! Errors, and how each service of AWS puts them.

use hyper::Method;

use super::Service;
use crate::call::Call;
use crate::fault::Failure;
use crate::reply::{self, ApiError, Reply, escape, set};
use crate::strict::notification;

/// Recognisable in a log: no service of AWS made this answer.
const REQUEST_ID: &str = "WBSTORESANDBOX00";

/// How the service of `call` puts it.
///
/// S3: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>; SQS and STS: "Common
/// Errors" of their API references.
pub(in crate::dialect) fn spell(failure: &Failure, call: &Call) -> ApiError {
    let s3 = call.service == Service::S3;
    match failure {
        Failure::Throttled if s3 => ApiError::new(503, "SlowDown", "Please reduce your request rate."),
        Failure::Throttled if call.service == Service::Sqs => {
            ApiError::new(403, "RequestThrottled", "Request is throttled.")
        }
        Failure::Throttled => ApiError::new(400, "Throttling", "Rate exceeded"),
        Failure::TooManyRequests(seconds) => {
            ApiError::new(429, "TooManyRequests", "Please reduce your request rate.")
                .header("retry-after", seconds.to_string())
        }
        Failure::ExpiredToken => ApiError::new(
            if s3 { 400 } else { 403 },
            "ExpiredToken",
            if s3 {
                "The provided token has expired."
            } else {
                "The security token included in the request is expired"
            },
        ),
        Failure::AccessDenied => ApiError::new(403, "AccessDenied", "Access Denied"),
        Failure::Internal => ApiError::new(
            500,
            if s3 { "InternalError" } else { "InternalFailure" },
            "We encountered an internal error. Please try again.",
        ),
        Failure::Unavailable => {
            ApiError::new(503, "ServiceUnavailable", "Service is unable to handle request.")
        }
        Failure::OperationAborted => ApiError::new(
            409,
            "OperationAborted",
            "A conflicting conditional operation is currently in progress against this resource. Please try again.",
        ),
        Failure::NoSuchBucket => ApiError::new(404, "NoSuchBucket", "The specified bucket does not exist")
            .field("BucketName", call.bucket.clone().unwrap_or_default()),
        Failure::DestinationNotReady => notification::not_permitted(call),
        Failure::WrongRegion(region) => ApiError::new(
            301,
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint. \
             Please send all future requests to this endpoint.",
        )
        .field("Endpoint", format!("s3.{region}.amazonaws.com"))
        .header("x-amz-bucket-region", region.clone()),
        Failure::Other(error) => error.clone(),
    }
}

pub(in crate::dialect) fn too_skewed(theirs: i64, allowed: i64) -> ApiError {
    let server_time = jiff::Timestamp::from_second(theirs).map(|moment| moment.to_string());
    ApiError::new(
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    )
    .field("ServerTime", server_time.unwrap_or_default())
    .field("MaxAllowedSkewMilliseconds", (allowed * 1000).to_string())
}

pub(in crate::dialect) fn write(error: &ApiError, status: u16, call: &Call) -> Reply {
    let (kind, body) = match call.service {
        // A HEAD has nowhere to put the error: status and headers are all there is.
        _ if call.method == Method::HEAD => ("application/xml", String::new()),
        Service::Sqs => ("application/x-amz-json-1.0", json(error)),
        Service::Sts | Service::Iam => ("text/xml", query_xml(error)),
        _ => ("application/xml", rest_xml(error, call.resource())),
    };
    let mut reply = reply::reply(status, kind, body);
    if call.service == Service::Sqs {
        // How a service that left the query protocol keeps its old error codes
        // (the `awsQueryCompatible` trait).
        set(&mut reply, "x-amzn-query-error", &format!("{};Sender", error.code));
    }
    set(&mut reply, "x-amzn-requestid", REQUEST_ID);
    set(&mut reply, "x-amz-request-id", REQUEST_ID);
    reply
}

fn rest_xml(error: &ApiError, resource: &str) -> String {
    let fields: String =
        error.fields.iter().map(|(name, value)| format!("<{name}>{}</{name}>", escape(value))).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
         {fields}<Resource>/{}</Resource><RequestId>{REQUEST_ID}</RequestId></Error>",
        escape(&error.code),
        escape(&error.message),
        escape(resource),
    )
}

fn query_xml(error: &ApiError) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
         <Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{REQUEST_ID}</RequestId></ErrorResponse>",
        escape(&error.code),
        escape(&error.message),
    )
}

fn json(error: &ApiError) -> String {
    // The JSON shape is named without the prefix the query protocol has.
    let shape = match error.code.as_str() {
        "AWS.SimpleQueueService.NonExistentQueue" => "QueueDoesNotExist",
        code => code.rsplit('.').next().unwrap_or(code),
    };
    serde_json::json!({"__type": format!("com.amazonaws.sqs#{shape}"), "message": error.message}).to_string()
}
