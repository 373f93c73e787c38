//! Whether a statement allows everyone.

use serde_json::Value;

use super::meaning::{one_or_many, text};

/// Condition keys that limit who calls or from where (S3 user guide, "Blocking public access", "The meaning
/// of public"; IAM user guide, "AWS global condition context keys").
const LIMITING_KEYS: [&str; 16] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
];

/// Whether a statement allows everyone, and no condition narrows that.
pub(super) fn is_open_to_all(statement: &Value) -> bool {
    let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    // Allow with NotPrincipal is everyone but a few, anonymous callers included.
    let everyone = statement.get("NotPrincipal").is_some()
        || statement.get("Principal").is_some_and(|principal| match principal {
            Value::Object(types) => types.values().flat_map(one_or_many).any(|value| value == "*"),
            value => one_or_many(value).iter().any(|value| value == "*"),
        });
    allows && everyone && !statement.get("Condition").is_some_and(is_limiting)
}

/// Conditions are joined by "and": one that limits is enough.
fn is_limiting(condition: &Value) -> bool {
    let Value::Object(operators) = condition else { return false };
    operators.iter().any(|(operator, keys)| {
        limits(operator)
            && keys.as_object().is_some_and(|keys| {
                keys.iter().any(|(key, values)| {
                    LIMITING_KEYS.contains(&key.to_ascii_lowercase().as_str())
                        && one_or_many(values).iter().all(|value| !matches_all(&text(value)))
                })
            })
    })
}

/// Whether an operator demands a value. `…IfExists` and `ForAllValues:` are true where the key is
/// missing, as most are in an anonymous request, and `…Not…` is true for nearly everyone.
fn limits(operator: &str) -> bool {
    let operator = operator.strip_prefix("ForAnyValue:").unwrap_or(operator);
    let positive =
        ["StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress"];
    positive.contains(&operator)
}

/// Whether a value matches every caller: wildcards only, an ARN that is wild in account and resource, or the
/// whole of the internet.
fn matches_all(value: &str) -> bool {
    let wild = |text: &str| text.chars().all(|c| c == '*');
    let fields: Vec<&str> = value.splitn(6, ':').collect();
    match fields[..] {
        ["arn", .., account, resource] if fields.len() == 6 => wild(account) && wild(resource),
        _ => wild(value) || matches!(value, "0.0.0.0/0" | "::/0"),
    }
}
