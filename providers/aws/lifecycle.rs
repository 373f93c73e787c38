//! Empties a bucket through lifecycle rules: two rules of wbstore in its lifecycle document.
//!
//! S3 expires objects once a day, counted from the next midnight UTC, and one machine has nothing to
//! do. A current version of a versioned bucket first becomes noncurrent and is removed a day later, so
//! that two days are the least (S3 user guide, "Lifecycle and other bucket configurations" and
//! "Emptying a bucket").

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration,
    LifecycleRule, LifecycleRuleFilter, NoncurrentVersionExpiration, TransitionDefaultMinimumObjectSize,
};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::empty::{self, Expiration, Lifecycle};
use crate::error::{Error, Kind, Result};
use crate::lifecycle::deletes_objects;
use crate::providers::aws::failure::{code, failure};
use crate::providers::aws::objects::store;
use crate::providers::aws::session::Api;
use crate::providers::s3_protocol::objects::S3Store;
use crate::value::quoted;

pub(super) const EXPIRATION: Expiration = Expiration {
    service: "S3",
    least: "two days",
    how: "S3 deletes everything within 48 hours after the next midnight UTC",
    until: emptied_by,
    // S3 API reference, "PutBucketLifecycleConfiguration".
    rules_at_most: 1000,
};

impl Lifecycle for S3Store {
    type Rule = LifecycleRule;
    /// A setting of the whole document, which a write without it would reset.
    type Rest = Option<TransitionDefaultMinimumObjectSize>;

    /// Two rules: one that removes lone delete markers may name no number of days.
    fn ours(deployment: &str) -> Result<Vec<LifecycleRule>> {
        let rule = |what: &str, expiration: LifecycleExpiration| {
            LifecycleRule::builder()
                .id(format!("wbstore-{deployment}-{what}"))
                .status(ExpirationStatus::Enabled)
                .filter(LifecycleRuleFilter::builder().prefix("").build())
                .expiration(expiration)
        };
        let contents = rule("empty", LifecycleExpiration::builder().days(1).build())
            .noncurrent_version_expiration(NoncurrentVersionExpiration::builder().noncurrent_days(1).build())
            .abort_incomplete_multipart_upload(
                AbortIncompleteMultipartUpload::builder().days_after_initiation(1).build(),
            );
        let markers =
            rule("markers", LifecycleExpiration::builder().expired_object_delete_marker(true).build());
        let rules = [contents.build(), markers.build()].into_iter().collect::<std::result::Result<_, _>>();
        rules.map_err(|error| Error::new(Kind::Failed, "describe a lifecycle rule").because(error))
    }

    fn is_same(one: &LifecycleRule, other: &LifecycleRule) -> bool {
        one.id.is_some() && one.id == other.id
    }

    async fn lifecycle(&self) -> Result<Option<(Vec<LifecycleRule>, Self::Rest)>> {
        let call = self.s3.get_bucket_lifecycle_configuration().bucket(&self.name);
        match call.set_expected_bucket_owner(self.owner.clone()).send().await {
            Ok(answer) => {
                Ok(Some((answer.rules.unwrap_or_default(), answer.transition_default_minimum_object_size)))
            }
            Err(error) if code(&error) == "NoSuchLifecycleConfiguration" => Ok(Some((vec![], None))),
            Err(error) if code(&error) == "NoSuchBucket" => Ok(None),
            Err(error) => Err(failure(error, "s3:GetLifecycleConfiguration", &self.name)),
        }
    }

    async fn set_lifecycle(&self, rules: &[LifecycleRule], smallest_transition: Self::Rest) -> Result<()> {
        let rules = BucketLifecycleConfiguration::builder()
            .set_rules(Some(rules.to_vec()))
            .build()
            .map_err(|error| Error::new(Kind::Failed, "describe the lifecycle rules").because(error))?;
        let call = self.s3.put_bucket_lifecycle_configuration().bucket(&self.name);
        let call = call.set_expected_bucket_owner(self.owner.clone()).lifecycle_configuration(rules);
        let sent = call.set_transition_default_minimum_object_size(smallest_transition).send().await;
        sent.map(drop).map_err(|error| failure(error, "s3:PutLifecycleConfiguration", &self.name))
    }
}

