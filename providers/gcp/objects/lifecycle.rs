//! Lets Cloud Storage empty a bucket by itself: two rules of ours among those of the bucket.
//!
//! A changed configuration may take up to a day to come into force, and deletions follow in their own
//! time (Cloud Storage documentation, "Object Lifecycle Management"). A rule has no id, so that ours are
//! known by what they say, which nobody else would say of a bucket that is to be kept.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};
use crate::providers::gcp::bucket::{Described, calls};
use crate::providers::gcp::session::Api;
use crate::resource::Deleted;

/// Puts our rules among those of `bucket`. The write holds only for the bucket as it was read.
///
/// # Errors
/// [`Kind::Conflict`] when others change the bucket every time.
pub async fn hand_over(api: &Api, bucket: &str) -> Result<Deleted> {
    let add = |found: &Described| {
        let mut rules = found.lifecycle_rules().to_vec();
        let missing: Vec<_> = ours().into_iter().filter(|ours| !rules.contains(ours)).collect();
        let differs = !missing.is_empty();
        rules.extend(missing);
        differs.then(|| json!({ "lifecycle": { "rule": rules } }))
    };
    calls::change(api, bucket, add).await?;
    let Some(after) = calls::get(api, bucket).await? else { return Ok(Deleted::Gone) };
    if !is_emptying(&after) {
        return Err(Error::new(
            Kind::NotYet,
            format!("empty {bucket}: the lifecycle rules do not read back as they were written"),
        ));
    }
    let now = Timestamp::now();
    Ok(Deleted::Pending {
        how: "Cloud Storage deletes everything by itself, within a day or two, mostly 48 hours",
        until: now.checked_add(48.hours()).unwrap_or(now),
    })
}

/// Whether the bucket that is `described` is being emptied by rules that an earlier teardown left. What
/// is uploaded meanwhile goes too.
pub fn is_emptying(described: &Described) -> bool {
    ours().iter().any(|ours| described.lifecycle_rules().contains(ours))
}

/// Our two rules: everything at once, and what the first one made noncurrent at once after that.
fn ours() -> [Value; 2] {
    ["age", "daysSinceNoncurrentTime"]
        .map(|days| json!({ "action": { "type": "Delete" }, "condition": { days: 0 } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_of_ours_empty_a_bucket() {
        let with = |rules: &[&Value]| Described::from(json!({ "lifecycle": { "rule": rules } }));
        let theirs = json!({ "action": { "type": "Delete" }, "condition": { "age": 30 } });
        assert!(!is_emptying(&Described::default()));
        assert!(!is_emptying(&with(&[&theirs])));
        let [first, second] = ours();
        assert!(is_emptying(&with(&[&theirs, &first])));
        assert!(is_emptying(&with(&[&second])));
    }
}
