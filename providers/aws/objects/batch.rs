//! One call that deletes up to a thousand versions, and what became of each.
//!
//! S3 answers DeleteObjects with 200 even when some keys failed, and the SDK does not look inside
//! (S3 API reference, "DeleteObjects"): every entry of the answer is read here.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_s3::config::{Config, retry::RetryConfig};
use aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures::StreamExt;

use super::listing::{Bucket, Version};
use crate::error::{Error, Kind, Result};
use crate::providers::aws::failure::{code, failure};
use crate::text::clean;

/// The most keys that one DeleteObjects call takes.
pub const BATCH: usize = 1000;
/// Keys that go one by one, at a time.
const SINGLES: usize = 8;

/// A version to delete, and how often that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    key: String,
    id: Option<String>,
    /// How often deleting it has failed.
    pub tries: u32,
}

impl From<Version> for Target {
    fn from(version: Version) -> Self {
        Self { key: version.key, id: version.id, tries: 0 }
    }
}

/// What became of one batch.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many are gone.
    pub gone: u64,
    /// Those to try again.
    pub again: Vec<Target>,
    /// Whether the service asked to slow down, and for how long if it said.
    pub slow_down: Option<Option<Duration>>,
    /// Why the last of those to try again failed.
    pub passing: Option<Error>,
    /// A failure that does not pass.
    pub failed: Option<Error>,
}

impl Outcome {
    /// `targets` may be tried again, because of `error`, which passes.
    fn repeat(&mut self, targets: impl IntoIterator<Item = Target>, error: Error) {
        self.again.extend(targets.into_iter().map(|target| Target { tries: target.tries + 1, ..target }));
        if error.kind() == Kind::Throttled {
            self.slow_down = Some(error.server_wait().max(self.slow_down.flatten()));
        }
        self.passing = Some(error);
    }
}

/// Deletes `targets`, at most [`BATCH`].
pub async fn delete(bucket: &Bucket, targets: Vec<Target>) -> Outcome {
    // XML 1.0 has no way to write most control characters, so that such keys cannot stand in the
    // body of a DeleteObjects call; in a path they can.
    let (plain, odd): (Vec<_>, Vec<_>) =
        targets.into_iter().partition(|target| target.key.chars().all(in_xml));
    let mut outcome = Outcome::default();
    if !plain.is_empty() {
        together(bucket, plain, &mut outcome).await;
    }
    let mut singles = futures::stream::iter(odd)
        .map(|target| async { (one(bucket, &target).await, target) })
        .buffer_unordered(SINGLES);
    while let Some((done, target)) = singles.next().await {
        match done {
            Ok(()) => outcome.gone += 1,
            Err(error) if error.passes() => outcome.repeat([target], error),
            Err(error) => outcome.failed = Some(error),
        }
    }
    outcome
}

