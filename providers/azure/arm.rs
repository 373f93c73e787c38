//! Azure Resource Manager: one pinned host, tokens, long-running operations.
//!
//! Calls that change something are never retried here: ARM may return 503 and carry them out (Z3). The engine
//! retries them through [`Arm::put`] and similar methods, which then poll the running operation instead of
//! starting another. After a kill the operation's URL is lost, and the next run reads the resource itself.

mod answer;
mod change;
mod operation;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use azure_core::http::policies::Policy;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{
    ClientOptions, Context, Method, Pipeline, PipelineSendOptions, Request, RetryOptions, Url,
};
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::http::{once_a_look, redact};
use crate::mutations::Mutations;
use crate::pages::Pages;
use crate::providers::azure::failure::{explain, failure, not_azure};
use crate::providers::azure::session::Retries;
use crate::resource::Address;

pub(crate) use answer::Answer;
pub(crate) use operation::Watch;

/// The versions of the REST API that we speak, one a provider.
pub(crate) mod version {
    /// Microsoft.Storage.
    pub(crate) const STORAGE: &str = "2024-01-01";
    /// Microsoft.EventGrid.
    pub(crate) const EVENT_GRID: &str = "2025-02-15";
    /// Locks of Microsoft.Authorization.
    pub(crate) const LOCKS: &str = "2020-05-01";
    /// Permissions of Microsoft.Authorization.
    pub(crate) const PERMISSIONS: &str = "2022-04-01";
    /// Subscriptions of Microsoft.Resources.
    pub(crate) const SUBSCRIPTIONS: &str = "2022-12-01";
    /// Resource groups and providers of Microsoft.Resources.
    pub(crate) const RESOURCES: &str = "2021-04-01";
}

/// The longest URL of an operation that ARM returns, in bytes (Z4).
const LONGEST_URL: usize = 4096;

/// What a call is for, as errors name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// The Azure action that it requires, such as `Microsoft.Storage/storageAccounts/write`.
    pub action: &'a str,
    /// What it is done to.
    pub target: &'a Address,
    /// The version of the API that it speaks, one of [`version`].
    pub version: &'static str,
}

/// Azure Resource Manager, as one identity sees it.
pub(crate) struct Arm {
    home: Url,
    reads: Pipeline,
    writes: Pipeline,
    /// What has been sent that changes something.
    pub mutations: Arc<Mutations>,
    /// The operations that this run began and that have not ended, by method and id of the
    /// resource.
    under_way: Mutex<HashMap<String, Watch>>,
}

impl Arm {
    /// ARM at `home`. `options` carry the transport; `token` is what signs each call.
    pub(crate) fn new(
        home: Url,
        options: &ClientOptions,
        retries: Retries,
        token: BearerTokenAuthorizationPolicy,
    ) -> Self {
        let token: Arc<dyn Policy> = Arc::new(token);
        let pipeline = |per_call_policies| {
            let options = ClientOptions { per_call_policies, retry: RetryOptions::none(), ..options.clone() };
            let (name, version) = (Some(env!("CARGO_PKG_NAME")), Some(env!("CARGO_PKG_VERSION")));
            Pipeline::new(name, version, options, vec![], vec![Arc::clone(&token)], None)
        };
        Self {
            home,
            reads: pipeline(vec![Arc::new(retries)]),
            writes: pipeline(vec![]),
            mutations: Arc::default(),
            under_way: Mutex::default(),
        }
    }

    /// Whether it is on this machine and without TLS, as an emulator is.
    pub(crate) fn is_plain(&self) -> bool {
        self.home.scheme() == "http"
    }

    /// Reads `path`. `None` if ARM reports that it does not exist.
    ///
    /// # Errors
    /// Those of the call; a 404 that does not come from ARM, or is about the subscription, is one.
    pub(crate) async fn get(&self, path: &str, call: Call<'_>) -> Result<Option<Value>> {
        let answer = self.once_a_look(self.url(path, call)?, call).await?;
        if answer.is_success() {
            return Ok(Some(readable(answer, call)?));
        }
        if is_absent(&answer) { Ok(None) } else { Err(explain(&answer, call.action, call.target)) }
    }

