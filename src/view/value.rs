//! The values of fields, complete and on one line.

use serde_json::Value;

use super::clean::clean;
use crate::plan::Change;

/// A field before and after, as text. A missing side is a field that is not set.
pub(super) struct Shown {
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
}

impl Shown {
    pub(super) fn of(change: &Change) -> Self {
        let as_text = |show: fn(&Value) -> String| Self {
            old: change.old.as_ref().map(show),
            new: change.new.as_ref().map(show),
        };
        let friendly = as_text(friendly);
        // `300` as text and as a number differ, and must look different.
        if friendly.old == friendly.new { as_text(exact) } else { friendly }
    }
}

/// Text is not quoted where it cannot be mistaken for another value.
fn friendly(value: &Value) -> String {
    match value {
        Value::String(text) if reads_as_text(text) => text.clone(),
        value => exact(value),
    }
}

fn exact(value: &Value) -> String {
    // JSON escapes the control characters; the marks of bidirectional text it lets through.
    clean(&value.to_string()).into_owned()
}

fn reads_as_text(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && clean(text) == text
        && !text.contains('→')
        && serde_json::from_str::<Value>(text).is_err()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Change, Shown};

    fn shown(old: Value, new: Value) -> (String, String) {
        let shown = Shown::of(&Change { field: "f".to_owned(), old: Some(old), new: Some(new) });
        (shown.old.unwrap_or_default(), shown.new.unwrap_or_default())
    }

    #[test]
    fn two_values_that_differ_never_look_alike() {
        assert_eq!(shown(json!("plain text"), json!("other")), ("plain text".into(), "other".into()));
        assert_eq!(shown(json!("300"), json!(300)), (r#""300""#.into(), "300".into()));
        assert_eq!(shown(json!(""), json!("null")), (r#""""#.into(), r#""null""#.into()));
        assert_eq!(shown(json!("a\u{202e}"), json!("a")), (r#""a""#.into(), "a".into()));
        assert_eq!(shown(json!("a\u{1b}"), json!(" a")), (r#""a\u001b""#.into(), r#"" a""#.into()));
    }
}
