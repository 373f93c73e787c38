//! The JSON APIs of Google Cloud. Every call of a run uses this module, so that all of them use the same
//! proxy variables and error messages.

use std::fmt::{self, Display};
use std::sync::Arc;

use futures::future::FutureExt as _;
use google_cloud_auth::credentials::{CacheableResource, Credentials};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use crate::error::{Error, Kind, Result};
use crate::http::{
    Answer, Client, FIRST_BYTE_WITHIN, FIRST_CONTACT_WITHIN, Method, Request, Unread, Url, once_a_look,
};
use crate::mutations::Mutations;
use crate::pages::Pages;
use crate::providers::gcp::failure::{self, LOG_IN, Refusal};
use crate::retry;
use crate::secret::Secret;

/// The headers that credentials may ask for: the token, and the project whose quota counts
/// (cloud.google.com/docs/quotas/set-quota-project).
const CREDENTIAL_HEADERS: [&str; 3] = ["authorization", "x-goog-user-project", "x-goog-api-key"];

/// One JSON API of Google's.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    client: Client,
    home: Url,
    credentials: Authority,
    mutations: Arc<Mutations>,
}

/// What authenticates calls.
#[derive(Clone)]
pub(crate) enum Authority {
    Library(Credentials),
    /// An access token of an impersonated account, which outlives the run.
    Impersonated(Arc<Secret>),
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Library(_) => "Library",
            Self::Impersonated(_) => "Impersonated",
        })
    }
}

impl Rest {
    /// The API at `home`; the token of `credentials` is sent nowhere else.
    ///
    /// # Errors
    /// [`Kind::Failed`] when TLS cannot be set up.
    pub(crate) fn new(home: Url, credentials: Authority, mutations: &Arc<Mutations>) -> Result<Self> {
        let mutations = Arc::clone(mutations);
        Ok(Self { client: Client::pinned(home.clone())?, home, credentials, mutations })
    }

    /// The same for many calls at once.
    ///
    /// # Errors
    /// As [`Rest::new`].
    pub(crate) fn for_many_at_once(&self) -> Result<Self> {
        Ok(Self { client: self.client.with_a_connection_each()?, ..self.clone() })
    }

    /// Where the API is, without a slash at the end.
    pub(crate) fn home(&self) -> &str {
        self.home.as_str().trim_end_matches('/')
    }

