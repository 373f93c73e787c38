//! `verify --as node`: the calls that the W&B server sends to its storage, with the server's own credentials.
//! Whoever set the storage up may do more than the server, and a permission that only the server lacks shows
//! nowhere else.

use super::probe::CONTENT;
use super::{
    CheckSender, Checks, Probe, Run, Signed, Site, Verdict, VerifyOptions, ends_all, failed, inconclusive,
    passed, unless_cancelled,
};
use crate::error::{Error, Kind, Result};
use crate::http::{Method, Request};

/// What the server does with its storage, in the order in which it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeCall {
    /// Signing an upload, and the upload itself with that signature.
    PresignedPut,
    PresignedGet,
    Head,
    List,
    /// An upload in parts: begun, one part, completed.
    Multipart,
    /// Receiving messages, deleting those that were handled and returning the others.
    Receive,
    Delete,
}

impl NodeCall {
    pub(super) fn check(self) -> &'static str {
        match self {
            Self::PresignedPut => "presigned PUT",
            Self::PresignedGet => "presigned GET",
            Self::Head => "HEAD",
            Self::List => "list",
            Self::Multipart => "multipart upload",
            Self::Receive => "receive",
            Self::Delete => "delete",
        }
    }
}

/// A [`Site`] with the server's credentials. Its queue is the server's own one.
pub(crate) trait NodeSite: Site {
    /// Whose the credentials are, such as the ARN of a role.
    ///
    /// # Errors
    /// When there are none, or they are rejected.
    fn identity(&mut self) -> impl Future<Output = Result<String>> + Send;

    /// Permits the download of `key`, as the server does it.
    ///
    /// # Errors
    /// When it cannot be signed.
    fn sign_read(&mut self, key: &str) -> impl Future<Output = Result<Signed>> + Send;

    /// Reads the metadata of `key`.
    ///
    /// # Errors
    /// Those of the cloud.
    fn head(&mut self, key: &str) -> impl Future<Output = Result<()>> + Send;

    /// The keys below `prefix`; the first page suffices.
    ///
    /// # Errors
    /// Those of the cloud.
    fn list(&mut self, prefix: &str) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// How many parts [`NodeSite::upload_in_parts`] sends.
    const PARTS: &'static str = "one part";

    /// Uploads an object as `key` in parts, one of which has `content`.
    ///
    /// # Errors
    /// Those of the cloud; what was begun is aborted.
    fn upload_in_parts(&mut self, key: &str, content: &str) -> impl Future<Output = Result<()>> + Send;

    /// Deletes `key` as the server does: the current version, without naming it.
    ///
    /// # Errors
    /// Those of the cloud.
    fn delete_object(&mut self, key: &str) -> impl Future<Output = Result<()>> + Send;

    /// What the credentials lack where `call` is denied, as a hint: the permission and the statement of
    /// `wbstore policy … --for node` that has it.
    fn lacking(&self, call: NodeCall) -> String;
}

/// Sends each call of the server to `site`, and the result of each to `checks`. Neither settings nor drift are
/// read. Only the run's own objects and messages are deleted.
///
/// # Errors
/// As [`verify`](super::verify).
pub(crate) async fn verify_as_node<S: NodeSite>(
    mut site: S,
    options: &VerifyOptions,
    checks: CheckSender,
) -> Result<()> {
    let checks = Checks::new(checks);
    let identity = unless_cancelled(options, site.identity()).await?;
    checks.known("identity", passed(identity));
    let mut run = Run::new(site, options, checks);
    let outcome = unless_cancelled(options, run.serve()).await;
    // Also what an interrupted run has uploaded.
    let deleted = run.delete_probes().await;
    if let Some(verdict) = deleted {
        run.checks.known(NodeCall::Delete.check(), verdict);
    }
    outcome
}

