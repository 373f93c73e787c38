//! The probes, small objects that are uploaded and deleted again.

use tokio::time::Instant;

use super::{OperatorSite, Run, Signed, Site, Verdict, failed, faulted, inconclusive, passed};
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Method, Request};
use crate::text::{clean, xml_element};

pub(super) const CONTENT: &str =
    "wbstore verify uploaded this to see whether uploads and events work; it may be deleted\n";

/// The codes of a 403 that no permission cures: a service perimeter of Google's, and an account without billing.
const NO_PERMISSIONS: [&str; 3] = ["SecurityPolicyViolated", "AccountProblem", "UserProjectAccountProblem"];

/// One probe.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    pub(crate) key: String,
    /// When its upload began.
    pub(super) sent: Instant,
    /// The answer to an upload that was sent once and succeeded. After any other there may be none, one or
    /// several versions.
    pub(crate) answer: Option<Answer>,
}

impl Probe {
    /// One whose upload begins now.
    pub(super) fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), sent: Instant::now(), answer: None }
    }
}

impl<S: Site> Run<'_, S> {
    /// Uploads one more probe as a page does, and returns what came of it; of one that is stored also
    /// whether a page may read its ETag.
    ///
    /// # Errors
    /// When there is no response, or the upload cannot be signed.
    pub(super) async fn upload(&mut self) -> Result<(Verdict, Option<Verdict>)> {
        // A space, a plus and a letter beyond ASCII: each is written in its own way in URLs and events.
        self.upload_as(format!("{}{} +ü.txt", self.prefix, self.sent.len())).await
    }

    /// The same with its key chosen.
    ///
    /// # Errors
    /// As [`Run::upload`].
    pub(super) async fn upload_as(&mut self, key: String) -> Result<(Verdict, Option<Verdict>)> {
        if let Some(kept_by) = &self.kept_by {
            let why = format!("nothing was uploaded: {kept_by} would prevent the probe from being deleted");
            return Ok((inconclusive(why), None));
        }
        let Signed { url, headers, unsigned } = self.site.sign(&key).await?;
        let mut request = Request::new(Method::PUT, &url)?
            .header("Origin", self.options.origins.first().to_string())
            .header("Content-Type", "text/plain")
            .body(CONTENT);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        // It is on the list before it is sent: an upload whose response is lost is deleted too.
        self.sent.push(Probe::new(key));
        let answer = self.send(&request, true).await?;
        if !answer.is_success() {
            return Ok((self.unstored(&answer), None));
        }
        let stored = match unsigned {
            None => passed("stored through a presigned URL"),
            Some(why) => {
                passed(format!("stored with a token; the server signs URLs, which was not tried: {why}"))
            }
        };
        let etag = self.etag_exposed(&answer);
        if let Some(probe) = self.sent.last_mut().filter(|_| answer.tries == 1) {
            probe.answer = Some(answer);
        }
        Ok((stored, Some(etag)))
    }

    /// Why an upload was refused: all clouds write `Code` and `Message` as elements of XML, Google also
    /// `Details`, and Azure gives the code in a header where there is no body.
    pub(super) fn unstored(&self, answer: &Answer) -> Verdict {
        let body = String::from_utf8_lossy(&answer.body);
        let element = |name| xml_element(&body, name);
        let code = element("Code").or_else(|| answer.header("x-ms-error-code").map(clean));
        let code = code.unwrap_or_default();
        let why =
            [Some(code.clone()).filter(|code| !code.is_empty()), element("Message"), element("Details")];
        let why = why.into_iter().flatten().collect::<Vec<_>>().join(": ");
        let separator = if why.is_empty() { "" } else { ": " };
        let reason = format!("HTTP status {}{separator}{why}", answer.status);
        // The client has already sent it again.
        if answer.status == 429 || answer.status >= 500 {
            return inconclusive(format!("{reason}; the upload was neither stored nor denied: run again"));
        }
        let denied = answer.status == 403 && !NO_PERMISSIONS.contains(&code.as_str());
        let kind = if denied { Kind::Denied } else { Kind::Failed };
        self.refused(&Error::new(kind, reason).hint(self.site.refusal(&code, &why)))
    }

    /// Without the ETag a page cannot finish an upload in parts.
    fn etag_exposed(&self, answer: &Answer) -> Verdict {
        let origin = self.options.origins.first();
        if exposes_etag(answer) {
            return passed(format!("a page of {origin} can read it"));
        }
        failed(
            format!("a page of {origin} cannot read the ETag of its upload"),
            format!("`wbstore plan {}` shows whether the CORS rule has changed", S::PROFILE.cloud),
        )
    }
}

/// Whether a page may read the ETag of `answer`.
pub(super) fn exposes_etag(answer: &Answer) -> bool {
    let mut exposed = answer.list("access-control-expose-headers");
    exposed.any(|header| header == "*" || header.eq_ignore_ascii_case("etag"))
}

impl<S: OperatorSite> Run<'_, S> {
    /// Reads the first probe without any credentials, which must be refused.
    ///
    /// # Errors
    /// When there is no response.
    pub(super) async fn read_anonymously(&self) -> Result<Verdict> {
        let Some(probe) = self.sent.first() else { return Ok(inconclusive("nothing was uploaded")) };
        let request = Request::new(Method::GET, &self.site.address(&probe.key).await?)?;
        let status = self.site.send(&request).await?.status;
        Ok(match status {
            200..300 => failed("anyone can read the objects", S::PROFILE.exposed),
            _ if S::PROFILE.refusals.contains(&status) => passed(format!("refused (HTTP status {status})")),
            _ => inconclusive(format!("the endpoint returned HTTP status {status}")),
        })
    }

    /// Deletes the probes, and what else the run has created. `None` when there was nothing to delete.
    pub(super) async fn cleanup(&mut self) -> Option<Verdict> {
        let closed = self.site.close().await;
        let probes = std::mem::take(&mut self.sent);
        let (mut left, mut kept) = (vec![], None);
        for probe in &probes {
            match self.site.remove(probe).await {
                Ok(copy) => kept = kept.or(copy),
                Err(error) => left.push((&probe.key, error)),
            }
        }
        let kept = kept.map(|kept| format!("; {kept}")).unwrap_or_default();
        match (left.first(), closed, probes.len()) {
            (Some((key, error)), _, all) => Some(faulted(
                Some(&format!("{} of {all} probes were not deleted, such as {key}", left.len())),
                error,
            )),
            (None, Err(error), _) => Some(faulted(None, &error)),
            (None, Ok(()), 0) => None,
            (None, Ok(()), 1) => Some(passed(format!("the probe is deleted{kept}"))),
            (None, Ok(()), all) => Some(passed(format!("{all} probes are deleted{kept}"))),
        }
    }
}
