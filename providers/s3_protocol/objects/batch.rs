//! One call that deletes up to a thousand versions, and what became of each.
//!
//! S3 returns 200 for DeleteObjects even when some keys failed, and the SDK does not check the body (S3 API
//! reference, "DeleteObjects"): every failure in the response is read here.

use std::sync::atomic::Ordering;

use aws_sdk_s3::config::{Config, retry::RetryConfig};
use aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::StreamExt;

use super::S3Store;
use crate::ablation::Safeguard;
use crate::empty::{Entry, Outcome, What};
use crate::error::{Error, Kind, Result};
use crate::providers::s3_protocol::failure::{code, codes, is_declined, status};
use crate::providers::s3_protocol::root::Root;
use crate::text::clean;

/// Entries that go one by one, at a time.
const SINGLES: usize = 8;

impl S3Store {
    /// Deletes at most a thousand entries.
    pub(crate) async fn delete_entries(&self, batch: Vec<Entry>) -> Outcome {
        // XML 1.0 has no way to write most control characters, so that such keys cannot be in the body of a
        // DeleteObjects call; in a path they can.
        let is_declined = self.singly.as_ref().is_some_and(|singly| singly.load(Ordering::Relaxed));
        let (together, mut singly): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .partition(|entry| !is_declined && entry.what != What::Upload && entry.key.chars().all(in_xml));
        let mut outcome = Outcome::default();
        if !together.is_empty() {
            singly.extend(delete_together(self, together, &mut outcome).await);
        }
        let mut singles = futures::stream::iter(singly)
            .map(|entry| async { (self.delete_one(&entry).await, entry) })
            .buffer_unordered(SINGLES);
        while let Some((done, entry)) = singles.next().await {
            match done {
                Ok(()) => outcome.gone += 1,
                Err(error) => outcome.left([entry], error),
            }
        }
        outcome
    }
}

