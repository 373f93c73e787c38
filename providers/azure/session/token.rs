//! What a token endpoint answers that is no answer, and how often it is asked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::headers::HeaderName;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::explain::root_cause;
use crate::providers::azure::failure::links;

/// How long a failure to get a token is final: reads that wait for a token at the same time all fail with the first,
/// and a retry by the engine comes later.
const FINAL_FOR: Duration = Duration::from_secs(5);

/// Turns what a server in trouble, a proxy or a portal answers into a fault: without credentials Entra answers in
/// JSON, with a status below 500.
#[derive(Debug)]
pub(super) struct TokenAnswers;

#[async_trait]
impl Policy for TokenAnswers {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let answer = next[0].send(context, request, &next[1..]).await?;
        let kind = answer.headers().get_optional_str(&HeaderName::from_static("content-type"));
        let is_html = kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
        let status = u16::from(answer.status());
        if status < 500 && !matches!(status, 409 | 429) && !is_html {
            return Ok(answer);
        }
        let page = if is_html { ", a web page" } else { "" };
        let text = format!("the token endpoint returned HTTP status {status}{page}");
        Err(azure_core::Error::with_message(ErrorKind::Io, text))
    }
}

/// A credential whose failure is remembered for a moment.
pub(super) struct FailsOnce {
    inner: Arc<dyn TokenCredential>,
    failed: Mutex<Option<Failure>>,
}

struct Failure {
    at: Instant,
    /// Whether it is a fault of the network or the server.
    is_fault: bool,
    text: String,
}

impl FailsOnce {
    pub(super) fn new(inner: Arc<dyn TokenCredential>) -> Self {
        Self { inner, failed: Mutex::default() }
    }
}

impl fmt::Debug for FailsOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FailsOnce")
    }
}

impl Failure {
    fn error(&self) -> azure_core::Error {
        let kind = if self.is_fault { ErrorKind::Io } else { ErrorKind::Credential };
        azure_core::Error::with_message(kind, self.text.clone())
    }
}

#[async_trait]
impl TokenCredential for FailsOnce {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        // Held during the call, so that those who come meanwhile wait for its end.
        let mut failed = self.failed.lock().await;
        if let Some(failure) = failed.as_ref().filter(|failure| failure.at.elapsed() < FINAL_FOR) {
            return Err(azure_core::Error::with_error(
                ErrorKind::Credential,
                failure.error(),
                failure.text.clone(),
            ));
        }
        match self.inner.get_token(scopes, options).await {
            Ok(token) => {
                *failed = None;
                Ok(token)
            }
            Err(error) => {
                let is_fault =
                    links(&error).any(|error| matches!(error.kind(), ErrorKind::Connection | ErrorKind::Io));
                let text = if is_fault { root_cause(&error) } else { error.to_string() };
                *failed = Some(Failure { at: Instant::now(), is_fault, text });
                Err(error)
            }
        }
    }
}
