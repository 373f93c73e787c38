//! Errors, and how the services of Azure put them.

use hyper::Method;
use serde_json::json;

use super::Service;
use crate::call::Call;
use crate::fault::Failure;
use crate::reply::{self, ApiError, Reply, escape, set};

/// The Resource Manager:
/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>;
/// the data plane: <https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes>.
pub(in crate::dialect) fn spell(failure: &Failure, call: &Call) -> ApiError {
    let data = matches!(call.service, Service::Blob | Service::Queue);
    let either = |status, arm, plane, message| ApiError::new(status, if data { plane } else { arm }, message);
    match failure {
        Failure::Throttled if data => {
            ApiError::new(503, "ServerBusy", "The server is busy. Please retry after some time.")
        }
        Failure::Throttled => too_many(1),
        Failure::TooManyRequests(seconds) => too_many(*seconds),
        Failure::ExpiredToken => either(
            401,
            "ExpiredAuthenticationToken",
            "InvalidAuthenticationInfo",
            "The access token expiry is earlier than the current time. The token has expired.",
        )
        .header("www-authenticate", "Bearer error=\"invalid_token\""),
        Failure::AccessDenied => either(
            403,
            "AuthorizationFailed",
            "AuthorizationPermissionMismatch",
            "The client does not have authorization to perform this action over this scope, or the scope \
             is invalid.",
        ),
        Failure::Internal => either(
            500,
            "InternalServerError",
            "InternalError",
            "The server encountered an internal error. Please retry the request.",
        ),
        Failure::Unavailable => either(
            503,
            "ServiceUnavailable",
            "ServerBusy",
            "The service is temporarily unavailable. Please retry the request.",
        ),
        // <https://github.com/Azure/azure-cli/issues/31148>
        Failure::OperationAborted => either(
            409,
            "StorageAccountOperationInProgress",
            "OperationInProgress",
            "An operation is currently performing on this storage account that requires exclusive access.",
        ),
        Failure::NoSuchBucket => {
            either(404, "ResourceNotFound", "ContainerNotFound", "The specified container does not exist.")
        }
        Failure::DestinationNotReady => either(
            400,
            "InvalidRequest",
            "QueueNotFound",
            "The specified queue does not exist, or Event Grid may not send to it.",
        ),
        Failure::WrongRegion(region) => ApiError::new(
            409,
            "InvalidResourceLocation",
            &format!("The resource already exists in location '{region}'."),
        ),
        Failure::Other(error) => error.clone(),
    }
}

/// <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>
fn too_many(seconds: u64) -> ApiError {
    ApiError::new(
        429,
        "TooManyRequests",
        "The request is being throttled. Please retry after the time given.",
    )
    .header("retry-after", seconds.to_string())
}

pub(in crate::dialect) fn too_skewed(call: &Call) -> ApiError {
    match call.service {
        Service::Blob | Service::Queue => ApiError::new(
            403,
            "AuthenticationFailed",
            "Server failed to authenticate the request. The date header in the request is too old.",
        ),
        _ => spell(&Failure::ExpiredToken, call),
    }
}

pub(in crate::dialect) fn write(error: &ApiError, status: u16, call: &Call) -> Reply {
    let (kind, body) = match call.service {
        _ if call.method == Method::HEAD => ("application/xml", String::new()),
        Service::Blob | Service::Queue => ("application/xml", xml(error)),
        Service::Token => ("application/json", token(error)),
        _ => {
            let body = json!({ "error": { "code": error.code, "message": error.message } });
            ("application/json; charset=utf-8", body.to_string())
        }
    };
    let mut reply = reply::reply(status, kind, body);
    set(&mut reply, "x-ms-error-code", &error.code);
    set(&mut reply, "x-ms-request-id", "00000000-0000-0000-0000-77627374626f");
    reply
}

fn xml(error: &ApiError) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{}</Code><Message>{}</Message></Error>",
        escape(&error.code),
        escape(&error.message)
    )
}

/// <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>
fn token(error: &ApiError) -> String {
    let code = match error.status {
        400..=403 => "invalid_client",
        _ => "temporarily_unavailable",
    };
    json!({ "error": code, "error_description": format!("AADSTS90033: {}", error.message) }).to_string()
}
