//! Errors of Google's gRPC clients. Goes with the last of them.

use std::fmt::Display;

use google_cloud_gax::error::Error as SdkError;
use google_cloud_gax::error::rpc::StatusDetails;

use super::{Refusal, credentials, root_cause};
use crate::error::{Error, Kind};
use crate::retry::asked;
use crate::text::clean;

impl Refusal {
    /// What the server said, where `error` comes from a server at all.
    pub(crate) fn of(error: &SdkError) -> Option<Self> {
        let http = error.http_status_code().unwrap_or(0);
        let header = |name| error.http_headers()?.get(name)?.to_str().ok();
        let mut refusal = match (error.status(), error.http_payload()) {
            (Some(status), _) => {
                let details = serde_json::to_value(&status.details).unwrap_or_default();
                let body = serde_json::json!({"error": {
                    "status": status.code.name(), "message": status.message, "details": details,
                }});
                let wait = status.details.iter().find_map(|detail| match detail {
                    StatusDetails::RetryInfo(info) => info.retry_delay?.try_into().ok(),
                    _ => None,
                });
                Self { retry_after: wait, ..Self::of_body(http, body.to_string().as_bytes()) }
            }
            (None, Some(body)) => Self::of_body(http, body),
            (None, None) if http != 0 => Self::of_body(http, b""),
            (None, None) => return None,
        };
        refusal.html |= header("content-type").is_some_and(|kind| kind.contains("html"));
        refusal.retry_after = refusal.retry_after.or_else(|| asked(header));
        Some(refusal)
    }

    pub(crate) fn changed_nothing(&self) -> bool {
        !self.html
            && !matches!(
                self.status.as_str(),
                "OK" | "UNKNOWN"
                    | "INTERNAL"
                    | "UNAVAILABLE"
                    | "DEADLINE_EXCEEDED"
                    | "CANCELLED"
                    | "DATA_LOSS"
            )
    }
}

pub(crate) fn failure(error: &SdkError, permission: &str, target: impl Display) -> Error {
    let call = format!("{permission} on {target}");
    match Refusal::of(error) {
        Some(refusal) => refusal.explain(permission, target),
        None if error.is_authentication() => credentials(error).context(call),
        None => Error::new(
            Kind::Transient,
            format!("{call}: cannot reach the endpoint: {}", clean(&root_cause(error))),
        )
        .hint("check the network, any proxy, and the endpoint variables, if any is set"),
    }
}

pub(crate) fn is_not_found(error: &SdkError) -> bool {
    Refusal::of(error).is_some_and(|refusal| refusal.is_not_found())
}
