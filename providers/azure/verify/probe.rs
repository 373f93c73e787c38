//! The small blobs that are uploaded to see what happens, and their removal.

use std::time::Instant;

use azure_storage_blob::BlobContainerClient;
use azure_storage_blob::models::{BlobClientDeleteOptions, DeleteSnapshotsOptionType};
use url::Url;

use super::settling::Settling;
use super::{failed, inconclusive, passed};
use crate::error::Result;
use crate::http::{Answer, Method, Request};
use crate::origin::Origin;
use crate::provider::Verdict;
use crate::providers::azure::failure::failure;
use crate::providers::azure::iam::PROBE_PREFIX;
use crate::providers::azure::sas::{Sas, Scope};
use crate::providers::azure::session::Api;
use crate::text::clean;

const CONTENT: &str =
    "wbstore verify uploaded this to see whether uploads and events work; it may be deleted\n";
/// To make, write and delete blobs, in the order of "Create a service SAS".
const PERMISSIONS: &str = "cwd";

/// The probes of one run.
pub struct Probes<'a> {
    api: &'a Api,
    container: String,
    settling: Settling<'a>,
    sas: Sas,
    /// Part of every name, so that two runs at once do not take each other's probes for their own.
    run: String,
    sent: Vec<Probe>,
}

/// One probe.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its name.
    pub name: String,
    /// When its upload began.
    pub sent: Instant,
    /// Its address without a signature.
    url: Url,
    /// Whether the account keeps what is deleted as a version.
    versioned: bool,
}

/// What came of an upload.
pub struct Uploaded {
    /// Whether Azure took it.
    pub verdict: Verdict,
    /// Whether a page may read the ETag of the answer.
    pub etag_exposed: Verdict,
    /// Whether there is a blob now.
    pub stored: bool,
}

impl<'a> Probes<'a> {
    /// No probes yet, for `container`.
    ///
    /// # Errors
    /// When ARM does not sign for them.
    pub async fn new(api: &'a Api, container: &str, settling: Settling<'a>) -> Result<Self> {
        let sas = Sas::signed(api, Scope::Container(container, PERMISSIONS)).await?;
        let run = format!("{:016x}", fastrand::u64(..));
        Ok(Self { api, container: container.to_owned(), settling, sas, run, sent: vec![] })
    }

    /// The client for calls without an SDK.
    pub fn settling(&self) -> &Settling<'a> {
        &self.settling
    }

    /// Whether a refusal may be due to the account being new.
    pub fn is_settling(&self) -> bool {
        self.settling.is_new()
    }

    /// All that were sent.
    pub fn sent(&self) -> &[Probe] {
        &self.sent
    }

    /// The address of the blob `name`, without a signature.
    pub fn url(&self, name: &str) -> Url {
        let mut url = self.api.blob_endpoint.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&self.container).extend(name.split('/'));
        }
        url
    }

    /// Uploads one more as a page of `origin` does: with a signed URL and nothing else.
    ///
    /// # Errors
    /// When no answer comes, or the URL cannot be signed.
    pub async fn upload(&mut self, origin: &Origin) -> Result<Uploaded> {
        self.renew().await?;
        let name = format!("{PROBE_PREFIX}{}/{}.txt", self.run, self.sent.len());
        let url = self.url(&name);
        let request = Request::new(Method::PUT, self.sas.sign(&url).as_str())?
            .header("Origin", origin.to_string())
            .header("Content-Type", "text/plain")
            .header("x-ms-blob-type", "BlockBlob")
            .body(CONTENT);
        // It is on the list before it is sent: an upload whose answer is lost is removed too.
        self.sent.push(Probe { name, sent: Instant::now(), url, versioned: false });
        let answer = self.settling.send(&request, &[403, 404]).await?;
        if let Some(probe) = self.sent.last_mut() {
            probe.versioned = answer.header("x-ms-version-id").is_some();
        }
        Ok(Uploaded {
            verdict: stored(&answer),
            etag_exposed: etag_exposed(&answer, origin),
            stored: answer.is_success(),
        })
    }

    /// Reads the first probe without any credentials, which must be refused. Azure answers 404 for a
    /// blob that is there and that the asker may not know of (Blob service REST API, "Get Blob").
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn read_anonymously(&self) -> Result<Verdict> {
        let Some(probe) = self.sent.first() else {
            return Ok(inconclusive("nothing was uploaded"));
        };
        let answer = self.settling.http().send(&Request::new(Method::GET, probe.url.as_str())?).await?;
        Ok(match answer.status {
            401 | 403 | 404 | 409 => passed(format!("refused (HTTP status {})", answer.status)),
            200..300 => failed(
                "anybody can read the container's blobs",
                "run `wbstore provision azure` again if the container is wbstore's; it makes it private",
            ),
            status => inconclusive(format!("the endpoint answered with HTTP status {status}")),
        })
    }

    /// Removes all probes. `None` when none was sent.
    pub async fn remove(&mut self) -> Option<Verdict> {
        let probes = std::mem::take(&mut self.sent);
        if probes.is_empty() {
            return None;
        }
        let all = probes.len();
        let mut left = vec![];
        for probe in &probes {
            if let Err(error) = self.remove_one(probe).await {
                left.push((&probe.name, error));
            }
        }
        let kept = if probes.iter().any(|probe| probe.versioned) {
            "; the account's versioning keeps a former version"
        } else {
            ""
        };
        Some(match left.first() {
            None if all == 1 => passed(format!("the probe is removed{kept}")),
            None => passed(format!("{all} probes are removed{kept}")),
            Some((name, error)) => Verdict::Failed {
                reason: format!("{} of {all} probes are left, such as {name}: {}", left.len(), error.chain()),
                hint: error.what_next().map(str::to_owned),
            },
        })
    }

    async fn remove_one(&mut self, probe: &Probe) -> Result<()> {
        self.renew().await?;
        let options = BlobClientDeleteOptions {
            delete_snapshots: Some(DeleteSnapshotsOptionType::Include),
            ..BlobClientDeleteOptions::default()
        };
        match self.blobs()?.blob_client(&probe.name).delete(Some(options)).await {
            Ok(_) => Ok(()),
            Err(error) if error.http_status().is_some_and(|status| u16::from(status) == 404) => Ok(()),
            Err(error) => Err(failure(error, "delete", format!("{}/{}", self.container, probe.name))),
        }
    }

    fn blobs(&self) -> Result<BlobContainerClient> {
        Ok(self.api.blobs(Some(self.sas.query()))?.blob_container_client(&self.container))
    }

    /// Lets ARM sign anew where little time is left.
    async fn renew(&mut self) -> Result<()> {
        if !self.sas.is_fresh() {
            self.sas = Sas::signed(self.api, Scope::Container(&self.container, PERMISSIONS)).await?;
        }
        Ok(())
    }
}