    /// Sends one call that changes something. `path` begins with a slash, its parts [escaped](segment).
    ///
    /// # Errors
    /// [`Kind::Transient`] without a response, [`Kind::Credentials`] without a token. The caller interprets
    /// the response.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        // If it were retried, the last response would hide the result of the first.
        let mut request = self.request(method, path).await?.repeatable(false);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        self.mutations.sent();
        let answer = self.client.send(&request).await?;
        self.mutations.answered(answer.status);
        Ok(answer)
    }

    /// As [`Rest::look`], of a POST with `body`, such as one for a signature.
    ///
    /// # Errors
    /// As [`Rest::send`].
    pub(crate) async fn ask(&self, path: &str, body: &Value) -> Result<Answer> {
        let request = self.request(Method::POST, path).await?.repeatable(true);
        self.client.send(&request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// Sends a call of the XML API, whose `body` is text.
    ///
    /// # Errors
    /// As [`Rest::send`].
    pub(crate) async fn send_text(&self, method: Method, path: &str, body: &str) -> Result<Answer> {
        let request = self.request(method, path).await?.repeatable(false);
        self.client.send(&request.header("content-type", "text/plain").body(body)).await
    }

    /// Sends a read-only call, whatever its method, which may therefore be retried.
    ///
    /// # Errors
    /// As [`Rest::send`].
    pub(crate) async fn look(&self, method: Method, path: &str) -> Result<Answer> {
        let mut request = self.request(method.clone(), path).await?.repeatable(true);
        if method == Method::POST {
            // Google's front end rejects a POST without body and length (B20).
            request = request.header("content-type", "application/json").body("{}");
        }
        self.client.send(&request).await
    }

    /// As [`Rest::send`], for a call whose response has no content. The outer error is one without a
    /// response.
    ///
    /// # Errors
    /// As [`Rest::send`].
    pub(crate) async fn write(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<std::result::Result<(), Refusal>> {
        let answer = self.send(method, path, body).await?;
        Ok(Refusal::of_answer(&answer).map_or(Ok(()), Err))
    }

    /// What is at `path`; `None` only if the API reports that it does not exist.
    ///
    /// # Errors
    /// As [`Rest::send`], and [`read`].
    pub(crate) async fn find<T: DeserializeOwned>(
        &self,
        path: &str,
        permission: &str,
        target: impl Display,
    ) -> Result<Option<T>> {
        found(&self.once_a_look(path).await?, permission, target)
    }

    /// As [`Rest::find`], however often a look asks.
    ///
    /// # Errors
    /// As [`Rest::find`].
    pub(crate) async fn find_again<T: DeserializeOwned>(
        &self,
        path: &str,
        permission: &str,
        target: impl Display,
    ) -> Result<Option<T>> {
        found(&self.look(Method::GET, path).await?, permission, target)
    }

    /// Gives `each` the members of the list at `path`, which ends in a query: those in the field `named` of each page.
    ///
    /// # Errors
    /// As [`Rest::find`], after the members of the pages before.
    pub(crate) async fn list(
        &self,
        path: &str,
        named: &str,
        permission: &str,
        target: impl Display,
        mut each: impl FnMut(Value),
    ) -> Result<()> {
        let (mut token, mut pages) = (String::new(), Pages::default());
        loop {
            let next = format!("{path}&pageToken={}", segment(&token));
            let path = if token.is_empty() { path } else { &next };
            let (mut page, bytes): (Value, _) = retry::page(|| async {
                let answer = match token.as_str() {
                    "" => self.once_a_look(path).await?,
                    _ => self.look(Method::GET, path).await?,
                };
                Ok((read(&answer, permission, &target)?, answer.body.len()))
            })
            .await?;
            if let Value::Array(members) = page[named].take() {
                members.into_iter().for_each(&mut each);
            }
            match page["nextPageToken"].as_str() {
                None | Some("") => return Ok(()),
                Some(next) => {
                    pages.turn(next, bytes, permission, &target)?;
                    token = next.to_owned();
                }
            }
        }
    }

    /// As [`Rest::look`] of a GET, of what several resources read, or a provider ahead of them.
    ///
    /// # Errors
    /// As [`Rest::send`].
    pub(crate) async fn once_a_look(&self, path: &str) -> Result<Answer> {
        let (rest, own) = (self.clone(), path.to_owned());
        let read = || async move { rest.look(Method::GET, &own).await }.boxed();
        once_a_look(&format!("{}{path}", self.home()), read).await
    }

    async fn request(&self, method: Method, path: &str) -> Result<Request> {
        let mut request =
            Request::new(method, &format!("{}{path}", self.home()))?.header("accept", "application/json");
        for (name, value) in headers(&self.credentials).await? {
            request = request.header(name, value);
        }
        Ok(request)
    }
}

/// The headers that authenticate a call with `credentials`. The SDK caches and renews them, so every call
/// requests them again.
///
/// # Errors
/// [`Kind::Credentials`] without a token.
pub(crate) async fn headers(authority: &Authority) -> Result<Vec<(&'static str, String)>> {
    let credentials = match authority {
        Authority::Library(credentials) => credentials,
        Authority::Impersonated(token) => {
            return Ok(vec![("authorization", format!("Bearer {}", token.reveal()))]);
        }
    };
    // The library has no limit for the whole, and retries.
    let headers = timeout(FIRST_BYTE_WITHIN, credentials.headers(Default::default())).await;
    let headers = match headers.map_err(|_| {
        Error::new(Kind::Transient, "failed to get a token with the Google credentials")
            .because(Unread::Late(FIRST_BYTE_WITHIN))
            .within(FIRST_CONTACT_WITHIN)
            .hint(format!("check the network and any proxy; if no credentials are configured, {LOG_IN}"))
    })? {
        Ok(CacheableResource::New { data, .. }) => data,
        Ok(CacheableResource::NotModified) => Default::default(),
        Err(error) => return Err(failure::credentials(&error)),
    };
    let value = |name: &'static str| Some((name, headers.get(name)?.to_str().ok()?.to_owned()));
    Ok(CREDENTIAL_HEADERS.into_iter().filter_map(value).collect())
}

/// `text` as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// As [`read`]; `None` if the API reports that it does not exist.
///
/// # Errors
/// As [`read`].
pub(crate) fn found<T: DeserializeOwned>(
    answer: &Answer,
    permission: &str,
    target: impl Display,
) -> Result<Option<T>> {
    if Refusal::of_answer(answer).is_some_and(|refusal| refusal.is_not_found()) {
        return Ok(None);
    }
    read(answer, permission, target).map(Some)
}

/// The body of a successful `answer`; otherwise its error.
///
/// # Errors
/// That of the server, explained for `permission` on `target`; [`Kind::Transient`] for an answer that is
/// cut off.
pub(crate) fn read<T: DeserializeOwned>(
    answer: &Answer,
    permission: &str,
    target: impl Display,
) -> Result<T> {
    if let Some(refusal) = Refusal::of_answer(answer) {
        return Err(refusal.explain(permission, target));
    }
    serde_json::from_slice(&answer.body).map_err(|error| {
        Error::new(Kind::Transient, format!("{permission} on {target}: the response cannot be read"))
            .because(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one() {
        assert_eq!(segment("a/b c?d"), "a%2Fb%20c%3Fd");
        assert_eq!(segment("acme-1_x.y"), "acme-1_x.y");
    }

    #[test]
    fn a_page_is_no_answer() {
        let page = Answer::new(200, [("content-type", "text/html")], "<html>");
        let error = read::<Value>(&page, "storage.buckets.get", "x").unwrap_err();
        assert!(error.to_string().contains("web page"), "{error}");
        let cut = read::<Value>(&Answer::new(200, [], "{\"a\":"), "storage.buckets.get", "x").unwrap_err();
        assert_eq!(cut.kind(), Kind::Transient);
    }
}
