//! How requests are sent: within limits of time and size, which Azure's crates have none of.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request, Transport};
use futures::StreamExt;
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::{Error, Kind, Result};
use crate::http::{CONNECT_WITHIN, Contacts, FIRST_BYTE_WITHIN, READ_WITHIN, Unread, WRITE_WITHIN, peer};

/// The largest answer that is read of ARM or a token endpoint, in bytes. Its pages have no limit; a thousand storage
/// accounts are about 4 MB.
const OF_CONTROL: usize = 8 << 20;
/// The largest answer of the account's data: a page of 5,000 blobs with names of the greatest length.
const OF_DATA: usize = 32 << 20;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plane {
    /// ARM, and the endpoints of tokens.
    Control,
    /// Blobs and queues.
    Data,
}

/// How requests to `plane` are sent. `contacts` notes who has answered.
pub(super) fn transport(plane: Plane, contacts: &Contacts) -> Result<Transport> {
    let inner = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_WITHIN)
        .build()
        .map_err(|error| Error::new(Kind::Failed, "set up the HTTP client").because(error))?;
    Ok(Transport::new(Arc::new(Limited { inner, plane, contacts: contacts.clone() })))
}

#[derive(Debug)]
struct Limited {
    inner: reqwest::Client,
    plane: Plane,
    contacts: Contacts,
}

impl Limited {
    /// How long is waited for the first byte of the response, and for all of it: much longer where the request
    /// changes something, because giving up leaves the outcome open. ARM completes some updates before it responds.
    fn patience(&self, request: &Request) -> (Duration, Duration) {
        let reads = match request.method() {
            Method::Get | Method::Head => true,
            // Tokens and keys; the only other is the registration of a resource provider.
            Method::Post => self.plane == Plane::Control && !request.url().path().ends_with("/register"),
            _ => false,
        };
        if reads { (FIRST_BYTE_WITHIN, READ_WITHIN) } else { (WRITE_WITHIN, WRITE_WITHIN) }
    }

    fn at_most(&self) -> usize {
        match self.plane {
            Plane::Control => OF_CONTROL,
            Plane::Data => OF_DATA,
        }
    }
}

#[async_trait]
impl HttpClient for Limited {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (first, all) = self.patience(request);
        let deadline = Instant::now() + all;
        let answer = timeout(first, HttpClient::execute_request(&self.inner, request)).await;
        let answer = answer.unwrap_or_else(|_| Err(unread(ErrorKind::Io, Unread::Late(first))))?;
        self.contacts.answered(peer(request.url()));
        let (status, headers, stream) = answer.deconstruct();
        let body = timeout_at(deadline, whole(stream, self.at_most())).await;
        // What began and does not end is not retried.
        let body = body.unwrap_or_else(|_| Err(unread(ErrorKind::Other, Unread::Late(all))))?;
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

async fn whole(
    mut stream: impl StreamExt<Item = azure_core::Result<azure_core::Bytes>> + Unpin,
    at_most: usize,
) -> azure_core::Result<Vec<u8>> {
    let mut body = vec![];
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if body.len() + chunk.len() > at_most {
            return Err(unread(ErrorKind::Other, Unread::TooLarge(at_most)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unread(kind: ErrorKind, why: Unread) -> azure_core::Error {
    azure_core::Error::new(kind, why)
}
