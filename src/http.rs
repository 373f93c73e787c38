//! The HTTP client for calls without an SDK.
//!
//! Redirects are never followed, as they would carry a token or a signature to a host that the server
//! chose. Everything has a time limit, responses have a size limit, and no error shows a query that
//! could hold a secret.

mod contacts;
mod reads;

use std::time::{Duration, Instant};

#[cfg(feature = "check")]
pub(crate) use reqwest::Certificate;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};
pub(crate) use reqwest::{Method, Url};

use crate::error::{Error, Kind, Result};
use crate::explain::root_cause;
use crate::retry::{Fault, LONGEST_WAIT, asked, is_fault, repeat};
use crate::text::clean;

pub(crate) use contacts::{Contacts, FIRST_CONTACT_WITHIN, peer};
pub(crate) use reads::{Reads, Shareable, once_a_look};

/// The longest that a connection may take, so that three tries fit into [`FIRST_CONTACT_WITHIN`].
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The longest until an answer to a read begins.
pub(crate) const FIRST_BYTE_WITHIN: Duration = Duration::from_secs(15);
/// The longest until an answer to a read is complete.
pub(crate) const READ_WITHIN: Duration = Duration::from_secs(30);
/// The longest until an answer to a write is complete: it was sent, and giving up leaves its outcome open.
pub(crate) const WRITE_WITHIN: Duration = Duration::from_secs(60);
/// The largest answer that is read, in bytes. Ours are documents of a few kilobytes; a page of a thousand keys
/// of the greatest length is less than 4 MB.
pub(crate) const ANSWER_AT_MOST: usize = 4 << 20;
/// The query keys whose values identify the operation and grant nothing.
const SHOWN_KEYS: [&str; 14] = [
    "alt",
    "api-version",
    "comp",
    "delimiter",
    "fields",
    "generation",
    "prefix",
    "project",
    "restype",
    "uploadType",
    "versionId",
    "versions",
    "X-Amz-Expires",
    "x-id",
];

/// A client; cheap to clone, and its connections are shared by the clones.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    inner: reqwest::Client,
    home: Option<Url>,
    contacts: Contacts,
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: Method,
    url: Url,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    repeatable: bool,
}

/// Why a response was not read.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// It exceeds a limit, in bytes.
    #[error("the response is larger than {0} bytes")]
    TooLarge(usize),
    /// It did not come, or was not complete, in time.
    #[error("timed out after {} s", .0.as_secs())]
    Late(Duration),
    /// The connection broke.
    #[error("the response was cut off: {0}")]
    Cut(String),
}

/// A response, whatever the status.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// How often the call was sent, this answer being to the last.
    pub tries: u32,
    headers: HeaderMap,
}

impl Request {
    /// A call of `method` on `url`.
    ///
    /// # Errors
    /// [`Kind::Failed`] when `url` is none.
    pub(crate) fn new(method: Method, url: &str) -> Result<Self> {
        // The text is not part of the message: it may contain a signature.
        let url = Url::parse(url).map_err(|error| Error::new(Kind::Failed, "read a URL").because(error))?;
        // Where sending it twice is the same as once (RFC 9110, section 9.2.2).
        let repeatable =
            [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE].contains(&method);
        Ok(Self { method, url, headers: vec![], body: vec![], repeatable })
    }

