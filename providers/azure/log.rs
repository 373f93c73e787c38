//! Logs every request with `--verbose`: method, host and path, what came back and how long it took.
//! Headers, bodies and queries are never logged.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use azure_core::http::headers::HeaderName;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");

/// Writes one record an attempt.
#[derive(Debug)]
pub(crate) struct RequestLog;

#[async_trait]
impl Policy for RequestLog {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let begun = Instant::now();
        let result = next[0].send(context, request, &next[1..]).await;
        let (status, id) = match &result {
            Ok(response) => (
                u16::from(response.status()),
                response.headers().get_optional_str(&REQUEST_ID).unwrap_or_default(),
            ),
            Err(_) => (0, ""),
        };
        tracing::info!(
            method = %request.method(),
            host = request.url().host_str().unwrap_or_default(),
            path = request.url().path(),
            status,
            took_ms = begun.elapsed().as_millis(),
            request_id = id,
            "request"
        );
        result
    }
}
