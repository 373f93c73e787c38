//! The small objects that are uploaded to see what happens, and their removal.

use std::time::{Duration, Instant};

use google_cloud_auth::signer::Signer;
use google_cloud_storage::builder::storage::SignedUrlBuilder;
use google_cloud_storage::http::Method as Verb;
use google_cloud_storage::model::Bucket as Described;

use super::{failed, inconclusive, passed};
use crate::empty::{self, Cursor, Listing, Store as _};
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Client, Method, Request};
use crate::origin::Origin;
use crate::provider::Verdict;
use crate::providers::gcp::failure::root_cause;
use crate::providers::gcp::iam::PROBE_PREFIX;
use crate::providers::gcp::objects::GcsBucket;
use crate::providers::gcp::rest::{headers, segment};
use crate::providers::gcp::session::Api;
use crate::span::Span;
use crate::text::clean;

const CONTENT: &str =
    "wbstore verify uploaded this to see whether uploads and events work; it may be deleted\n";
const TYPE: &str = "text/plain";
/// How long a signed URL of ours is good.
const SIGNED_FOR: Duration = Duration::from_secs(600);

/// The probes of one run.
pub struct Probes<'a> {
    api: &'a Api,
    bucket: GcsBucket,
    http: Client,
    signer: Option<Signer>,
    /// What all keys begin with. It is different in each run, so that two runs at once do not take each
    /// other's probes for their own.
    prefix: String,
    sent: Vec<Probe>,
    /// Why nothing may be uploaded: it could not be removed again.
    kept_by: Option<String>,
    /// For how long soft delete keeps what was removed, in words; `None` when it is off.
    soft_deleted: Option<String>,
}

/// One probe.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its key.
    pub key: String,
    /// When its upload began.
    pub sent: Instant,
}

/// What came of an upload.
pub struct Uploaded {
    /// Whether Cloud Storage took it.
    pub verdict: Verdict,
    /// Whether a page may read the ETag of the answer.
    pub etag_exposed: Verdict,
    /// Whether there is an object now.
    pub stored: bool,
}

/// How an upload is allowed.
enum Allowed {
    /// By the signature in the URL, as a page of the W&B server does it.
    Signed(String),
    /// By our own token; the text says why.
    ByToken(String),
}

impl<'a> Probes<'a> {
    /// No probes yet, for `bucket`, which is as `described`.
    ///
    /// # Errors
    /// When the clients cannot be built.
    pub async fn new(api: &'a Api, bucket: &str, described: &Described) -> Result<Self> {
        Ok(Self {
            api,
            bucket: GcsBucket::open(api, bucket).await?,
            http: Client::new()?,
            signer: api.signer(),
            prefix: format!("{PROBE_PREFIX}{:016x}/", fastrand::u64(..)),
            sent: vec![],
            kept_by: keeps(described),
            soft_deleted: soft_deleted(described),
        })
    }

    /// All that were sent.
    pub fn sent(&self) -> &[Probe] {
        &self.sent
    }

    /// What the keys of this run begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Uploads one more as a page of `origin` does: with a signed URL, and where the credentials cannot
    /// sign one, with their own token. A refusal says nothing while the bucket is `fresh`.
    ///
    /// # Errors
    /// When no answer comes, or no token can be had.
    pub async fn upload(&mut self, origin: &Origin, fresh: bool) -> Result<Uploaded> {
        if let Some(kept_by) = &self.kept_by {
            let verdict = inconclusive(format!("nothing was uploaded, as the bucket has {kept_by}"));
            return Ok(Uploaded { etag_exposed: verdict.clone(), verdict, stored: false });
        }
        // A space, a plus and a letter beyond ASCII: each is written in its own way in a URL.
        let key = format!("{}{} +ü.txt", self.prefix, self.sent.len());
        let allowed = self.allow(&key).await;
        let request = match &allowed {
            Allowed::Signed(url) => Request::new(Method::PUT, url)?,
            Allowed::ByToken(_) => {
                let mut request = Request::new(Method::PUT, &self.plain_url(&key))?;
                for (name, value) in headers(&self.api.credentials()?).await? {
                    request = request.header(name, value);
                }
                request
            }
        };
        let request = request.header("Origin", origin.to_string()).header("Content-Type", TYPE).body(CONTENT);
        // It is on the list before it is sent: an upload whose answer is lost is removed too.
        self.sent.push(Probe { key, sent: Instant::now() });
        let answer = self.http.send(&request).await?;
        Ok(Uploaded {
            verdict: stored(&answer, &allowed, fresh),
            etag_exposed: etag_exposed(&answer, origin),
            stored: answer.is_success(),
        })
    }