    /// As [`Arm::get`], for reads before any update: a resource that is being deleted counts as missing, and
    /// creating it again waits for the end of the deletion.
    ///
    /// # Errors
    /// Those of [`Arm::get`].
    pub(crate) async fn look(&self, path: &str, call: Call<'_>) -> Result<Option<Value>> {
        match self.get(path, call).await {
            Err(error) if error.kind() == Kind::NotYet => Ok(None),
            found => found,
        }
    }

    /// All members of the list at `path`; none if the parent does not exist.
    ///
    /// # Errors
    /// Those of the calls; [`Kind::Failed`] for a list without an end.
    pub(crate) async fn list(&self, path: &str, call: Call<'_>) -> Result<Vec<Value>> {
        let (mut members, mut pages) = (vec![], Pages::default());
        let mut url = self.url(path, call)?;
        loop {
            let answer = self.once_a_look(url.clone(), call).await?;
            if is_absent(&answer) {
                return Ok(members);
            }
            if !answer.is_success() {
                return Err(explain(&answer, call.action, call.target));
            }
            let bytes = answer.length();
            let mut page = readable(answer, call)?;
            let Value::Array(values) = page["value"].take() else {
                return Err(Error::new(
                    Kind::Failed,
                    format!("{} on {}: the response contains no list", call.action, call.target),
                ));
            };
            members.extend(values);
            match page["nextLink"].as_str() {
                None | Some("") => return Ok(members),
                Some(next) => {
                    url = self.pinned(next, call)?;
                    pages.turn(&url, bytes, call.action, call.target)?;
                }
            }
        }
    }

    /// Calls an action such as `checkNameAvailability`, which does no harm when it is called twice.
    ///
    /// # Errors
    /// Those of the call.
    pub(crate) async fn post(&self, path: &str, body: Option<&Value>, call: Call<'_>) -> Result<Value> {
        let answer = self.send(Method::Post, self.url(path, call)?, body, call).await?;
        if answer.is_success() {
            return readable(answer, call);
        }
        Err(explain(&answer, call.action, call.target))
    }

    /// Calls an action such as `listKeys`, which does no harm when it is called twice, and returns what `read`
    /// takes out of its answer. The rest is overwritten.
    ///
    /// # Errors
    /// Those of the call.
    pub(crate) async fn secret<T>(
        &self,
        path: &str,
        call: Call<'_>,
        read: impl FnOnce(&mut Value) -> T,
    ) -> Result<T> {
        let mut answer = self.send(Method::Post, self.url(path, call)?, None, call).await?;
        let read = match answer.is_success() {
            true => check(&answer, call).map(|()| read(&mut answer.body)),
            false => Err(explain(&answer, call.action, call.target)),
        };
        answer.wipe();
        read
    }

    /// As [`Arm::post`]; `None` if the resource does not exist.
    ///
    /// # Errors
    /// Those of the call.
    pub(crate) async fn ask(&self, path: &str, body: &Value, call: Call<'_>) -> Result<Option<Value>> {
        let answer = self.send(Method::Post, self.url(path, call)?, Some(body), call).await?;
        if answer.is_success() {
            return Ok(Some(readable(answer, call)?));
        }
        if is_absent(&answer) { Ok(None) } else { Err(explain(&answer, call.action, call.target)) }
    }

    /// Calls an action that changes something, such as `register`.
    ///
    /// # Errors
    /// Those of the call.
    pub(crate) async fn act(&self, path: &str, call: Call<'_>) -> Result<()> {
        self.mutations.sent();
        let answer = self.send(Method::Post, self.url(path, call)?, None, call).await?;
        self.mutations.answered(answer.status);
        if answer.is_success() {
            answer.require_arm(call)
        } else {
            Err(explain(&answer, call.action, call.target))
        }
    }

    /// What is at `url`, requested once by all that look at the same time.
    async fn once_a_look(&self, url: Url, call: Call<'_>) -> Result<Answer> {
        let at = url.to_string();
        let (pipeline, action, target) = (self.reads.clone(), call.action.to_owned(), call.target.clone());
        let read = async move { sent(&pipeline, request(Method::Get, url, None), &action, &target).await };
        once_a_look(&at, || Box::pin(read)).await
    }

