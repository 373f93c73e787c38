//! How requests are sent: within limits of time and size, which the SDK has none of for a whole response.
//!
//! Every client of a session uses it, also those that find the credentials.

use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::explain::root_cause;
use crate::http::{
    ANSWER_AT_MOST, Contacts, FIRST_BYTE_WITHIN, READ_WITHIN, Unread, Url, WRITE_WITHIN, peer,
};

/// The SDK's own HTTP client with these limits.
pub(crate) fn http_client() -> SharedHttpClient {
    let sdk = Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = ConnectorBuilder::default()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.build()
    });
    let contacts = Contacts::default();
    http_client_fn(move |settings, components| {
        let inner = sdk.http_connector(settings, components);
        SharedHttpConnector::new(Limited { inner, contacts: contacts.clone() })
    })
}

#[derive(Debug)]
struct Limited {
    inner: SharedHttpConnector,
    contacts: Contacts,
}

impl HttpConnector for Limited {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (first, all) = patience(&request);
        let host = Url::parse(request.uri()).map(|url| peer(&url).to_owned()).unwrap_or_default();
        let contacts = self.contacts.clone();
        let begun = Instant::now();
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let late = |_| Err(ConnectorError::timeout(Unread::Late(first).into()));
            match timeout(first, answer).await.unwrap_or_else(late) {
                Ok(response) => {
                    contacts.answered(&host);
                    match timeout_at(begun + all, whole(response)).await {
                        Ok(response) => response,
                        Err(_) => Err(last(Unread::Late(all))),
                    }
                }
                // The SDK retries no error of this kind.
                Err(error) if contacts.are_given_up(&host, begun) => {
                    Err(ConnectorError::other(error.into_source(), None))
                }
                Err(error) => Err(error),
            }
        })
    }
}

/// How long is waited for the first byte of the response, and for all of it: much longer where the request
/// changes something, because giving up leaves the outcome open.
fn patience(request: &HttpRequest) -> (Duration, Duration) {
    let reads = match request.method() {
        "GET" | "HEAD" => true,
        // SQS names the operation in a header; STS, which has none, changes nothing; S3 has a query.
        "POST" => match request.headers().get("x-amz-target").and_then(|target| target.split('.').nth(1)) {
            Some(operation) => ["Get", "List", "Receive"].iter().any(|verb| operation.starts_with(verb)),
            None => !request.uri().contains('?'),
        },
        _ => false,
    };
    if reads { (FIRST_BYTE_WITHIN, READ_WITHIN) } else { (WRITE_WITHIN, WRITE_WITHIN) }
}

async fn whole(mut response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let mut stream = ByteStream::new(response.take_body());
    let mut body = vec![];
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| ConnectorError::io(Unread::Cut(root_cause(&error)).into()))?;
        if body.len() + chunk.len() > ANSWER_AT_MOST {
            return Err(last(Unread::TooLarge(ANSWER_AT_MOST)));
        }
        body.extend_from_slice(&chunk);
    }
    *response.body_mut() = SdkBody::from(body);
    Ok(response)
}

/// An error that is not retried.
fn last(why: Unread) -> ConnectorError {
    ConnectorError::other(why.into(), None)
}
