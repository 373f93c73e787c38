//! What is proved of a store of which nothing can be looked up: every call of a page and of the server.

use super::node::NodeCall;
use super::preflight::allows_origin;
use super::probe::CONTENT;
use super::{
    Check, CheckSender, Checks, NodeSite, OperatorSite, Run, Settings, Signed, Verdict, VerifyOptions,
    failed, inconclusive, passed, unless_cancelled,
};
use crate::error::Result;
use crate::http::{Answer, Method, Request};

/// The names of objects that stores and the proxies before them get wrong. W&B's own `wandb verify` uses the third.
const NAMES: [&str; 4] = ["with space.txt", "with+plus.txt", "HT%3ML .txt", "größe-語.txt"];

/// The part that is read of an object, in bytes.
const PART: usize = 10;

/// A [`Site`](super::Site) that can only be proved by use, with one key for everything.
pub(crate) trait StoreSite: OperatorSite + NodeSite {
    /// What holds of the endpoint as a whole, in order.
    ///
    /// # Errors
    /// Those that prevent all checks.
    fn basics(&mut self) -> impl Future<Output = Result<Vec<Check>>> + Send;

    /// Permits a HEAD of `key`, as the server does it.
    ///
    /// # Errors
    /// When it cannot be signed.
    fn sign_head(&mut self, key: &str) -> impl Future<Output = Result<Signed>> + Send;
}

/// Verifies `site`, as [`verify`](super::verify) does. The names of the checks end with `place`, where there are several.
///
/// # Errors
/// As [`verify`](super::verify).
pub(crate) async fn verify_store<S: StoreSite>(
    mut site: S,
    options: &VerifyOptions,
    checks: CheckSender,
    place: Option<&str>,
) -> Result<()> {
    let checks =
        Checks { sender: checks, place: place.map(|place| format!(" ({place})")).unwrap_or_default() };
    let basics = unless_cancelled(options, site.basics()).await?;
    basics.into_iter().for_each(|Check { name, verdict }| checks.known(&name, verdict));
    let Settings { public, subscription: _, reader, settling: _, kept_by } =
        unless_cancelled(options, site.settings()).await?;
    checks.known("not public", public);
    reader.into_iter().for_each(|Check { name, verdict }| checks.known(&name, verdict));
    let mut run = Run { kept_by, ..Run::new(site, options, checks) };
    let outcome = unless_cancelled(options, run.prove_store()).await;
    if let Some(verdict) = run.cleanup().await {
        run.checks.known("cleanup", verdict);
    }
    outcome
}

fn unreadable(origin: &str, method: &Method) -> Verdict {
    failed(
        format!("a page of {origin} cannot read the answer to its {method}"),
        "the CORS rule must apply to answers too, not to preflights only: check any proxy before the store",
    )
}

