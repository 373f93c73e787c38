//! The preflight requests that a browser sends before it uploads.

use std::time::Duration;

use futures::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::{OperatorSite, OtherApi, PROBE_PREFIX, Run, Site, Verdict, failed, passed};
use crate::error::Result;
use crate::http::{Answer, Method, Request};
use crate::origin::Origin;

const METHODS: [&str; 3] = ["GET", "PUT", "HEAD"];
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// An origin that cannot exist: `.invalid` is reserved (RFC 2606).
const STRANGER: &str = "https://wbstore-probe.invalid";

impl<S: OperatorSite> Run<'_, S> {
    /// Asks for each method from each origin of the server, and once from another, all at the same time.
    ///
    /// # Errors
    /// When the endpoint cannot be reached.
    pub(super) async fn preflights(&self) -> Result<()> {
        let key = format!("{PROBE_PREFIX}preflight");
        let url = self.site.address(&key).await?;
        let other_api = self.site.other_api(&key);
        let asked: Vec<_> = self.pages().collect();
        let (allowed, stranger, other) = tokio::try_join!(
            try_join_all(asked.iter().map(|(origin, method)| self.allowed(&url, origin, method))),
            self.ask(&url, STRANGER, "PUT"),
            async {
                match &other_api {
                    Some(api) => self.allowed_by(api).await.map(Some),
                    None => Ok(None),
                }
            }
        )?;
        for ((origin, method), verdict) in asked.into_iter().zip(allowed) {
            self.checks.known(&self.preflight(origin, method), verdict);
        }
        self.checks.known("preflight other origin", refused::<S>(&stranger));
        if let (Some(api), Some(verdict)) = (other_api, other) {
            self.checks.known(api.check, verdict);
        }
        Ok(())
    }

    /// Each origin of the server with each method.
    fn pages(&self) -> impl Iterator<Item = (&Origin, &'static str)> {
        let origins = self.options.origins.iter();
        origins.flat_map(|origin| METHODS.map(|method| (origin, method)))
    }

    /// The name of the check; that of a server with one address has it in its detail only.
    fn preflight(&self, origin: &Origin, method: &str) -> String {
        match origin == self.options.origins.first() {
            true => format!("preflight {method}"),
            false => format!("preflight {method} from {origin}"),
        }
    }

    /// Whether a page of `origin` may use `method`. A rule that was just written may take a moment to apply, so a
    /// refusal is looked at again.
    async fn allowed(&self, url: &str, origin: &Origin, method: &str) -> Result<Verdict> {
        let check = self.preflight(origin, method);
        let origin = origin.to_string();
        let settles = S::PROFILE.cors_settles;
        let mut until = None;
        loop {
            let answer = self.ask(url, &origin, method).await?;
            let Some(why) = refusal::<S>(&answer, &origin, method) else {
                return Ok(passed(format!("allowed from {origin}")));
            };
            let until = *until.get_or_insert_with(|| {
                self.checks.begun(&check, settles);
                Instant::now() + settles
            });
            if Instant::now() >= until {
                return Ok(failed(
                    why,
                    format!(
                        "`wbstore plan {}` shows whether the CORS rule has changed; another rule that comes first \
                         may take precedence",
                        S::PROFILE.cloud
                    ),
                ));
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
    }

    async fn allowed_by(&self, api: &OtherApi) -> Result<Verdict> {
        let ask = |(origin, method): (&Origin, &'static str)| {
            let (url, origin) = (if method == "PUT" { &api.write } else { &api.read }, origin.to_string());
            async move {
                let answer = self.ask(url, &origin, method).await?;
                Ok(refusal::<S>(&answer, &origin, method).map(|why| format!("{method}: {why}")))
            }
        };
        let mut refusals = try_join_all(self.pages().map(ask)).await?.into_iter().flatten();
        Ok(refusals.next().map_or_else(|| passed(api.detail), |why| failed(why, api.hint)))
    }

    async fn ask(&self, url: &str, origin: &str, method: &str) -> Result<Answer> {
        let request = Request::new(Method::OPTIONS, url)?
            .header("Origin", origin)
            .header("Access-Control-Request-Method", method)
            .header("Access-Control-Request-Headers", S::PROFILE.headers.join(","));
        self.send(&request, false).await
    }
}

/// Why a browser would not send its request (the Fetch standard, "CORS-preflight fetch"). A success without
/// any CORS header is a refusal too.
fn refusal<S: Site>(answer: &Answer, origin: &str, method: &str) -> Option<String> {
    let headers = S::PROFILE.headers;
    if !answer.is_success() {
        return Some(format!("a page of {origin} is refused (HTTP status {})", answer.status));
    }
    if !allows_origin(answer, origin) {
        return Some(format!("{origin} is not allowed to {method} with the headers {}", headers.join(", ")));
    }
    let has =
        |name, member: &str| answer.list(name).any(|one| one == "*" || one.eq_ignore_ascii_case(member));
    if !has("access-control-allow-methods", method) {
        return Some(format!("{method} is not among the allowed methods"));
    }
    let missing = headers.iter().find(|header| !has("access-control-allow-headers", header))?;
    Some(format!("the header {missing} is not among the allowed headers"))
}

fn refused<S: Site>(answer: &Answer) -> Verdict {
    if answer.is_success() && allows_origin(answer, STRANGER) {
        return (S::PROFILE.every_origin)(
            "a page of any origin may upload with a presigned URL",
            format!("a CORS rule of {} allows `*`; remove it if it is not needed", S::PROFILE.cors_of),
        );
    }
    passed("refused")
}

/// Whether a page of `origin` may read `answer`.
pub(crate) fn allows_origin(answer: &Answer, origin: &str) -> bool {
    answer.header("access-control-allow-origin").is_some_and(|allowed| allowed == "*" || allowed == origin)
}
