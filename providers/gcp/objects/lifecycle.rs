//! Lets Cloud Storage empty a bucket by itself: two rules of ours among those of the bucket.
//!
//! A changed configuration may take up to a day to come into force, and deletions follow in their own
//! time (Cloud Storage documentation, "Object Lifecycle Management"). A rule has no id, so that ours are
//! known by what they say, which nobody else would say of a bucket that is to be kept.

use google_cloud_storage::model::Bucket as Described;
use google_cloud_storage::model::bucket::Lifecycle;
use google_cloud_storage::model::bucket::lifecycle::Rule;
use google_cloud_storage::model::bucket::lifecycle::rule::{Action, Condition};
use google_cloud_wkt::FieldMask;

use super::describe;
use super::listing::Bucket;
use crate::error::{Error, Kind, Result};
use crate::providers::gcp::failure::failure;

/// Puts our rules among those of `bucket`. The write holds only for the bucket as it was read.
///
/// # Errors
/// [`Kind::Pending`] when all went well, as the bucket is not empty yet; [`Kind::Conflict`] when somebody
/// else changed the bucket meanwhile.
pub async fn hand_over(bucket: &Bucket) -> Result<()> {
    let Some(before) = describe(bucket).await? else { return Ok(()) };
    if !is_emptying(&before) {
        write(bucket, &before).await?;
        if !describe(bucket).await?.is_none_or(|after| is_emptying(&after)) {
            return Err(Error::new(
                Kind::NotYet,
                format!("empty {}: the lifecycle rules do not read back as they were written", bucket.name),
            ));
        }
    }
    Err(Error::new(
        Kind::Pending,
        format!("empty {}: Cloud Storage does it by itself, within a day or two", bucket.name),
    )
    .hint("run the same command again after 48 hours; objects are billed until they are gone"))
}

/// Whether the bucket that is `described` is being emptied by rules that an earlier teardown left. What
/// is uploaded meanwhile goes too.
pub fn is_emptying(described: &Described) -> bool {
    let rules = described.lifecycle.as_ref().map(|lifecycle| lifecycle.rule.as_slice()).unwrap_or_default();
    ours().iter().any(|ours| rules.contains(ours))
}

/// Our two rules: everything at once, and what the first one made noncurrent at once after that.
fn ours() -> [Rule; 2] {
    let delete = |condition: Condition| {
        Rule::new().set_action(Action::new().set_type("Delete")).set_condition(condition)
    };
    [delete(Condition::new().set_age_days(0)), delete(Condition::new().set_days_since_noncurrent_time(0))]
}

async fn write(bucket: &Bucket, before: &Described) -> Result<()> {
    let mut rules = before.lifecycle.clone().unwrap_or_default().rule;
    rules.extend(ours().into_iter().filter(|ours| !rules.contains(ours)).collect::<Vec<_>>());
    let wanted = Described::new().set_name(&bucket.full_name).set_lifecycle(Lifecycle::new().set_rule(rules));
    bucket
        .control
        .update_bucket()
        .set_bucket(wanted)
        .set_if_metageneration_match(before.metageneration)
        .set_update_mask(FieldMask::default().set_paths(["lifecycle"]))
        .send()
        .await
        .map(drop)
        .map_err(|error| failure(&error, "storage.buckets.update", &bucket.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_of_ours_empty_a_bucket() {
        let with = |rules: Vec<Rule>| Described::new().set_lifecycle(Lifecycle::new().set_rule(rules));
        let theirs = Rule::new()
            .set_action(Action::new().set_type("Delete"))
            .set_condition(Condition::new().set_age_days(30));
        assert!(!is_emptying(&Described::new()));
        assert!(!is_emptying(&with(vec![theirs.clone()])));
        let [first, second] = ours();
        assert!(is_emptying(&with(vec![theirs, first])));
        assert!(is_emptying(&with(vec![second])));
    }
}
