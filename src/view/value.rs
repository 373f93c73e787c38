//! The values of fields, complete and on one line: text in quotes, numbers and booleans without.

use serde_json::Value;

use super::clean::clean;

/// `value` as text. Two values that differ never look alike: `"300"` is text and `300` a number.
pub(super) fn shown(value: &Value) -> String {
    match value {
        // Spaces, so that a long list is wrapped between its items.
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        // JSON escapes the control characters; the marks of bidirectional text it lets through.
        value => clean(&value.to_string()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::shown;

    #[test]
    fn text_is_quoted_and_nothing_else_is() {
        assert_eq!(shown(&json!("plain text")), r#""plain text""#);
        assert_eq!(shown(&json!(["GET", "PUT"])), r#"["GET", "PUT"]"#);
        assert_eq!([shown(&json!(300)), shown(&json!(true)), shown(&json!([]))], ["300", "true", "[]"]);
        assert_eq!(shown(&json!({"a": ["b"]})), r#"{"a":["b"]}"#);
    }

    #[test]
    fn two_values_that_differ_never_look_alike() {
        for (one, other) in [(json!("300"), json!(300)), (json!(""), json!([])), (json!("null"), json!(null))]
        {
            assert_ne!(shown(&one), shown(&other));
        }
        assert_eq!(shown(&json!("a\u{1b}")), r#""a\u001b""#);
        assert_eq!(shown(&json!(" a\u{202e}")), r#"" a""#);
    }
}
