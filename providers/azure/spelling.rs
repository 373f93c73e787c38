//! One value, several spellings: Azure's APIs return names in another case than they were written in, and some
//! versions of them numbers and booleans as text.

use serde_json::Value;

/// `wanted` where `found` differs from it only in the case of letters, and `found` otherwise.
pub(super) fn same(found: String, wanted: &str) -> String {
    if found.eq_ignore_ascii_case(wanted) { wanted.to_owned() } else { found }
}

/// A boolean, or the text of one.
pub(super) fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str()?.to_ascii_lowercase().parse().ok())
}

/// A whole number, or the text of one.
pub(super) fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}
