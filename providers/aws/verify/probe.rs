//! The small objects that are uploaded to see what happens, and their removal.

use std::time::Instant;

use aws_sdk_s3::presigning::PresigningConfig;

use super::preflight::SIGNED_FOR;
use super::{failed, inconclusive, passed};
use crate::empty::{self, Cursor, Listing};
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Client, Method, Request};
use crate::origin::Origin;
use crate::provider::Verdict;
use crate::providers::aws::failure::{code, failure};
use crate::providers::aws::iam::PROBE_PREFIX;
use crate::providers::aws::objects::S3Bucket;
use crate::providers::aws::session::Api;
use crate::text::clean;

/// All probes lie here, so that a policy can allow them and nothing else.
const CONTENT: &str =
    "wbstore verify uploaded this to see whether uploads and events work; it may be deleted\n";

/// The probes of one run.
pub struct Probes {
    bucket: S3Bucket,
    http: Client,
    /// Part of every key, so that two runs at once do not take each other's probes for their own.
    run: String,
    sent: Vec<Probe>,
}

/// One probe.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its key.
    pub key: String,
    /// When its upload began.
    pub sent: Instant,
    /// Its address without a signature.
    plain_url: String,
    /// What S3 made of it; unknown while no answer has come.
    version: Version,
}

/// Which version of its key a probe is.
#[derive(Clone, Debug)]
enum Version {
    Unknown,
    Only,
    Id(String),
}

/// What came of an upload.
pub struct Uploaded {
    /// Whether S3 took it.
    pub verdict: Verdict,
    /// Whether a page may read the ETag of the answer.
    pub etag_exposed: Verdict,
    /// Whether there is an object now.
    pub stored: bool,
}

impl Probes {
    /// No probes yet, for `bucket`.
    pub fn new(api: &Api, bucket: &str, http: Client) -> Self {
        let run = format!("{:016x}", fastrand::u64(..));
        Self { bucket: S3Bucket::new(api, bucket), http, run, sent: vec![] }
    }

    /// The client for calls without an SDK.
    pub fn http(&self) -> &Client {
        &self.http
    }

    /// All that were sent.
    pub fn sent(&self) -> &[Probe] {
        &self.sent
    }