/// Whether XML 1.0 has the character (section 2.2, production `Char`).
fn in_xml(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

async fn together(bucket: &Bucket, targets: Vec<Target>, outcome: &mut Outcome) {
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
        // A repetition inside the SDK would hide from us that the service asks to slow down.
        .config_override(Config::builder().retry_config(RetryConfig::disabled()))
        .send()
        .await;
    match answer {
        Ok(answer) => read(answer, targets, &bucket.name, outcome),
        Err(error) => {
            let busy = matches!(code(&error), "SlowDown" | "ServiceUnavailable");
            let error = failure(error, "s3:DeleteObjectVersion", &bucket.name);
            if !error.passes() {
                outcome.failed = Some(error);
                return;
            }
            let wait = error.server_wait();
            let busy = busy || wait.is_some();
            outcome.repeat(targets, error);
            if busy {
                outcome.slow_down = Some(wait);
            }
        }
    }
}

fn body(targets: &[Target]) -> Result<Delete> {
    let unbuilt = |error| Error::new(Kind::Failed, "delete objects").because(error);
    let mut objects = Vec::with_capacity(targets.len());
    for target in targets {
        let object = ObjectIdentifier::builder().key(&target.key).set_version_id(target.id.clone()).build();
        objects.push(object.map_err(unbuilt)?);
    }
    Delete::builder().set_objects(Some(objects)).quiet(false).build().map_err(unbuilt)
}

/// Reads what became of each of `targets`.
fn read(answer: DeleteObjectsOutput, targets: Vec<Target>, bucket: &str, outcome: &mut Outcome) {
    let deleted = answer.deleted.unwrap_or_default();
    let errors = answer.errors.unwrap_or_default();
    let told = deleted.len() + errors.len();
    outcome.gone += u64::try_from(deleted.len()).unwrap_or_default();
    if errors.is_empty() && told == targets.len() {
        return;
    }
    // Which of `targets` each entry speaks of; what no entry speaks of is tried again.
    let mut untold: HashSet<(String, Option<String>)> = HashSet::new();
    if told != targets.len() {
        untold.extend(targets.iter().map(|target| (target.key.clone(), target.id.clone())));
    }
    for entry in deleted {
        untold.remove(&(entry.key.unwrap_or_default(), entry.version_id));
    }
    for entry in errors {
        let name = (entry.key.unwrap_or_default(), entry.version_id);
        untold.remove(&name);
        let tries =
            targets.iter().find(|target| target.key == name.0 && target.id == name.1).map_or(0, |t| t.tries);
        let target = Target { key: name.0, id: name.1, tries };
        let code = entry.code.unwrap_or_default();
        match fate(&code, &clean(&entry.message.unwrap_or_default()), &target.key, bucket) {
            Fate::Gone => outcome.gone += 1,
            Fate::Again(error) => outcome.repeat([target], error),
            Fate::Stays(error) => outcome.failed = Some(error),
        }
    }
    if !untold.is_empty() {
        let error = Error::new(
            Kind::Transient,
            format!(
                "s3:DeleteObjectVersion on {bucket}: the answer does not say what became of {} keys",
                untold.len()
            ),
        );
        let silent =
            targets.into_iter().filter(|target| untold.contains(&(target.key.clone(), target.id.clone())));
        outcome.repeat(silent, error);
    }
}

/// What an error entry means for its key.
enum Fate {
    /// It is gone, though not by us.
    Gone,
    /// It may be tried again.
    Again(Error),
    /// It cannot be deleted.
    Stays(Error),
}

fn fate(code: &str, message: &str, key: &str, bucket: &str) -> Fate {
    let said = format!("s3:DeleteObjectVersion on {bucket}/{}: {code}: {message}", clean(key));
    match code {
        "NoSuchKey" | "NoSuchVersion" => Fate::Gone,
        "SlowDown" | "ServiceUnavailable" => Fate::Again(Error::new(Kind::Throttled, said)),
        "InternalError" | "RequestTimeout" | "OperationAborted" => {
            Fate::Again(Error::new(Kind::Transient, said))
        }
        "AccessDenied" => Fate::Stays(Error::new(Kind::Denied, said).hint(why_denied(message))),
        _ => Fate::Stays(Error::new(Kind::Failed, said)),
    }
}

/// S3 has one code for four reasons; the message tells them apart where it says anything at all.
fn why_denied(message: &str) -> String {
    let words = message.to_lowercase();
    if words.contains("object lock") || words.contains("worm") || words.contains("retention") {
        "Object Lock keeps this version; it can go when its retention ends or its legal hold is lifted"
            .to_owned()
    } else if words.contains("mfa") {
        "MFA delete is on; only the account's root user can delete versions, with its device".to_owned()
    } else if words.contains("explicit deny") {
        "a policy denies s3:DeleteObjectVersion explicitly; look at the bucket policy, and ask its owner"
            .to_owned()
    } else {
        "grant s3:DeleteObject and s3:DeleteObjectVersion on the bucket's objects; if they are granted, a bucket \
         policy, Object Lock or a legal hold keeps this version"
            .to_owned()
    }
}

async fn one(bucket: &Bucket, target: &Target) -> Result<()> {
    let answer = bucket
        .s3
        .delete_object()
        .bucket(&bucket.name)
        .expected_bucket_owner(&bucket.owner)
        .key(&target.key)
        .set_version_id(target.id.clone())
        .send()
        .await;
    match answer {
        Ok(_) => Ok(()),
        Err(error) if matches!(code(&error), "NoSuchKey" | "NoSuchVersion") => Ok(()),
        Err(error) => {
            Err(failure(error, "s3:DeleteObjectVersion", format!("{}/{}", bucket.name, clean(&target.key))))
        }
    }
}

#[cfg(test)]
mod tests;