impl<S: NodeSite> Run<'_, S> {
    async fn serve(&mut self) -> Result<()> {
        let (uploaded, etag) = self.upload_as_server().await?;
        self.checks.known(NodeCall::PresignedPut.check(), uploaded);
        let stored = etag.and_then(|_| self.sent.last()).map(|probe| probe.key.clone());
        self.calls(stored.as_deref()).await?;
        if !self.options.is_team {
            let received = self.receive().await?;
            self.checks.known(NodeCall::Receive.check(), received);
        }
        Ok(())
    }

    /// Uploads a probe, and says what the server lacks where that is denied.
    pub(super) async fn upload_as_server(&mut self) -> Result<(Verdict, Option<Verdict>)> {
        self.expect(NodeCall::PresignedPut);
        match self.upload().await {
            Ok(uploaded) => Ok(uploaded),
            Err(error) => Ok((self.judged(error)?, None)),
        }
    }

    /// What the server does with objects besides the upload of the one that is `stored`.
    pub(super) async fn calls(&mut self, stored: Option<&str>) -> Result<()> {
        let read = match stored {
            Some(key) => self.read(key).await?,
            None => inconclusive("nothing was uploaded"),
        };
        self.checks.known(NodeCall::PresignedGet.check(), read);

        let head = match stored {
            Some(key) => {
                self.expect(NodeCall::Head);
                let answer = self.site.head(key).await;
                self.verdict(answer.map(|()| "the metadata of the probe were read".to_owned()))?
            }
            None => inconclusive("nothing was uploaded"),
        };
        self.checks.known(NodeCall::Head.check(), head);

        self.expect(NodeCall::List);
        let listed = self.site.list(&self.prefix).await;
        let listed = match (listed, stored) {
            (Ok(keys), Some(key)) if !keys.iter().any(|one| one == key) => failed(
                "the listing does not contain the probe",
                "check that nothing else writes to or filters this bucket",
            ),
            (listed, _) => self.verdict(listed.map(|keys| format!("{} objects of this run", keys.len())))?,
        };
        self.checks.known(NodeCall::List.check(), listed);

        let parts = self.in_parts().await?;
        self.checks.known(NodeCall::Multipart.check(), parts);
        Ok(())
    }

    /// Which call comes next, for the hint where it is denied.
    pub(super) fn expect(&mut self, call: NodeCall) {
        self.lacking = Some(self.site.lacking(call));
    }

    /// # Errors
    /// Those that end all checks.
    fn verdict(&self, answer: Result<String>) -> Result<Verdict> {
        answer.map_or_else(|error| self.judged(error), |detail| Ok(passed(detail)))
    }

    pub(super) fn judged(&self, error: Error) -> Result<Verdict> {
        if ends_all(&error) { Err(error) } else { Ok(self.refused(&error)) }
    }

    pub(super) async fn read(&mut self, key: &str) -> Result<Verdict> {
        self.expect(NodeCall::PresignedGet);
        let Signed { url, headers, unsigned } = match self.site.sign_read(key).await {
            Ok(signed) => signed,
            Err(error) => return self.judged(error),
        };
        let mut request = Request::new(Method::GET, &url)?;
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = match self.send(&request, false).await {
            Ok(answer) => answer,
            Err(error) => return self.judged(error),
        };
        Ok(match unsigned {
            _ if !answer.is_success() => self.unstored(&answer),
            _ if answer.body != CONTENT.as_bytes() => failed(
                "the object read is not the one uploaded",
                "check any proxy between here and the bucket",
            ),
            Some(why) => passed(format!("read with a token; signing was not tried: {why}")),
            None => passed("read through a presigned URL"),
        })
    }

    async fn in_parts(&mut self) -> Result<Verdict> {
        self.expect(NodeCall::Multipart);
        let key = format!("{}parts.txt", self.prefix);
        self.sent.push(Probe::new(&key));
        let answer = self.site.upload_in_parts(&key, CONTENT).await;
        if answer.as_ref().is_err_and(|error| error.kind() == Kind::Denied) {
            self.sent.pop();
        }
        self.verdict(answer.map(|()| format!("begun, {} sent, and completed", S::PARTS)))
    }

    async fn receive(&mut self) -> Result<Verdict> {
        let Some(_) = self.site.route() else {
            return Ok(passed("not applicable: the server uses its own queue (--queue internal)"));
        };
        self.expect(NodeCall::Receive);
        if self.sent.is_empty() {
            return Ok(inconclusive("nothing was uploaded"));
        }
        self.event(NodeCall::Receive.check()).await
    }

    /// Deletes the probes as the server does; `None` if there are none.
    async fn delete_probes(&mut self) -> Option<Verdict> {
        self.expect(NodeCall::Delete);
        let probes = std::mem::take(&mut self.sent);
        let mut left = vec![];
        for probe in &probes {
            if let Err(error) = self.site.delete_object(&probe.key).await {
                left.push((&probe.key, error));
            }
        }
        match left.first() {
            None if probes.is_empty() => None,
            None => Some(passed(format!("{} objects of this run are deleted", probes.len()))),
            Some((key, error)) => {
                let verdict = self.refused(error);
                Some(match verdict {
                    Verdict::Failed { reason, hint } => Verdict::Failed {
                        reason: format!(
                            "{} of {} objects remain, such as {key}: {reason}",
                            left.len(),
                            probes.len()
                        ),
                        hint,
                    },
                    other => other,
                })
            }
        }
    }
}