    /// Uploads one more as a page of `origin` does: with a presigned URL and nothing else.
    ///
    /// # Errors
    /// When no answer comes, or the URL cannot be signed.
    pub async fn upload(&mut self, origin: &Origin) -> Result<Uploaded> {
        // A space, a plus and a letter beyond ASCII: each is written in its own way in an event.
        let key = format!("{PROBE_PREFIX}{}/{} +ü.txt", self.run, self.sent.len());
        let unsigned = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(Kind::Failed, format!("presign an upload to {}", self.bucket.name)).because(error)
        };
        let lasting = PresigningConfig::expires_in(SIGNED_FOR).map_err(|error| unsigned(error.into()))?;
        let signed = self.bucket.s3.put_object().bucket(&self.bucket.name).key(&key).presigned(lasting).await;
        let signed = signed.map_err(|error| unsigned(error.into()))?;
        let plain_url = signed.uri().split('?').next().unwrap_or_default().to_owned();
        let request = Request::new(Method::PUT, signed.uri())?
            .header("Origin", origin.to_string())
            .header("Content-Type", "text/plain")
            .body(CONTENT);
        // It is on the list before it is sent: an upload whose answer is lost is removed too.
        self.sent.push(Probe { key, sent: Instant::now(), plain_url, version: Version::Unknown });
        let answer = self.http.send(&request).await?;
        if let Some(probe) = self.sent.last_mut()
            && answer.is_success()
        {
            probe.version =
                answer.header("x-amz-version-id").map_or(Version::Only, |id| Version::Id(id.to_owned()));
        }
        Ok(Uploaded {
            verdict: stored(&answer),
            etag_exposed: etag_exposed(&answer, origin),
            stored: answer.is_success(),
        })
    }

    /// Reads the first probe without any credentials, which must be refused.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn read_anonymously(&self) -> Result<Verdict> {
        let Some(probe) = self.sent.first() else {
            return Ok(inconclusive("nothing was uploaded"));
        };
        let answer = self.http.send(&Request::new(Method::GET, &probe.plain_url)?).await?;
        Ok(match answer.status {
            401 | 403 => passed(format!("refused (HTTP status {})", answer.status)),
            200..300 => failed(
                "anybody can read the bucket's objects",
                "look for a bucket policy, an access control list or an access point that lets everyone in",
            ),
            status => inconclusive(format!("the endpoint answered with HTTP status {status}")),
        })
    }

    /// Removes all probes, in every version. `None` when none was sent.
    pub async fn remove(&mut self) -> Option<Verdict> {
        let probes = std::mem::take(&mut self.sent);
        let all = probes.len();
        let mut left = vec![];
        for probe in probes {
            if let Err(error) = self.remove_one(&probe).await {
                left.push((probe.key, error));
            }
        }
        match left.first() {
            None if all == 0 => None,
            None if all == 1 => Some(passed("the probe is removed")),
            None => Some(passed(format!("{all} probes are removed"))),
            Some((key, error)) => Some(Verdict::Failed {
                reason: format!("{} of {all} probes are left, such as {key}: {}", left.len(), error.chain()),
                hint: error.what_next().map(str::to_owned),
            }),
        }
    }

    async fn remove_one(&self, probe: &Probe) -> Result<()> {
        match &probe.version {
            Version::Only => self.delete(&probe.key, None).await,
            Version::Id(id) => self.delete(&probe.key, Some(id)).await,
            // The answer was lost, and a repeated upload may have made two versions.
            Version::Unknown => {
                let start = Cursor::default();
                let found = empty::page(&self.bucket, Listing::Objects, &probe.key, false, &start).await?;
                for version in found.unwrap_or_default().entries {
                    self.delete(&version.key, version.id.as_deref()).await?;
                }
                Ok(())
            }
        }
    }

    async fn delete(&self, key: &str, version: Option<&str>) -> Result<()> {
        let answer = self
            .bucket
            .s3
            .delete_object()
            .bucket(&self.bucket.name)
            .expected_bucket_owner(&self.bucket.owner)
            .key(key)
            .set_version_id(version.map(str::to_owned))
            .send()
            .await;
        let action = if version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
        match answer {
            Ok(_) => Ok(()),
            Err(error) if matches!(code(&error), "NoSuchKey" | "NoSuchVersion") => Ok(()),
            Err(error) => Err(failure(error, action, format!("{}/{key}", self.bucket.name))),
        }
    }
}

fn stored(answer: &Answer) -> Verdict {
    if answer.is_success() {
        return passed("stored through a presigned URL");
    }
    let said = String::from_utf8_lossy(&answer.body);
    let element = |name: &str| {
        let (_, rest) = said.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(text, _)| clean(text))
    };
    let why = [element("Code"), element("Message")].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let hint = if why.contains("KMS") || why.contains("kms") {
        "these credentials need kms:GenerateDataKey and kms:Decrypt on the bucket's key"
    } else {
        "the credentials that sign need s3:PutObject on the bucket's objects, and no policy may deny it"
    };
    let status = answer.status;
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
            "run `wbstore plan aws` to see whether the CORS rule has changed",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_upload_gives_the_reason_of_the_service() {
        let body = "<Error><Code>AccessDenied</Code><Message>not \u{1b}[31myou</Message></Error>";
        let Verdict::Failed { reason, .. } = stored(&Answer::new(403, [], body)) else { panic!("it failed") };
        assert_eq!(reason, "HTTP status 403: AccessDenied: not [31myou");
        let Verdict::Failed { reason, .. } = stored(&Answer::new(502, [], "<html>")) else {
            panic!("it failed")
        };
        assert_eq!(reason, "HTTP status 502");
    }

    #[test]
    fn an_etag_is_exposed_by_name_or_by_star() {
        let origin = "https://wandb.acme.com".parse().unwrap();
        let exposing = |headers| {
            etag_exposed(&Answer::new(200, [("access-control-expose-headers", headers)], ""), &origin)
        };
        assert!(matches!(exposing("x-amz-request-id, etag"), Verdict::Passed { .. }));
        assert!(matches!(exposing("*"), Verdict::Passed { .. }));
        assert!(matches!(exposing("x-etag"), Verdict::Failed { .. }));
    }
}