/// Whether an upload was taken, and if not, why (Blob service REST API, "Status and error codes").
fn stored(answer: &Answer) -> Verdict {
    if answer.is_success() {
        return passed("stored through a signed URL");
    }
    let said = String::from_utf8_lossy(&answer.body);
    let element = |name: &str| {
        let (_, rest) = said.split_once(&format!("<{name}>"))?;
        let (text, _) = rest.split_once(&format!("</{name}>"))?;
        // Storage adds the request's id and the time on lines of their own.
        text.lines().next().map(clean)
    };
    let code = element("Code").unwrap_or_else(|| clean(answer.header("x-ms-error-code").unwrap_or_default()));
    let hint = match code.as_str() {
        "KeyBasedAuthenticationNotPermitted" => {
            "shared keys are switched off for this account, and the server signs with one; allow them with `az storage \
             account update --allow-shared-key-access true`"
        }
        "AuthorizationFailure" => {
            "the account's network rules do not let this machine in; browsers outside them cannot upload either"
        }
        "AuthenticationFailed" => "the signature was not accepted; check this machine's clock",
        _ => "run `wbstore plan azure` to see whether the container is as it should be",
    };
    let status = answer.status;
    let why = [Some(code).filter(|code| !code.is_empty()), element("Message")];
    let why = why.into_iter().flatten().collect::<Vec<_>>().join(": ");
    failed(
        if why.is_empty() { format!("HTTP status {status}") } else { format!("HTTP status {status}: {why}") },
        hint,
    )
}

/// Without the ETag a page cannot finish an upload in parts.
fn etag_exposed(answer: &Answer, origin: &Origin) -> Verdict {
    let mut exposed = answer.list("access-control-expose-headers");
    if exposed.any(|header| header == "*" || header.eq_ignore_ascii_case("etag")) {
        passed(format!("a page of {origin} can read it"))
    } else {
        failed(
            format!("a page of {origin} cannot read the ETag of its upload"),
            "run `wbstore plan azure` to see whether the CORS rule has changed",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(verdict: Verdict) -> String {
        match verdict {
            Verdict::Failed { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refused_upload_gives_the_reason_of_the_service() {
        let body = "<?xml version=\"1.0\"?><Error><Code>AuthorizationFailure</Code><Message>not \u{1b}[31myou\n\
                    RequestId:1\nTime:2026-01-01</Message></Error>";
        let said = reason(stored(&Answer::new(403, [], body)));
        assert_eq!(said, "HTTP status 403: AuthorizationFailure: not [31myou");
        let said = reason(stored(&Answer::new(403, [("x-ms-error-code", "AuthenticationFailed")], "")));
        assert_eq!(said, "HTTP status 403: AuthenticationFailed");
        assert_eq!(reason(stored(&Answer::new(502, [], "<html>"))), "HTTP status 502");
    }

    #[test]
    fn an_etag_is_exposed_by_name_or_by_star() {
        let origin = "https://wandb.acme.com".parse().unwrap();
        let exposing = |headers| {
            etag_exposed(&Answer::new(201, [("access-control-expose-headers", headers)], ""), &origin)
        };
        assert!(matches!(exposing("x-ms-request-id,ETag"), Verdict::Passed { .. }));
        assert!(matches!(exposing("*"), Verdict::Passed { .. }));
        assert!(matches!(exposing("x-etag"), Verdict::Failed { .. }));
    }
}
