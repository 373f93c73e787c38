//! What a policy allows one principal. Nothing is assumed of conditions: a statement with one allows nothing here.

use serde_json::Value;
use wildmatch::WildMatch;

use super::meaning::{account_or_arn, one_or_many, text};

/// Whether `statement` allows `principal` the action, which may end with `*` itself, on `resource`.
pub(super) fn allows(statement: &Value, principal: &str, action: &str, resource: &str) -> bool {
    let is = |key: &str, value: &str| statement.get(key).and_then(Value::as_str) == Some(value);
    let has_condition = statement
        .get("Condition")
        .is_some_and(|condition| condition.as_object().is_none_or(|operators| !operators.is_empty()));
    is("Effect", "Allow")
        && !has_condition
        && statement.get("Principal").is_some_and(|whom| is_among(whom, principal))
        && statement.get("Action").is_some_and(|actions| covers(actions, action))
        && statement.get("Resource").is_some_and(|resources| covers(resources, resource))
}

fn is_among(whom: &Value, principal: &str) -> bool {
    let wanted = account_or_arn(principal);
    let aws = match whom {
        Value::Object(types) => types.get("AWS"),
        everyone => Some(everyone),
    };
    let named = aws.map(one_or_many).unwrap_or_default();
    named.iter().map(text).any(|one| one == "*" || account_or_arn(&one) == wanted)
}

/// Whether one of the patterns matches all that `name` does.
fn covers(patterns: &Value, name: &str) -> bool {
    let mut patterns = one_or_many(patterns).iter().map(text);
    patterns.any(|pattern| WildMatch::new_case_insensitive(&pattern).matches(name))
}
