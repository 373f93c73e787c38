//! Empties a bucket through lifecycle rules: two rules of wbstore among those of the bucket.
//!
//! A changed configuration may take up to a day to take effect, and deletions follow asynchronously (Cloud
//! Storage documentation, "Object Lifecycle Management"). A rule has no id, so wbstore's are identified by
//! their content, which is not plausible for a bucket that is to be kept.

use jiff::ToSpan;
use serde_json::{Value, json};

use super::GcsStore;
use crate::empty::{Expiration, Lifecycle};
use crate::error::Result;
use crate::http::Method;

pub(super) const EXPIRATION: Expiration = Expiration {
    service: "Cloud Storage",
    least: "a day",
    how: "Cloud Storage deletes everything within a day or two, usually within 48 hours",
    until: |now| now.checked_add(48.hours()).unwrap_or(now),
    // The documentation names no limit; the service refuses a document that is too long.
    rules_at_most: usize::MAX,
};

impl Lifecycle for GcsStore {
    type Rule = Value;
    type Rest = String;

    fn ours(_: &str) -> Result<Vec<Value>> {
        Ok(ours().into())
    }

    fn is_same(one: &Value, other: &Value) -> bool {
        one == other
    }

    async fn lifecycle(&self) -> Result<Option<(Vec<Value>, String)>> {
        let found = self.get("?fields=lifecycle,metageneration", "storage.buckets.get").await?;
        Ok(found.map(|found| {
            let rules = found["lifecycle"]["rule"].as_array().cloned().unwrap_or_default();
            (rules, found["metageneration"].as_str().unwrap_or_default().to_owned())
        }))
    }

    async fn set_lifecycle(&self, rules: &[Value], metageneration: String) -> Result<()> {
        let path = self.path(&format!("?ifMetagenerationMatch={metageneration}"));
        let body = json!({"lifecycle": {"rule": rules}});
        let written = self.rest.write(Method::PATCH, &path, Some(&body)).await?;
        written.map_err(|refusal| refusal.explain("storage.buckets.update", &self.name))
    }
}

/// Expires everything at once, and then the versions that this made noncurrent.
fn ours() -> [Value; 2] {
    ["age", "daysSinceNoncurrentTime"]
        .map(|days| json!({"action": {"type": "Delete"}, "condition": {days: 0}}))
}

/// Whether a bucket with these `rules` is being emptied by some that an earlier teardown left. What is
/// uploaded meanwhile is deleted too.
pub(crate) fn is_emptying(rules: &[Value]) -> bool {
    ours().iter().any(|ours| rules.contains(ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_of_ours_empty_a_bucket() {
        let theirs = json!({"action": {"type": "Delete"}, "condition": {"age": 30}});
        assert!(!is_emptying(&[]));
        assert!(!is_emptying(std::slice::from_ref(&theirs)));
        let [first, second] = ours();
        assert!(is_emptying(&[theirs, first]));
        assert!(is_emptying(&[second]));
    }
}