    /// Sets whether it may be sent twice, where that does not follow from the method.
    #[must_use]
    pub(crate) fn repeatable(self, repeatable: bool) -> Self {
        Self { repeatable, ..self }
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn build(&self) -> Result<reqwest::Request> {
        let mut request = reqwest::Request::new(self.method.clone(), self.url.clone());
        for (name, value) in &self.headers {
            let mut value = HeaderValue::from_str(value).map_err(|error| {
                Error::new(
                    Kind::Failed,
                    format!("{self}: the header {name} has a value that HTTP cannot carry"),
                )
                .because(error)
            })?;
            value.set_sensitive(name.eq_ignore_ascii_case("authorization"));
            request.headers_mut().append(*name, value);
        }
        let has_content = self.method == Method::PUT || self.method == Method::POST;
        if has_content && self.body.is_empty() {
            // Without a body hyper writes no length, and Google's front end rejects a POST without one (B20).
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        if !self.body.is_empty() || has_content {
            *request.body_mut() = Some(self.body.clone().into());
        }
        *request.timeout_mut() = Some(if self.only_reads() { READ_WITHIN } else { WRITE_WITHIN });
        Ok(request)
    }

    fn only_reads(&self) -> bool {
        [Method::GET, Method::HEAD, Method::OPTIONS].contains(&self.method)
    }
}

#[cfg(test)]
impl Request {
    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn header_value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(one, _)| *one == name).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, redact(&self.url))
    }
}

impl Answer {
    /// A response without a server, for tests.
    #[cfg(test)]
    pub(crate) fn new(
        status: u16,
        headers: impl IntoIterator<Item = (&'static str, &'static str)>,
        body: &str,
    ) -> Self {
        let headers =
            headers.into_iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        Self { status, headers: headers.collect(), body: body.into(), tries: 1 }
    }

    /// The header `name`, where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The comma-separated members of all headers `name`, without spaces around them.
    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(str::trim).filter(|member| !member.is_empty())
    }

    /// Whether the status is one of success.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The server's `Retry-After`.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        asked(|name| self.header(name))
    }

    /// Where this is a [fault](is_fault) that may pass: the server's `Retry-After`.
    fn fault(&self) -> Option<Option<Duration>> {
        let asked = self.retry_after();
        is_fault(self.status, asked).then_some(asked)
    }
}

impl Client {
    /// A client for URLs that carry their own permission, such as presigned ones.
    ///
    /// # Errors
    /// [`Kind::Failed`] when TLS cannot be set up.
    pub(crate) fn new() -> Result<Self> {
        Self::of(Self::builder())
    }

    fn builder() -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .user_agent(concat!("wbstore/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
    }

    fn of(builder: reqwest::ClientBuilder) -> Result<Self> {
        let built = builder.build();
        let inner =
            built.map_err(|error| Error::new(Kind::Failed, "set up the HTTP client").because(error))?;
        Ok(Self { inner, home: None, contacts: Contacts::default() })
    }

    /// A client that sends nothing to any other scheme, host or port than those of `home`: for calls
    /// with a token, where a URL in a response could point to another host.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub(crate) fn pinned(home: Url) -> Result<Self> {
        Ok(Self { home: Some(home), ..Self::new()? })
    }

