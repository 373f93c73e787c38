//! Errors, and how the services of Google put them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper::Method;
use prost::Message;
use serde_json::json;

use super::Service;
use crate::call::Call;
use crate::fault::Failure;
use crate::reply::{self, ApiError, Reply, escape, set};

/// The codes of gRPC, in the order of their numbers:
/// <https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>.
const CODES: &[&str] = &[
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The mapping of codes to statuses is that of `google/rpc/code.proto`; the `reason`s are those of
/// <https://cloud.google.com/storage/docs/json_api/v1/status-codes>.
pub(in crate::dialect) fn spell(failure: &Failure, call: &Call) -> ApiError {
    let error =
        |status, code, reason, message: &str| ApiError::new(status, code, message).field("reason", reason);
    match failure {
        Failure::Throttled => throttled(call),
        Failure::TooManyRequests(seconds) => throttled(call).header("retry-after", seconds.to_string()),
        Failure::ExpiredToken => unauthenticated(),
        Failure::AccessDenied => error(
            403,
            "PERMISSION_DENIED",
            "forbidden",
            &format!("The caller does not have permission for {}.", call.operation),
        ),
        Failure::Internal => {
            error(500, "INTERNAL", "backendError", "We encountered an internal error. Please try again.")
        }
        Failure::Unavailable => {
            error(503, "UNAVAILABLE", "backendError", "The service is currently unavailable.")
        }
        Failure::OperationAborted => error(
            409,
            "ABORTED",
            "conflict",
            "There were concurrent changes. Please retry the whole read-modify-write.",
        ),
        Failure::NoSuchBucket => error(404, "NOT_FOUND", "notFound", "The specified bucket does not exist."),
        Failure::DestinationNotReady => error(403, "PERMISSION_DENIED", "forbidden", &not_publishing(call)),
        Failure::WrongRegion(region) => {
            error(400, "INVALID_ARGUMENT", "invalid", &format!("The bucket is in location {region}."))
        }
        Failure::Other(error) => error.clone(),
    }
}

fn throttled(call: &Call) -> ApiError {
    let message = match call.resource() {
        "" => "The request rate is too high. Please reduce it.".to_owned(),
        resource => format!("The object {resource} exceeded the rate limit for operations."),
    };
    ApiError::new(429, "RESOURCE_EXHAUSTED", &message).field("reason", "rateLimitExceeded")
}

fn unauthenticated() -> ApiError {
    ApiError::new(
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie \
         or other valid authentication credential.",
    )
    .field("reason", "authError")
}

/// What Cloud Storage says while its agent's grant has not reached it:
/// <https://github.com/hashicorp/terraform-provider-google/issues/4354>.
fn not_publishing(call: &Call) -> String {
    let topic = call.json()["topic"].as_str().unwrap_or_default().to_owned();
    format!(
        "The service account 'service-000000000000@gs-project-accounts.iam.gserviceaccount.com' does not \
         have permission to publish messages to to the Cloud Pub/Sub topic '{topic}', or that topic does \
         not exist."
    )
}

pub(in crate::dialect) fn too_skewed(call: &Call) -> ApiError {
    spell(&Failure::ExpiredToken, call)
}

pub(in crate::dialect) fn write(error: &ApiError, status: u16, call: &Call) -> Reply {
    let reason = error.fields.iter().find(|(name, _)| name == "reason").map_or("", |(_, value)| value);
    match call.service {
        Service::Grpc => grpc(error),
        _ if call.method == Method::HEAD => reply::reply(status, "application/json", ""),
        Service::Xml => {
            let body = format!(
                "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{}</Code><Message>{}</Message></Error>",
                escape(&error.code),
                escape(&error.message)
            );
            reply::reply(status, "application/xml; charset=UTF-8", body)
        }
        // Cloud Storage tells the reason, the newer APIs the code.
        _ if call.operation.starts_with("storage.") => {
            let one = json!({ "message": error.message, "domain": "global", "reason": reason });
            json_error(status, json!({ "code": status, "message": error.message, "errors": [one] }))
        }
        _ => json_error(status, json!({ "code": status, "message": error.message, "status": error.code })),
    }
}

fn json_error(status: u16, error: serde_json::Value) -> Reply {
    reply::reply(status, "application/json; charset=UTF-8", json!({ "error": error }).to_string())
}

/// An error of gRPC is an answer of nothing but headers, with status 200 for all that HTTP can tell:
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
fn grpc(error: &ApiError) -> Reply {
    let code = CODES.iter().position(|code| *code == error.code).unwrap_or(2);
    let mut reply = reply::reply(200, "application/grpc", "");
    set(&mut reply, "grpc-status", &code.to_string());
    let message = percent_encoding::utf8_percent_encode(&error.message, percent_encoding::CONTROLS);
    set(&mut reply, "grpc-message", &message.to_string());
    let asked = error.headers.iter().find(|(name, _)| name == "retry-after");
    if let Some(seconds) = asked.and_then(|(_, seconds)| seconds.parse().ok()) {
        let details = details(i32::try_from(code).unwrap_or(2), &error.message, seconds);
        set(&mut reply, "grpc-status-details-bin", &STANDARD_NO_PAD.encode(details));
    }
    reply
}

/// How gRPC says what `Retry-After` says over HTTP: a `google.rpc.Status` with a `google.rpc.RetryInfo`
/// (<https://google.aip.dev/193>), encoded.
fn details(code: i32, message: &str, seconds: i64) -> Vec<u8> {
    #[derive(Message)]
    struct RetryInfo {
        #[prost(message, optional, tag = "1")]
        retry_delay: Option<prost_types::Duration>,
    }
    #[derive(Message)]
    struct Status {
        #[prost(int32, tag = "1")]
        code: i32,
        #[prost(string, tag = "2")]
        message: String,
        #[prost(message, repeated, tag = "3")]
        details: Vec<prost_types::Any>,
    }
    let delay = prost_types::Duration { seconds, nanos: 0 };
    let info = prost_types::Any {
        type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
        value: RetryInfo { retry_delay: Some(delay) }.encode_to_vec(),
    };
    Status { code, message: message.to_owned(), details: vec![info] }.encode_to_vec()
}