impl<S: StoreSite> Run<'_, S> {
    async fn prove_store(&mut self) -> Result<()> {
        self.preflights().await?;
        let (uploaded, etag) = self.upload_as_server().await?;
        self.checks.known("upload", uploaded);
        let stored = etag.as_ref().and_then(|_| self.sent.last()).map(|probe| probe.key.clone());
        let nothing = || inconclusive("nothing was uploaded");
        self.checks.known("ETag exposed", etag.unwrap_or_else(nothing));
        self.calls(stored.as_deref()).await?;
        let Some(key) = stored else {
            for check in ["CORS of answers", "range", "keys", "anonymous read", "delete"] {
                self.checks.known(check, nothing());
            }
            return Ok(());
        };
        let answers = self.cors_of_answers(&key).await?;
        self.checks.known("CORS of answers", answers);
        let range = self.range(&key).await?;
        self.checks.known("range", range);
        let anonymous = self.read_anonymously().await?;
        self.checks.known("anonymous read", anonymous);
        let keys = self.keys().await?;
        self.checks.known("keys", keys);
        let deleted = self.deleted(&key).await?;
        self.checks.known("delete", deleted);
        Ok(())
    }

    /// Whether a page may read the answers themselves: stores that answer every preflight leave the headers out here.
    async fn cors_of_answers(&mut self, key: &str) -> Result<Verdict> {
        let origins = &self.options.origins;
        for origin in origins.iter().map(ToString::to_string) {
            for method in [Method::GET, Method::HEAD] {
                let answer = self.fetch(method.clone(), key, &[("Origin", origin.clone())]).await?;
                if !answer.is_success() {
                    return Ok(self.unstored(&answer));
                }
                if !allows_origin(&answer, &origin) {
                    return Ok(unreadable(&origin, &method));
                }
            }
        }
        let origin = origins.first().to_string();
        let put = self.sent.iter().find(|probe| probe.key == key).and_then(|probe| probe.answer.as_ref());
        if put.is_some_and(|answer| !allows_origin(answer, &origin)) {
            return Ok(unreadable(&origin, &Method::PUT));
        }
        Ok(passed(format!("a page of {origin} can read those to PUT, GET and HEAD")))
    }

    /// Reads a part of an object, as pages do with large ones.
    async fn range(&mut self, key: &str) -> Result<Verdict> {
        let range = format!("bytes=0-{}", PART - 1);
        let answer = self.fetch(Method::GET, key, &[("Range", range)]).await?;
        let part = &CONTENT.as_bytes()[..PART];
        Ok(match answer.status {
            // Some stores send a part in 200.
            200 | 206 if answer.body == part => passed(format!("read {PART} bytes of an object")),
            200 | 206 => failed(
                format!("the answer to a read of {PART} bytes has {}", answer.body.len()),
                "pages read large files in parts: check any proxy before the store that drops the header Range",
            ),
            _ => self.unstored(&answer),
        })
    }

    /// Uploads and reads objects whose names have to be encoded in URLs, and finds them in a listing.
    async fn keys(&mut self) -> Result<Verdict> {
        let names = NAMES.map(|name| format!("{}{name}", self.prefix));
        for (key, name) in names.iter().zip(NAMES) {
            let about = |verdict| match verdict {
                Verdict::Failed { reason, hint } => {
                    Verdict::Failed { reason: format!("an object called `{name}`: {reason}"), hint }
                }
                other => other,
            };
            let (stored, etag) = self.upload_as(key.clone()).await?;
            if etag.is_none() {
                return Ok(about(stored));
            }
            let read = self.read(key).await?;
            if !matches!(read, Verdict::Passed { .. }) {
                return Ok(about(read));
            }
        }
        let listed = match self.site.list(&self.prefix).await {
            Ok(listed) => listed,
            Err(error) => return self.judged(error),
        };
        Ok(match names.iter().zip(NAMES).find(|(key, _)| !listed.contains(key)) {
            Some((_, name)) => failed(
                format!("the listing does not contain an object called `{name}`, or spells it differently"),
                "check for a newer version of the store",
            ),
            None => passed("space, `+`, `%` and letters beyond ASCII are kept"),
        })
    }

    /// Deletes the object as the server does, and sees that it is gone.
    async fn deleted(&mut self, key: &str) -> Result<Verdict> {
        self.expect(NodeCall::Delete);
        if let Err(error) = self.site.delete_object(key).await {
            return self.judged(error);
        }
        let answer = self.fetch(Method::GET, key, &[]).await?;
        Ok(if answer.is_success() {
            failed(
                "an object that was deleted can still be read",
                "check any cache between here and the store",
            )
        } else {
            passed(format!("the object is gone (HTTP status {})", answer.status))
        })
    }

    /// Sends a presigned request.
    async fn fetch(&mut self, method: Method, key: &str, more: &[(&'static str, String)]) -> Result<Answer> {
        let signed = match method {
            Method::HEAD => self.site.sign_head(key).await?,
            _ => self.site.sign_read(key).await?,
        };
        let mut request = Request::new(method, &signed.url)?;
        for (name, value) in signed.headers.into_iter().chain(more.iter().cloned()) {
            request = request.header(name, value);
        }
        self.send(&request, false).await
    }
}
