//! When two statements mean the same, although they are written differently.
//!
//! AWS stores a policy as it was sent in some services and rewrites it in others: IAM turns account
//! ids into ARNs, SQS writes its actions in upper case, one-element arrays become strings. Source:
//! IAM user guide, "IAM JSON policy element reference", and the rules of Terraform's
//! `awspolicyequivalence`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::value::printable;

/// Whether two statements mean the same. The order of keys and of values in a list, one value
/// alone or in a list, the spelling of actions and the two ways to name an account do not matter.
pub(crate) fn same_meaning(one: &Value, other: &Value) -> bool {
    normal(one) == normal(other)
}

/// Whether two statements mean the same whatever their `Sid`s are.
pub(super) fn same_effect(one: &Value, other: &Value) -> bool {
    let without_sid = |statement: &Value| {
        let mut statement = normal(statement);
        statement.as_object_mut().map(|elements| elements.remove("Sid"));
        statement
    };
    without_sid(one) == without_sid(other)
}

/// The statement in the one form that all of the same meaning share.
pub(super) fn normal(statement: &Value) -> Value {
    let Value::Object(elements) = statement else { return statement.clone() };
    let mut result = Map::new();
    for (key, value) in elements {
        let value = match key.as_str() {
            "Action" | "NotAction" => set(value, |action| action.to_ascii_lowercase()),
            "Resource" | "NotResource" => set(value, str::to_owned),
            "Principal" | "NotPrincipal" => principal(value),
            "Condition" => condition(value),
            // An empty Sid is none.
            "Sid" if value == "" => continue,
            _ => value.clone(),
        };
        if key != "Condition" || value.as_object().is_none_or(|operators| !operators.is_empty()) {
            result.insert(key.clone(), value);
        }
    }
    Value::Object(result)
}

/// The values of an element that allows one or many.
pub(super) fn one_or_many(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        single => std::slice::from_ref(single),
    }
}

/// Text as it is; numbers and booleans as the text that AWS reads them as.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An element as text: its values, sanitized.
pub(super) fn words(value: &Value) -> String {
    let values: Vec<String> = match value {
        Value::Object(types) => types.values().flat_map(one_or_many).map(text).collect(),
        value => one_or_many(value).iter().map(text).collect(),
    };
    printable(&values.join(", "))
}

fn set(value: &Value, each: impl Fn(&str) -> String) -> Value {
    let values: BTreeSet<String> = one_or_many(value).iter().map(|value| each(&text(value))).collect();
    values.into_iter().collect()
}

/// Everyone is `"*"` or `{"AWS": "*"}`; an account is its id or its root's ARN.
fn principal(value: &Value) -> Value {
    match value {
        Value::Object(types) => {
            types.iter().map(|(kind, value)| (kind.clone(), set(value, account_or_arn))).collect()
        }
        Value::String(everyone) if everyone == "*" => principal(&serde_json::json!({ "AWS": "*" })),
        other => other.clone(),
    }
}

pub(super) fn account_or_arn(text: &str) -> String {
    let fields: Vec<&str> = text.split(':').collect();
    match fields[..] {
        ["arn", _, "iam", "", account, "root"] => account.to_owned(),
        _ => text.to_owned(),
    }
}

/// Condition keys are not case-sensitive, and `Bool` accepts `true` in every spelling.
fn condition(value: &Value) -> Value {
    let Value::Object(operators) = value else { return value.clone() };
    let one_operator = |(operator, keys): (&String, &Value)| {
        let Value::Object(keys) = keys else { return (operator.clone(), keys.clone()) };
        let boolean = operator.starts_with("Bool") || operator == "Null";
        let mut merged: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (key, values) in keys {
            let values = one_or_many(values).iter().map(text);
            let values = values.map(|value| if boolean { value.to_ascii_lowercase() } else { value });
            merged.entry(key.to_ascii_lowercase()).or_default().extend(values);
        }
        let merged = merged.into_iter().map(|(key, values)| (key, values.into_iter().collect::<Value>()));
        (operator.clone(), merged.collect::<Value>())
    };
    operators.iter().map(one_operator).collect()
}
