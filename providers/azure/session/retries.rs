//! When a call is sent again, and how long is waited.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::HeaderName;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Context, Request, Url};

use crate::http::{Contacts, peer, redact};
use crate::retry::{Fault, asked, is_fault, repeat, repeat_for_credentials};
use crate::text::clean;

/// The endpoint for a virtual machine's own identity (Azure Instance Metadata Service).
pub(super) const METADATA_SERVICE: &str = "169.254.169.254";

/// Retries a call after a fault of the network or of the server, in place of the SDK's own policy, which
/// waits without a message for as long as a server requests. Not for calls that change something in ARM.
#[derive(Clone, Debug, Default)]
pub(crate) struct Retries {
    /// Who has answered.
    pub(super) contacts: Contacts,
    for_tokens: bool,
}

impl Retries {
    /// The same for the requests of a credential.
    pub(super) fn for_tokens(&self) -> Self {
        Self { for_tokens: true, ..self.clone() }
    }
}

#[async_trait]
impl Policy for Retries {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let call = format!("{} {}", request.method(), redact(request.url()));
        let send = || {
            let mut request = request.clone();
            async move {
                request.body_mut().reset().await?;
                next[0].send(context, &mut request, &next[1..]).await
            }
        };
        let fault = |result: &azure_core::Result<AsyncRawResponse>| match result {
            Ok(answer) => {
                let (status, headers) = (u16::from(answer.status()), answer.headers());
                let asked = asked(|name| headers.get_optional_str(&HeaderName::from_static(name)));
                // A conflict is none with anything that a request for a token does.
                let busy = self.for_tokens && matches!(status, 409 | 429);
                (busy || is_fault(status, asked) || is_settling(request.url(), status))
                    .then(|| Fault::new(format!("{call}: HTTP status {status}"), asked))
            }
            Err(error) if matches!(error.kind(), ErrorKind::Io | ErrorKind::Connection) => {
                let within = self.contacts.patience(peer(request.url()));
                Some(Fault { within, ..Fault::new(format!("{call}: {}", clean(&error.to_string())), None) })
            }
            Err(_) => None,
        };
        if self.for_tokens {
            return repeat_for_credentials(send, fault).await;
        }
        repeat(send, fault).await
    }
}

/// Whether the metadata service is being updated (Azure documentation, "How to use managed identities on
/// an Azure VM to acquire an access token", "Retry guidance").
fn is_settling(url: &Url, status: u16) -> bool {
    url.host_str() == Some(METADATA_SERVICE) && matches!(status, 404 | 410 | 429)
}
