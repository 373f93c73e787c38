//! Lets S3 empty a bucket by itself: two rules of ours in its lifecycle document.
//!
//! S3 expires objects once a day, counted from the next midnight UTC, and one machine has nothing to
//! do. A current version of a versioned bucket first becomes noncurrent and is removed a day later, so
//! that two days are the least (S3 user guide, "Lifecycle and other bucket configurations" and
//! "Emptying a bucket").

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration,
    LifecycleRule, LifecycleRuleFilter, MfaDeleteStatus, NoncurrentVersionExpiration,
    TransitionDefaultMinimumObjectSize,
};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::listing::Bucket;
use crate::error::{Error, Kind, Result};
use crate::providers::aws::failure::{code, failure, is_unreadable};
use crate::providers::aws::session::Api;
use crate::resource::Deleted;

/// How many rules one document holds (S3 API reference, "PutBucketLifecycleConfiguration").
const RULES_AT_MOST: usize = 1000;

/// The document as it stands.
#[derive(Debug, PartialEq)]
struct Document {
    rules: Vec<LifecycleRule>,
    /// A setting of the whole document, which a write without it would reset.
    smallest_transition: Option<TransitionDefaultMinimumObjectSize>,
}

/// Puts our rules into the lifecycle document of `bucket`, beside those of others.
///
/// # Errors
/// [`Kind::Refused`] while MFA delete is on, when S3 takes no lifecycle rules.
pub async fn hand_over(bucket: &Bucket, deployment: &str) -> Result<Deleted> {
    let (document, versioning) = tokio::join!(read(bucket), mfa_delete(bucket));
    let document = document?;
    if versioning? == Some(true) {
        return Err(Error::refused(format!(
            "empty {}: a bucket with MFA delete takes no lifecycle rules",
            bucket.name
        ))
        .hint("the account's root user can switch MFA delete off, with its device"));
    }
    let wanted = merged(document.rules.clone(), ours(deployment)?);
    if wanted.len() > RULES_AT_MOST {
        return Err(Error::refused(format!(
            "empty {}: its lifecycle document has no room for two more rules (at most {RULES_AT_MOST})",
            bucket.name
        ))
        .hint("remove a rule that is not needed, or empty it with --delete-objects alone"));
    }
    let wanted = Document { rules: wanted, ..document };
    if document.rules != wanted.rules {
        write(bucket, &wanted).await?;
        if !same(&read(bucket).await?.rules, &wanted.rules) {
            return Err(Error::new(
                Kind::NotYet,
                format!("empty {}: the lifecycle rules do not read back as they were written", bucket.name),
            ));
        }
    }
    Ok(Deleted::Pending {
        how: "S3 deletes everything by itself, within 48 hours from the next midnight UTC on",
        until: emptied_by(Timestamp::now()),
    })
}

/// When S3 has expired all that is there `now`: at the midnight UTC after two days, one for the current
/// versions and one for what they become.
fn emptied_by(now: Timestamp) -> Timestamp {
    let midnight = TimeZone::UTC.to_datetime(now).start_of_day();
    let then = midnight.checked_add(3.days()).and_then(|then| TimeZone::UTC.to_timestamp(then));
    then.unwrap_or(now)
}

/// Whether `bucket` is being emptied by rules that an earlier teardown of `deployment` left to S3. What
/// is uploaded meanwhile goes too.
///
/// # Errors
/// Those of the read, denied included.
pub async fn is_emptying(api: &Api, bucket: &str, deployment: &str) -> Result<bool> {
    let ids = ids(deployment);
    let document = read(&Bucket::new(api, bucket)).await?;
    Ok(document.rules.iter().any(|rule| rule.id().is_some_and(|id| ids.iter().any(|ours| ours == id))))
}

/// Whether MFA delete is on; `None` when the endpoint does not tell, as some that imitate S3. The
/// service itself enforces it, so that not to know is no danger.
pub async fn mfa_delete(bucket: &Bucket) -> Result<Option<bool>> {
    let answer = bucket
        .s3
        .get_bucket_versioning()
        .bucket(&bucket.name)
        .expected_bucket_owner(&bucket.owner)
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(Some(answer.mfa_delete == Some(MfaDeleteStatus::Enabled))),
        Err(error) if is_unreadable(&error) => Ok(None),
        // Another run deleted it a moment ago.
        Err(error) if code(&error) == "NoSuchBucket" => Ok(Some(false)),
        Err(error) => Err(failure(error, "s3:GetBucketVersioning", &bucket.name)),
    }
}