    async fn allow(&self, key: &str) -> Allowed {
        let Some(signer) = &self.signer else {
            return Allowed::ByToken("these credentials are of no service account".to_owned());
        };
        let signed = SignedUrlBuilder::for_object(self.api.bucket_name(self.bucket.name()), key)
            .with_method(Verb::PUT)
            .with_expiration(SIGNED_FOR)
            .with_header("content-type", TYPE)
            .with_endpoint(self.api.storage_endpoint())
            .sign_with(signer)
            .await;
        signed.map_or_else(|error| Allowed::ByToken(clean(&root_cause(&error))), Allowed::Signed)
    }

    fn plain_url(&self, key: &str) -> String {
        let path: Vec<String> = key.split('/').map(segment).collect();
        format!("{}/{}/{}", self.api.storage_endpoint(), self.bucket.name(), path.join("/"))
    }

    /// Reads the first probe without any credentials, which must be refused.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn read_anonymously(&self) -> Result<Verdict> {
        let Some(probe) = self.sent.first() else {
            return Ok(inconclusive("nothing was uploaded"));
        };
        let answer = self.http.send(&Request::new(Method::GET, &self.plain_url(&probe.key))?).await?;
        Ok(match answer.status {
            401 | 403 => passed(format!("refused (HTTP status {})", answer.status)),
            200..300 => failed(
                "anybody can read the bucket's objects",
                "look for allUsers in the bucket's policy and in those of its project and folders above",
            ),
            status => inconclusive(format!("the endpoint answered with HTTP status {status}")),
        })
    }

    /// Removes all probes, in every generation. What else was made is `left` when that could not be
    /// removed. `None` when there is nothing to tell.
    pub async fn remove(&mut self, left: Option<Error>) -> Option<Verdict> {
        let sent = std::mem::take(&mut self.sent).len();
        let removed = if sent > 0 { self.remove_all().await } else { Ok(()) };
        let failure = |what: String, error: &Error| Verdict::Failed {
            reason: format!("{what}: {}", error.chain()),
            hint: error.what_next().map(str::to_owned),
        };
        let kept = self.soft_deleted.as_ref().map(|kept| format!("; soft delete keeps them for {kept}"));
        let kept = kept.unwrap_or_default();
        match (removed, left) {
            (Err(error), _) => Some(failure(format!("probes are left below {}", self.prefix), &error)),
            (Ok(()), Some(error)) => {
                Some(failure("the subscription of the check is left for a day".to_owned(), &error))
            }
            (Ok(()), None) if sent == 0 => None,
            (Ok(()), None) if sent == 1 => {
                Some(passed(format!("the probe is removed{}", kept.replace("them", "it"))))
            }
            (Ok(()), None) => Some(passed(format!("{sent} probes are removed{kept}"))),
        }
    }

    /// A repeated upload may have made two generations, so that a listing tells what there is.
    async fn remove_all(&self) -> Result<()> {
        let mut cursor = Some(Cursor::default());
        while let Some(at) = cursor {
            let found = empty::page(&self.bucket, Listing::Objects, &self.prefix, false, &at).await?;
            let page = found.unwrap_or_default();
            for object in &page.entries {
                self.bucket.delete_one(object).await?;
            }
            cursor = page.next;
        }
        Ok(())
    }
}

/// What would keep a probe in the bucket.
fn keeps(described: &Described) -> Option<String> {
    if described.default_event_based_hold {
        return Some("an event-based hold for every new object, and a probe could not be removed".to_owned());
    }
    let policy = described.retention_policy.as_ref()?;
    let kept = policy.retention_duration.as_ref().is_some_and(|duration| duration.seconds() > 0);
    kept.then(|| "a retention policy, and a probe could not be removed".to_owned())
}

fn soft_deleted(described: &Described) -> Option<String> {
    let kept = described.soft_delete_policy.as_ref()?.retention_duration?;
    let seconds = u32::try_from(kept.seconds()).ok().filter(|seconds| *seconds > 0)?;
    Some(Span::from_secs(seconds).to_string())
}

