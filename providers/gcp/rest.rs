//! The JSON calls that Google's clients for Rust do not make: notification configurations, the service
//! agent's address, and policies of service accounts.

use std::sync::Arc;

use google_cloud_auth::credentials::{CacheableResource, Credentials};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Client, Method, Request, Url};
use crate::mutations::Mutations;
use crate::providers::gcp::failure::{self, Refusal};

/// The headers that credentials may ask for: the token, and the project whose quota counts
/// (cloud.google.com/docs/quotas/set-quota-project).
const CREDENTIAL_HEADERS: [&str; 3] = ["authorization", "x-goog-user-project", "x-goog-api-key"];

/// One JSON API of Google's.
#[derive(Clone, Debug)]
pub struct Rest {
    client: Client,
    home: Url,
    credentials: Credentials,
    mutations: Arc<Mutations>,
}

impl Rest {
    /// The API at `home`; the token of `credentials` is sent nowhere else.
    ///
    /// # Errors
    /// [`Kind::Failed`] when TLS cannot be set up.
    pub fn new(home: Url, credentials: Credentials, mutations: &Arc<Mutations>) -> Result<Self> {
        let mutations = Arc::clone(mutations);
        Ok(Self { client: Client::pinned(home.clone())?, home, credentials, mutations })
    }

    /// Where the API is, without a slash at the end.
    pub fn home(&self) -> &str {
        self.home.as_str().trim_end_matches('/')
    }

    /// Sends one call that changes something. `path` begins with a slash, its parts [escaped](segment).
    ///
    /// # Errors
    /// [`Kind::Transient`] when no answer comes, [`Kind::Credentials`] when no token can be had. What the
    /// server says is left to the caller.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        // Repeated, its last answer would hide what came of the first.
        let mut request = self.request(method, path).await?.repeatable(false);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        self.mutations.sent();
        let answer = self.client.send(&request).await?;
        self.mutations.answered(answer.status);
        Ok(answer)
    }

    /// Sends a call that only looks, whatever its method, and so may be sent again.
    ///
    /// # Errors
    /// As [`Rest::send`].
    pub async fn look(&self, method: Method, path: &str) -> Result<Answer> {
        let request = self.request(method, path).await?.repeatable(true);
        self.client.send(&request).await
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

/// The headers by which a call is made in the name of `credentials`. What the SDK's cache keeps is good
/// until it says otherwise, so each call asks it.
///
/// # Errors
/// [`Kind::Credentials`] when no token can be had.
pub async fn headers(credentials: &Credentials) -> Result<Vec<(&'static str, String)>> {
    let headers = match credentials.headers(Default::default()).await {
        Ok(CacheableResource::New { data, .. }) => data,
        Ok(CacheableResource::NotModified) => Default::default(),
        Err(error) => return Err(failure::credentials(&error)),
    };
    let value = |name: &'static str| Some((name, headers.get(name)?.to_str().ok()?.to_owned()));
    Ok(CREDENTIAL_HEADERS.into_iter().filter_map(value).collect())
}

/// `text` as one segment of a path.
pub fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// What a successful `answer` says; the refusal of any other.
///
/// # Errors
/// That of the server, explained for `permission` on `target`; [`Kind::Transient`] for an answer that is
/// cut off.
pub fn read<T: DeserializeOwned>(
    answer: &Answer,
    permission: &str,
    target: impl std::fmt::Display,
) -> Result<T> {
    if let Some(refusal) = Refusal::of_answer(answer) {
        return Err(refusal.explain(permission, target));
    }
    let html = answer.header("content-type").is_some_and(|kind| kind.contains("html"));
    if html {
        return Err(Refusal { html, http: answer.status, ..Refusal::default() }.explain(permission, target));
    }
    serde_json::from_slice(&answer.body).map_err(|error| {
        Error::new(Kind::Transient, format!("{permission} on {target}: the answer cannot be read"))
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