/// The ids by which the rules are ours.
fn ids(deployment: &str) -> [String; 2] {
    [format!("wbstore-{deployment}-empty"), format!("wbstore-{deployment}-markers")]
}

/// Our two rules. A rule that removes lone delete markers may name no number of days, hence the
/// second.
fn ours(deployment: &str) -> Result<[LifecycleRule; 2]> {
    let [empty, markers] = ids(deployment);
    let rule = |id: String, expiration: LifecycleExpiration| {
        LifecycleRule::builder()
            .id(id)
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix("").build())
            .expiration(expiration)
    };
    let contents = rule(empty, LifecycleExpiration::builder().days(1).build())
        .noncurrent_version_expiration(NoncurrentVersionExpiration::builder().noncurrent_days(1).build())
        .abort_incomplete_multipart_upload(
            AbortIncompleteMultipartUpload::builder().days_after_initiation(1).build(),
        )
        .build();
    let markers =
        rule(markers, LifecycleExpiration::builder().expired_object_delete_marker(true).build()).build();
    let unbuilt = |error| Error::new(Kind::Failed, "describe a lifecycle rule").because(error);
    Ok([contents.map_err(unbuilt)?, markers.map_err(unbuilt)?])
}

/// `rules` with those of ours in their place where they are there, and at the end where not.
fn merged(mut rules: Vec<LifecycleRule>, ours: [LifecycleRule; 2]) -> Vec<LifecycleRule> {
    for rule in ours {
        match rules.iter_mut().find(|other| other.id == rule.id) {
            Some(other) => *other = rule,
            None => rules.push(rule),
        }
    }
    rules
}

/// Whether both hold the same rules; S3 does not promise to keep their order.
fn same(found: &[LifecycleRule], wanted: &[LifecycleRule]) -> bool {
    found.len() == wanted.len() && wanted.iter().all(|rule| found.contains(rule))
}

async fn read(bucket: &Bucket) -> Result<Document> {
    let answer = bucket
        .s3
        .get_bucket_lifecycle_configuration()
        .bucket(&bucket.name)
        .expected_bucket_owner(&bucket.owner)
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(Document {
            rules: answer.rules.unwrap_or_default(),
            smallest_transition: answer.transition_default_minimum_object_size,
        }),
        Err(error) if matches!(code(&error), "NoSuchLifecycleConfiguration" | "NoSuchBucket") => {
            Ok(Document { rules: vec![], smallest_transition: None })
        }
        Err(error) => Err(failure(error, "s3:GetLifecycleConfiguration", &bucket.name)),
    }
}

async fn write(bucket: &Bucket, document: &Document) -> Result<()> {
    let rules = BucketLifecycleConfiguration::builder()
        .set_rules(Some(document.rules.clone()))
        .build()
        .map_err(|error| Error::new(Kind::Failed, "describe the lifecycle rules").because(error))?;
    bucket
        .s3
        .put_bucket_lifecycle_configuration()
        .bucket(&bucket.name)
        .expected_bucket_owner(&bucket.owner)
        .lifecycle_configuration(rules)
        .set_transition_default_minimum_object_size(document.smallest_transition.clone())
        .send()
        .await
        .map(drop)
        .map_err(|error| failure(error, "s3:PutLifecycleConfiguration", &bucket.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(id: Option<&str>) -> LifecycleRule {
        LifecycleRule::builder()
            .set_id(id.map(str::to_owned))
            .status(ExpirationStatus::Disabled)
            .build()
            .unwrap()
    }

    #[test]
    fn rules_of_others_stay_where_they_are() {
        let before = vec![foreign(Some("logs")), foreign(None)];
        let after = merged(before.clone(), ours("acme").unwrap());
        assert_eq!(after[..2], before[..]);
        assert_eq!(after.len(), 4);
        assert_eq!(merged(after.clone(), ours("acme").unwrap()), after);
    }

    #[test]
    fn markers_have_a_rule_of_their_own() {
        let [contents, markers] = ours("acme").unwrap();
        let days = contents.expiration.unwrap();
        assert_eq!((days.days, days.expired_object_delete_marker), (Some(1), None));
        let lone = markers.expiration.unwrap();
        assert_eq!((lone.days, lone.expired_object_delete_marker), (None, Some(true)));
    }
}