    /// The same with a connection for each call under way. Over HTTP/2 all calls share one, and a server allows about a
    /// hundred at once there.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub(crate) fn with_a_connection_each(&self) -> Result<Self> {
        let Self { home, contacts, .. } = self.clone();
        Ok(Self { home, contacts, ..Self::of(Self::builder().http1_only())? })
    }

    /// A client like [`Client::new`] that trusts `certificates` besides those of the system.
    ///
    /// # Errors
    /// As [`Client::new`].
    #[cfg(feature = "check")]
    pub(crate) fn trusting(certificates: Vec<Certificate>) -> Result<Self> {
        Self::of(Self::builder().tls_certs_merge(certificates))
    }

    /// Sends `request`. A call that may be sent twice is repeated after a fault of the network or the
    /// server, a few times and with the wait that the server asks for. The final response
    /// is left to the caller.
    ///
    /// # Errors
    /// [`Kind::Transient`] when there is no complete response; [`Kind::Throttled`] when the server requests
    /// a longer wait than allowed; [`Kind::Refused`] for a host that the client is not pinned to; [`Kind::Failed`]
    /// for a response over the size limit.
    pub(crate) async fn send(&self, request: &Request) -> Result<Answer> {
        if let Some(home) = &self.home
            && home.origin() != request.url.origin()
        {
            return Err(Error::refused(format!(
                "{request}: the server redirected to a host other than {}; the token was not sent there",
                redact(home)
            )));
        }
        if !request.repeatable {
            return self.once(request).await;
        }
        let mut tries = 0;
        let send = || {
            tries += 1;
            async move {
                let mut answer = self.once(request).await?;
                answer.tries = tries;
                match answer.fault() {
                    Some(Some(asked)) if asked > LONGEST_WAIT => {
                        Err(Error::new(Kind::Throttled, failed(request, &answer)).retry_after(asked))
                    }
                    _ => Ok(answer),
                }
            }
        };
        repeat(send, |result| match result {
            Ok(answer) => Some(Fault::new(failed(request, answer), answer.fault()?)),
            Err(error) if error.kind() == Kind::Transient => {
                Some(Fault { within: error.budget(), ..Fault::new(error.chain(), None) })
            }
            Err(_) => None,
        })
        .await
    }

    async fn once(&self, request: &Request) -> Result<Answer> {
        let begun = Instant::now();
        let result =
            self.exchange(request).await.map_err(|error| match self.contacts.patience(peer(&request.url)) {
                Some(patience) if error.kind() == Kind::Transient => error.within(patience),
                _ => error,
            });
        tracing::info!(
            method = %request.method,
            host = request.url.host_str().unwrap_or_default(),
            path = request.url.path(),
            status = result.as_ref().map_or(0, |answer| answer.status),
            took_ms = begun.elapsed().as_millis(),
            "request"
        );
        result
    }

    async fn exchange(&self, request: &Request) -> Result<Answer> {
        let broken = |error: reqwest::Error| {
            let what = if error.is_timeout() { "no response in time" } else { "cannot reach the server" };
            // Its own text names the whole URL.
            Error::new(Kind::Transient, format!("{request}: {what}"))
                .because(clean(&root_cause(&error.without_url())))
                .hint("check the network and any proxy")
        };
        let sent = self.inner.execute(request.build()?);
        let within = if request.only_reads() { FIRST_BYTE_WITHIN } else { WRITE_WITHIN };
        let begun = tokio::time::timeout(within, sent).await.map_err(|_| {
            Error::new(Kind::Transient, format!("{request}: no response within {} s", within.as_secs()))
                .hint("check the network and any proxy")
        })?;
        let mut response = begun.map_err(broken)?;
        self.contacts.answered(peer(&request.url));
        let mut body = vec![];
        // A body that was not complete in time is not requested again.
        let incomplete = |error: reqwest::Error| match error.is_timeout() {
            true => broken(error).within(READ_WITHIN),
            false => broken(error),
        };
        while let Some(chunk) = response.chunk().await.map_err(incomplete)? {
            if body.len() + chunk.len() > ANSWER_AT_MOST {
                return Err(Error::new(
                    Kind::Failed,
                    format!("{request}: {}", Unread::TooLarge(ANSWER_AT_MOST)),
                )
                .hint("another server may have responded; check the endpoint and any proxy"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body,
            tries: 1,
        })
    }
}

fn failed(request: &Request, answer: &Answer) -> String {
    format!("{request}: HTTP status {}", answer.status)
}

/// `url` as it may be shown: scheme, host, port and path, and of the query only what is known to be
/// harmless. An ellipsis stands for the rest.
pub(crate) fn redact(url: &Url) -> String {
    let mut shown = url.clone();
    // These fail for URLs without a host, which have neither.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    shown.set_query(None);
    let mut text = clean(shown.as_str());
    let mut separator = '?';
    let mut hidden = false;
    for (key, value) in url.query_pairs() {
        if SHOWN_KEYS.contains(&key.as_ref()) {
            text.extend([separator]);
            text.extend(url::form_urlencoded::byte_serialize(key.as_bytes()));
            text.extend(["="]);
            text.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
            separator = '&';
        } else {
            hidden = true;
        }
    }
    if hidden {
        text.extend([separator, '…']);
    }
    text
}

#[cfg(test)]
mod tests;
