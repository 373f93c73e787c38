//! Empties a bucket by lifecycle rules of wbstore among the bucket's others.

use jiff::Timestamp;

use super::store::{Expiration, Lifecycle};
use crate::error::{Error, Kind, Result};
use crate::resource::Deleted;

/// Puts the rules of `deployment` into the lifecycle document of `store`, beside those of others.
///
/// # Errors
/// [`Kind::Refused`] when there is no room for them; [`Kind::NotYet`] when they differ on reading back.
pub(super) async fn expire<S: Lifecycle>(store: &S, by: &Expiration, deployment: &str) -> Result<Deleted> {
    let Some((rules, rest)) = store.lifecycle().await? else { return Ok(Deleted::Gone) };
    let wanted = merged::<S>(&rules, S::ours(deployment)?);
    if wanted.len() > by.rules_at_most {
        return Err(Error::refused(format!(
            "empty {}: there is no room for {} more lifecycle rules (at most {})",
            store.name(),
            wanted.len() - rules.len(),
            by.rules_at_most
        ))
        .hint("remove a rule that is not needed, or empty it with `--delete-objects` alone"));
    }
    if rules != wanted {
        store.set_lifecycle(&wanted, rest).await?;
        let Some((found, _)) = store.lifecycle().await? else { return Ok(Deleted::Gone) };
        // No cloud promises to keep their order.
        if found.len() != wanted.len() || !wanted.iter().all(|rule| found.contains(rule)) {
            return Err(Error::new(
                Kind::NotYet,
                format!("empty {}: the lifecycle rules read back differ from those written", store.name()),
            ));
        }
    }
    Ok(Deleted::Pending { how: by.how, until: (by.until)(Timestamp::now()) })
}

/// Whether one of `rules` is of an earlier teardown of `deployment`. Later uploads are deleted too.
///
/// # Errors
/// Those of [`Lifecycle::ours`].
pub(crate) fn is_emptying<S: Lifecycle>(rules: &[S::Rule], deployment: &str) -> Result<bool> {
    Ok(S::ours(deployment)?.iter().any(|ours| rules.iter().any(|rule| S::is_same(rule, ours))))
}

/// `rules` with those of wbstore in their place if they exist, and at the end otherwise.
fn merged<S: Lifecycle>(rules: &[S::Rule], ours: Vec<S::Rule>) -> Vec<S::Rule> {
    let mut rules = rules.to_vec();
    for rule in ours {
        match rules.iter_mut().find(|other| S::is_same(other, &rule)) {
            Some(other) => *other = rule,
            None => rules.push(rule),
        }
    }
    rules
}