/// When S3 has expired everything that exists `now`: at the midnight UTC after two days, one for the current
/// versions and one for the noncurrent versions that they become.
fn emptied_by(now: Timestamp) -> Timestamp {
    let midnight = TimeZone::UTC.to_datetime(now).start_of_day();
    let then = midnight.checked_add(3.days()).and_then(|then| TimeZone::UTC.to_timestamp(then));
    then.unwrap_or(now)
}

/// Whether `bucket` is being emptied by rules that an earlier teardown of `deployment` left to S3, and what
/// rules of others delete.
///
/// # Errors
/// Those of the read, denied included.
pub(crate) async fn lifecycle(api: &Api, bucket: &str, deployment: &str) -> Result<(bool, Vec<String>)> {
    let rules = store(api, bucket).lifecycle().await?.unwrap_or_default().0;
    let ours = S3Store::ours(deployment)?;
    let others = rules.iter().filter(|rule| !ours.iter().any(|ours| S3Store::is_same(rule, ours)));
    Ok((empty::is_emptying::<S3Store>(&rules, deployment)?, others.filter_map(deletes).collect()))
}

/// What `rule` deletes, as a finding. Noncurrent versions, delete markers and unfinished uploads are no files
/// of W&B, and its objects have no tags.
fn deletes(rule: &LifecycleRule) -> Option<String> {
    let filter = rule.filter();
    let both = filter.and_then(|filter| filter.and());
    let tagged = filter.is_some_and(|filter| filter.tag().is_some())
        || both.is_some_and(|both| !both.tags().is_empty());
    if rule.status() != &ExpirationStatus::Enabled || tagged {
        return None;
    }
    let expiration = rule.expiration()?;
    let time = match (expiration.days(), expiration.date()) {
        (Some(days), _) => format!("{days} days after they were created"),
        (None, Some(date)) => {
            let date = Timestamp::from_second(date.secs()).map(|date| date.strftime("%Y-%m-%d").to_string());
            format!("from {} on", date.unwrap_or_default())
        }
        (None, None) => return None,
    };
    let name = match rule.id() {
        Some(id) => format!("the lifecycle rule {}", quoted(id)),
        None => "a lifecycle rule without an id".to_owned(),
    };
    #[expect(deprecated, reason = "rules from before filters have it")]
    let prefix = rule.prefix();
    let prefix = filter.and_then(|filter| filter.prefix()).or(both.and_then(|both| both.prefix())).or(prefix);
    Some(deletes_objects(&name, prefix.unwrap_or_default(), &time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_have_a_rule_of_their_own() {
        let [contents, markers] = S3Store::ours("acme").unwrap().try_into().unwrap();
        let days = contents.expiration.unwrap();
        assert_eq!((days.days, days.expired_object_delete_marker), (Some(1), None));
        let lone = markers.expiration.unwrap();
        assert_eq!((lone.days, lone.expired_object_delete_marker), (None, Some(true)));
    }

    #[test]
    fn only_rules_that_delete_current_objects_are_findings() {
        let rule = |id: &str| LifecycleRule::builder().id(id).status(ExpirationStatus::Enabled);
        let expiring = |rule: aws_sdk_s3::types::builders::LifecycleRuleBuilder| {
            let rule = rule.expiration(LifecycleExpiration::builder().days(30).build());
            deletes(&rule.build().unwrap())
        };
        let filter = LifecycleRuleFilter::builder();
        let found = expiring(rule("tidy").filter(filter.clone().prefix("runs/").build())).unwrap();
        assert!(
            found.contains("`tidy`") && found.contains("30 days") && found.contains("`runs/`"),
            "{found}"
        );
        assert_eq!(expiring(rule("off").status(ExpirationStatus::Disabled)), None);
        let tag = aws_sdk_s3::types::Tag::builder().key("a").value("b").build().unwrap();
        assert_eq!(expiring(rule("tagged").filter(filter.tag(tag).build())), None);
        let noncurrent = NoncurrentVersionExpiration::builder().noncurrent_days(1).build();
        let harmless = rule("old").noncurrent_version_expiration(noncurrent);
        assert_eq!(deletes(&harmless.build().unwrap()), None);
    }

    #[test]
    fn a_rule_without_an_id_is_nobody_s() {
        let rule = |id: Option<&str>| {
            let id = id.map(str::to_owned);
            LifecycleRule::builder().set_id(id).status(ExpirationStatus::Disabled).build().unwrap()
        };
        assert!(S3Store::is_same(&rule(Some("logs")), &rule(Some("logs"))));
        assert!(!S3Store::is_same(&rule(None), &rule(None)));
    }
}