/// Whether XML 1.0 has the character (section 2.2, production `Char`).
fn in_xml(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Deletes `targets`, and returns them where the endpoint declines the call.
async fn delete_together(bucket: &S3Store, targets: Vec<Entry>, outcome: &mut Outcome) -> Vec<Entry> {
    let body = match body(&targets) {
        Ok(body) => body,
        Err(error) => {
            outcome.failed = Some(error);
            return vec![];
        }
    };
    let root = Root::default();
    let answer = bucket
        .s3
        .delete_objects()
        .bucket(&bucket.name)
        .set_expected_bucket_owner(bucket.owner.clone())
        .delete(body)
        .customize()
        .interceptor(root.clone())
        // A retry inside the SDK would hide that the service throttles.
        .config_override(Config::builder().retry_config(RetryConfig::disabled()))
        .send()
        .await;
    if let Some(singly) = &bucket.singly
        && declines(&answer, root.name().as_deref())
    {
        singly.store(true, Ordering::Relaxed);
        return targets;
    }
    match answer {
        Ok(answer) => read(answer, &targets, &bucket.name, outcome),
        Err(error) => {
            let busy = matches!(code(&error), "SlowDown" | "ServiceUnavailable");
            let error = bucket.failure(error, "s3:DeleteObjectVersion", &bucket.name);
            outcome.left(targets, error);
            if busy {
                outcome.slow_down.get_or_insert(None);
            }
        }
    }
    vec![]
}

/// Whether the endpoint has no such call, or not with the checksum that the SDK sends: it answered with another document, or
/// with an error that is about the request itself.
fn declines<T, E: ProvideErrorMetadata>(
    answer: &std::result::Result<T, SdkError<E, HttpResponse>>,
    root: Option<&str>,
) -> bool {
    match answer {
        Ok(_) => root != Some("DeleteResult"),
        Err(error) => {
            is_declined(error) || matches!(status(error), 400 | 404 | 411) && !is_of_another_kind(code(error))
        }
    }
}

/// Whether `code` is about the bucket or the credentials, and not about the call.
fn is_of_another_kind(code: &str) -> bool {
    code == "NoSuchBucket"
        || [codes::EXPIRED, codes::UNACCEPTED, codes::THROTTLED, codes::TRANSIENT, codes::ELSEWHERE]
            .iter()
            .any(|codes| codes.contains(&code))
}

fn body(targets: &[Entry]) -> Result<Delete> {
    let unbuilt = |error| Error::new(Kind::Failed, "delete objects").because(error);
    let mut objects = Vec::with_capacity(targets.len());
    for target in targets {
        let object = ObjectIdentifier::builder().key(&target.key).set_version_id(target.id.clone()).build();
        objects.push(object.map_err(unbuilt)?);
    }
    Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(unbuilt)
}

/// Reads what became of each of `targets`. A quiet request is answered with the failures only, which is a
/// thousandth of the bytes. Whether the service has kept silent about others, the look before the bucket's
/// deletion shows.
fn read(answer: DeleteObjectsOutput, targets: &[Entry], bucket: &str, outcome: &mut Outcome) {
    let errors = if Safeguard::PerKeyErrors.holds() { answer.errors.unwrap_or_default() } else { vec![] };
    outcome.gone += targets.len().saturating_sub(errors.len()) as u64;
    for entry in errors {
        let name = (entry.key.unwrap_or_default(), entry.version_id);
        let tries =
            targets.iter().find(|target| target.key == name.0 && target.id == name.1).map_or(0, |t| t.tries);
        let target = Entry { key: name.0, id: name.1, tries, ..Entry::default() };
        let code = entry.code.unwrap_or_default();
        match fate(&code, &clean(&entry.message.unwrap_or_default()), &target.key, bucket) {
            None => outcome.gone += 1,
            Some(error) => outcome.left([target], error),
        }
    }
}

/// The error of an error entry for its key; `None` if the key no longer exists.
fn fate(code: &str, message: &str, key: &str, bucket: &str) -> Option<Error> {
    let said = format!("s3:DeleteObjectVersion on {bucket}/{}: {code}: {message}", clean(key));
    Some(match code {
        "NoSuchKey" | "NoSuchVersion" => return None,
        "SlowDown" | "ServiceUnavailable" => Error::new(Kind::Throttled, said),
        "InternalError" | "RequestTimeout" | "OperationAborted" => Error::new(Kind::Transient, said),
        "AccessDenied" => Error::new(Kind::Denied, said).hint(why_denied(message)),
        _ => Error::new(Kind::Failed, said),
    })
}

/// S3 has one code for four reasons; only the message distinguishes them, if there is one.
fn why_denied(message: &str) -> String {
    let words = message.to_lowercase();
    if words.contains("object lock") || words.contains("worm") || words.contains("retention") {
        "Object Lock keeps this version until its retention ends or its legal hold is lifted".to_owned()
    } else if words.contains("mfa") {
        "MFA delete is on; only the account's root user can delete versions, with its device".to_owned()
    } else if words.contains("explicit deny") {
        "a policy denies s3:DeleteObjectVersion explicitly; check the bucket policy, and ask its owner"
            .to_owned()
    } else {
        "grant s3:DeleteObject and s3:DeleteObjectVersion on the bucket's objects; if they are granted, a bucket \
         policy, Object Lock or a legal hold keeps this version"
            .to_owned()
    }
}

impl S3Store {
    /// Deletes a version, or aborts an upload, whose parts are stored and billed though nothing shows them.
    ///
    /// # Errors
    /// Those of the call.
    pub(crate) async fn delete_one(&self, entry: &Entry) -> Result<()> {
        let Self { s3, name, owner, .. } = self;
        let (key, id) = (&entry.key, entry.id.clone());
        if entry.what == What::Upload {
            let call = s3.abort_multipart_upload().bucket(name).set_expected_bucket_owner(owner.clone());
            return match call.key(key).set_upload_id(id).send().await {
                Err(error) if code(&error) != "NoSuchUpload" => {
                    Err(self.failure(error, "s3:AbortMultipartUpload", name))
                }
                _ => Ok(()),
            };
        }
        let call = s3.delete_object().bucket(name).set_expected_bucket_owner(owner.clone());
        match call.key(key).set_version_id(id).send().await {
            Err(error) if !matches!(code(&error), "NoSuchKey" | "NoSuchVersion") => {
                Err(self.failure(error, "s3:DeleteObjectVersion", format!("{name}/{}", clean(key))))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
