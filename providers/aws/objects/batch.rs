//! One call that deletes up to a thousand versions, and what became of each.
//!
//! S3 returns 200 for DeleteObjects even when some keys failed, and the SDK does not check the body (S3 API
//! reference, "DeleteObjects"): every failure in the response is read here.

use aws_sdk_s3::config::{Config, retry::RetryConfig};
use aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures::StreamExt;

use super::S3Store;
use crate::ablation::Safeguard;
use crate::empty::{Batches, Entry, Outcome, What};
use crate::error::{Error, Kind, Result};
use crate::providers::aws::failure::{code, failure};
use crate::text::clean;

/// Entries that go one by one, at a time.
const SINGLES: usize = 8;

impl Batches for S3Store {
    // The most keys of one DeleteObjects call.
    const BATCH: usize = 1000;
    // A dozen batches of a thousand keys are more than the 3,500 deletions a second that S3 promises for one
    // prefix (S3 user guide, "Best practices design patterns: optimizing Amazon S3 performance"), and S3
    // recommends a gradual increase.
    const AT_FIRST: u16 = 12;
    const AT_ONCE: u16 = 32;
    const UNIT: &'static str = "versions";

    async fn delete(&self, batch: Vec<Entry>) -> Outcome {
        // XML 1.0 has no way to write most control characters, so that such keys cannot be in the body of a
        // DeleteObjects call; in a path they can.
        let (together, singly): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|entry| entry.what != What::Upload && entry.key.chars().all(in_xml));
        let mut outcome = Outcome::default();
        if !together.is_empty() {
            delete_together(self, together, &mut outcome).await;
        }
        let mut singles = futures::stream::iter(singly)
            .map(|entry| async { (delete_one(self, &entry).await, entry) })
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

async fn delete_together(bucket: &S3Store, targets: Vec<Entry>, outcome: &mut Outcome) {
    let body = match body(&targets) {
        Ok(body) => body,
        Err(error) => {
            outcome.failed = Some(error);
            return;
        }
    };
    let answer = bucket
        .s3
        .delete_objects()
        .bucket(&bucket.name)
        .expected_bucket_owner(&bucket.owner)
        .delete(body)
        .customize()
        // A retry inside the SDK would hide that the service throttles.
        .config_override(Config::builder().retry_config(RetryConfig::disabled()))
        .send()
        .await;
    match answer {
        Ok(answer) => read(answer, &targets, &bucket.name, outcome),
        Err(error) => {
            let busy = matches!(code(&error), "SlowDown" | "ServiceUnavailable");
            let error = failure(error, "s3:DeleteObjectVersion", &bucket.name);
            outcome.left(targets, error);
            if busy {
                outcome.slow_down.get_or_insert(None);
            }
        }
    }
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
/// thousandth of the bytes. Whether the service has kept silent about others, the listing at the end shows.
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

/// Deletes a version, or aborts an upload, whose parts are stored and billed though nothing shows them.
async fn delete_one(bucket: &S3Store, entry: &Entry) -> Result<()> {
    let (s3, name, owner) = (&bucket.s3, &bucket.name, &bucket.owner);
    let (key, id) = (&entry.key, entry.id.clone());
    if entry.what == What::Upload {
        let call = s3.abort_multipart_upload().bucket(name).expected_bucket_owner(owner);
        return match call.key(key).set_upload_id(id).send().await {
            Err(error) if code(&error) != "NoSuchUpload" => {
                Err(failure(error, "s3:AbortMultipartUpload", name))
            }
            _ => Ok(()),
        };
    }
    let call = s3.delete_object().bucket(name).expected_bucket_owner(owner);
    match call.key(key).set_version_id(id).send().await {
        Err(error) if !matches!(code(&error), "NoSuchKey" | "NoSuchVersion") => {
            Err(failure(error, "s3:DeleteObjectVersion", format!("{name}/{}", clean(key))))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