    async fn send(&self, method: Method, url: Url, body: Option<&Value>, call: Call<'_>) -> Result<Answer> {
        let request = request(method, url, body);
        if matches!(method, Method::Get | Method::Post) {
            return sent(&self.reads, request, call.action, call.target).await;
        }
        self.mutations.sent();
        let answer = sent(&self.writes, request, call.action, call.target).await?;
        self.mutations.answered(answer.status);
        Ok(answer)
    }

    fn url(&self, path: &str, call: Call<'_>) -> Result<Url> {
        let mut url = self.home.clone();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        url.set_path(&format!("{}{path}", self.home.path().trim_end_matches('/')));
        url.set_query((!query.is_empty()).then_some(query));
        url.query_pairs_mut().append_pair("api-version", call.version);
        Ok(url)
    }

    /// `text`, a URL from a response, if it has ARM's own host: the token is sent to no other (S9).
    fn pinned(&self, text: &str, call: Call<'_>) -> Result<Url> {
        let Call { action, target, .. } = call;
        let url = Url::parse(text).map_err(|error| {
            Error::new(Kind::Failed, format!("{action} on {target}: Azure returned an invalid URL"))
                .because(error)
        })?;
        if url.origin() != self.home.origin() {
            return Err(Error::refused(format!(
                "{action} on {target}: the response refers to a host other than {}, to which the token is \
                 not sent",
                redact(&self.home)
            ))
            .hint("check --arm-endpoint and any proxy"));
        }
        if text.len() > LONGEST_URL {
            return Err(Error::new(
                Kind::Failed,
                format!("{action} on {target}: Azure returned a URL of more than {LONGEST_URL} bytes"),
            ));
        }
        Ok(url)
    }
}

fn request(method: Method, url: Url, body: Option<&Value>) -> Request {
    let mut request = Request::new(dressed(url), method);
    request.insert_header("accept", "application/json");
    if let Some(body) = body {
        request.insert_header("content-type", "application/json");
        request.set_body(body.to_string());
    }
    request
}

async fn sent(pipeline: &Pipeline, mut request: Request, action: &str, target: &Address) -> Result<Answer> {
    let options = PipelineSendOptions { skip_checks: true, ..PipelineSendOptions::default() };
    let raw = pipeline.send(&Context::new(), &mut request, Some(options)).await;
    raw.map(Answer::from).map_err(|error| failure(error, action, target))
}

/// `url` with https, which the SDK requires; [`Plain`](super::session::Plain) reverts that for endpoints of
/// this machine.
pub(super) fn dressed(mut url: Url) -> Url {
    // Both schemes are special, so this cannot fail.
    let _ = url.set_scheme("https");
    url
}

fn readable(answer: Answer, call: Call<'_>) -> Result<Value> {
    check(&answer, call).map(|()| answer.body)
}

fn check(answer: &Answer, call: Call<'_>) -> Result<()> {
    if answer.body.is_object() && !answer.is_html() {
        return Ok(());
    }
    let Call { action, target, .. } = call;
    let error =
        Error::new(Kind::Transient, format!("{action} on {target}: the response is not a JSON object"));
    Err(if answer.is_html() { not_azure(answer, action, target) } else { error })
}

/// Whether ARM reports that something does not exist. A missing subscription, and a 404 without a code of
/// ARM, do not count. A provider that is not registered has no resources, and neither has an account that is
/// still being created.
fn is_absent(answer: &Answer) -> bool {
    let code = answer.said().code;
    match answer.status {
        404 => !matches!(
            code.as_str(),
            "" | "SubscriptionNotFound"
                | "InvalidSubscriptionId"
                | "InvalidResourceNamespace"
                | "InvalidResourceType"
        ),
        409 => matches!(
            code.as_str(),
            "MissingSubscriptionRegistration"
                | "SubscriptionNotRegistered"
                | "StorageAccountIsNotProvisioned"
                | "AccountBeingCreated"
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