fn stored(answer: &Answer, allowed: &Allowed, fresh: bool) -> Verdict {
    if answer.is_success() {
        return passed(match allowed {
            Allowed::Signed(_) => "stored through a signed URL".to_owned(),
            Allowed::ByToken(why) => {
                format!("stored with a token; the server signs URLs, which was not tried: {why}")
            }
        });
    }
    let said = String::from_utf8_lossy(&answer.body);
    let element = |name: &str| {
        let (_, rest) = said.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(text, _)| clean(text))
    };
    let why = ["Code", "Message", "Details"].into_iter().filter_map(element).collect::<Vec<_>>().join(": ");
    let status = answer.status;
    let reason =
        if why.is_empty() { format!("HTTP status {status}") } else { format!("HTTP status {status}: {why}") };
    if status == 403 && fresh {
        return super::refused(&Error::new(Kind::Denied, reason), fresh);
    }
    let hint = if why.to_lowercase().contains("kms") {
        "Cloud Storage's service agent needs roles/cloudkms.cryptoKeyEncrypterDecrypter on the bucket's key"
    } else {
        "these credentials need storage.objects.create on the bucket"
    };
    failed(reason, hint)
}

/// Without the ETag a page cannot finish an upload in parts.
fn etag_exposed(answer: &Answer, origin: &Origin) -> Verdict {
    let mut exposed = answer.list("access-control-expose-headers");
    if exposed.any(|header| header == "*" || header.eq_ignore_ascii_case("etag")) {
        passed(format!("a page of {origin} can read it"))
    } else {
        failed(
            format!("a page of {origin} cannot read the ETag of its upload"),
            "run `wbstore plan gcp` to see whether the CORS rule has changed",
        )
    }
}

#[cfg(test)]
mod tests {
    use google_cloud_storage::model::bucket::{RetentionPolicy, SoftDeletePolicy};
    use google_cloud_wkt::Duration as Length;

    use super::*;

    fn signed() -> Allowed {
        Allowed::Signed(String::new())
    }

    #[test]
    fn a_refused_upload_gives_the_reason_of_the_service() {
        let body = "<Error><Code>AccessDenied</Code><Message>Access denied.</Message>\
                    <Details>a\u{1b}[31m does not have storage.objects.create</Details></Error>";
        let refused = stored(&Answer::new(403, [], body), &signed(), false);
        let Verdict::Failed { reason, .. } = refused else { panic!("it failed") };
        assert_eq!(
            reason,
            "HTTP status 403: AccessDenied: Access denied.: a[31m does not have storage.objects.create"
        );
        let fresh = stored(&Answer::new(403, [], body), &signed(), true);
        assert!(matches!(fresh, Verdict::Inconclusive { .. }));
        let broken = stored(&Answer::new(502, [], "<html>"), &signed(), true);
        let Verdict::Failed { reason, .. } = broken else { panic!("it failed") };
        assert_eq!(reason, "HTTP status 502");
    }

    #[test]
    fn what_was_not_signed_is_said() {
        let by_token = Allowed::ByToken("they are a user's".to_owned());
        let Verdict::Passed { detail } = stored(&Answer::new(200, [], ""), &by_token, false) else {
            panic!()
        };
        assert!(detail.ends_with("not tried: they are a user's"), "{detail}");
    }

    #[test]
    fn an_etag_is_exposed_by_name_or_by_star() {
        let origin = "https://wandb.acme.com".parse().unwrap();
        let exposing = |headers| {
            etag_exposed(&Answer::new(200, [("access-control-expose-headers", headers)], ""), &origin)
        };
        assert!(matches!(exposing("Content-Type, etag"), Verdict::Passed { .. }));
        assert!(matches!(exposing("x-etag"), Verdict::Failed { .. }));
    }

    #[test]
    fn nothing_is_uploaded_that_could_not_be_removed() {
        let policy = |seconds| RetentionPolicy::new().set_retention_duration(Length::clamp(seconds, 0));
        assert!(keeps(&Described::new().set_retention_policy(policy(60))).is_some());
        assert!(keeps(&Described::new().set_retention_policy(policy(0))).is_none());
        assert!(keeps(&Described::new().set_default_event_based_hold(true)).is_some());
    }

    #[test]
    fn soft_delete_is_told_in_days() {
        let policy = |seconds| {
            let policy = SoftDeletePolicy::new().set_retention_duration(Length::clamp(seconds, 0));
            Described::new().set_soft_delete_policy(policy)
        };
        assert_eq!(soft_deleted(&policy(604_800)).as_deref(), Some("7d"));
        assert_eq!(soft_deleted(&policy(0)), None);
    }
}
