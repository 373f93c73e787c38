//! Statements that shut out those who have the permission otherwise.

use serde_json::{Map, Value};
use wildmatch::WildMatch;

use super::meaning::{one_or_many, text};
use crate::value::printable;

/// When a statement denies one of `actions`: in any case (empty), or under these conditions. Statements that
/// only deny requests without TLS deny nothing that anybody here sends.
pub(super) fn denies(statement: &Value, actions: &[&str]) -> Option<String> {
    if statement.get("Effect").and_then(Value::as_str) != Some("Deny") {
        return None;
    }
    let matches = |patterns: &Value, action: &str| {
        let mut patterns = one_or_many(patterns).iter().map(text);
        patterns.any(|pattern| WildMatch::new_case_insensitive(&pattern).matches(action))
    };
    let denied = |action: &&str| {
        statement.get("Action").is_some_and(|some| matches(some, action))
            || statement.get("NotAction").is_some_and(|all_but| !matches(all_but, action))
    };
    let none = Map::new();
    let conditions = statement.get("Condition").and_then(Value::as_object).unwrap_or(&none);
    let keys = conditions.iter().flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flat_map(Map::keys);
        keys.map(move |key| (operator.as_str(), key.as_str()))
    });
    let about_tls =
        |key: &str| ["aws:securetransport", "s3:tlsversion"].contains(&key.to_ascii_lowercase().as_str());
    if !actions.iter().any(denied) || keys.clone().any(|(_, key)| about_tls(key)) {
        return None;
    }
    let words: Vec<_> = keys.map(|(operator, key)| format!("{operator} {key}")).collect();
    Some(printable(&words.join(" and ")))
}
