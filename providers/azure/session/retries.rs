//! When a call is sent again, and how long is waited.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::HeaderName;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request, Url};

use crate::http::redact;
use crate::patience::{asked, is_fault, pause_after, wait};
use crate::text::clean;

/// Where a virtual machine's own identity is asked for (Azure Instance Metadata Service).
pub const METADATA_SERVICE: &str = "169.254.169.254";

/// Sends a call again after a fault of the network or of the server, in place of the SDK's own policy,
/// which waits in silence for as long as a server asks. Not for calls that change something in ARM.
#[derive(Debug)]
pub struct Retries;

#[async_trait]
impl Policy for Retries {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let mut tries = 0;
        loop {
            if tries > 0 {
                request.body_mut().reset().await?;
            }
            tries += 1;
            let result = next[0].send(context, request, &next[1..]).await;
            let (why, asked) = match &result {
                Ok(answer) => {
                    let (status, headers) = (u16::from(answer.status()), answer.headers());
                    let asked = asked(|name| headers.get_optional_str(&HeaderName::from_static(name)));
                    if !is_fault(status, asked) && !is_settling(request.url(), status) {
                        return result;
                    }
                    (format!("HTTP status {status}"), asked)
                }
                Err(error) if matches!(error.kind(), ErrorKind::Io | ErrorKind::Connection) => {
                    (clean(&error.to_string()), None)
                }
                Err(_) => return result,
            };
            match pause_after(tries, asked) {
                Some(pause) => {
                    wait(&format!("{} {}: {why}", request.method(), redact(request.url())), pause).await
                }
                None => return result,
            }
        }
    }
}

/// Whether the metadata service is being updated (Azure documentation, "How to use managed identities on
/// an Azure VM to acquire an access token", "Retry guidance").
fn is_settling(url: &Url, status: u16) -> bool {
    url.host_str() == Some(METADATA_SERVICE) && matches!(status, 404 | 410 | 429)
}
