//! Subscription filters, as far as they are used here:
//! <https://cloud.google.com/pubsub/docs/subscription-message-filter#filtering_syntax>.

use serde_json::{Map, Value};

/// Comparisons that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter(Vec<Comparison>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Comparison {
    Is { key: String, value: String },
    IsNot { key: String, value: String },
    Begins { key: String, prefix: String },
    Has { key: String },
}

impl Filter {
    /// `None` when it is no filter, or one that this double does not know.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.split(" AND ").map(|part| comparison(part.trim())).collect::<Option<_>>().map(Self)
    }

    /// Whether a message with these attributes comes through.
    pub(super) fn admits(&self, attributes: Option<&Map<String, Value>>) -> bool {
        let attribute = |key: &str| attributes.and_then(|all| all.get(key)).and_then(Value::as_str);
        self.0.iter().all(|comparison| match comparison {
            Comparison::Is { key, value } => attribute(key) == Some(value),
            Comparison::IsNot { key, value } => attribute(key) != Some(value),
            Comparison::Begins { key, prefix } => attribute(key).is_some_and(|text| text.starts_with(prefix)),
            Comparison::Has { key } => attribute(key).is_some(),
        })
    }
}

fn comparison(text: &str) -> Option<Comparison> {
    if let Some(arguments) = text.strip_prefix("hasPrefix(").and_then(|rest| rest.strip_suffix(')')) {
        let (key, prefix) = arguments.split_once(',')?;
        return Some(Comparison::Begins { key: attribute(key)?, prefix: quoted(prefix)? });
    }
    if let Some(key) = text.strip_prefix("attributes:") {
        return Some(Comparison::Has { key: quoted(key).unwrap_or_else(|| key.trim().to_owned()) });
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Some(Comparison::IsNot { key: attribute(key)?, value: quoted(value)? });
    }
    let (key, value) = text.split_once('=')?;
    Some(Comparison::Is { key: attribute(key)?, value: quoted(value)? })
}

fn attribute(text: &str) -> Option<String> {
    let key = text.trim().strip_prefix("attributes.")?;
    let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    quoted(key).or_else(|| (plain && !key.is_empty()).then(|| key.to_owned()))
}

fn quoted(text: &str) -> Option<String> {
    serde_json::from_str(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Filter;

    #[test]
    fn a_prefix_and_an_equality_are_understood() {
        let filter =
            Filter::parse(r#"hasPrefix(attributes.objectId, "probe/") AND attributes.eventType = "X""#);
        let filter = filter.expect("it is a filter");
        let admits = |attributes: serde_json::Value| filter.admits(attributes.as_object());
        assert!(admits(json!({"objectId": "probe/1", "eventType": "X"})));
        assert!(!admits(json!({"objectId": "other/1", "eventType": "X"})));
        assert!(!admits(json!({"objectId": "probe/1"})));
    }

    #[test]
    fn nonsense_is_no_filter() {
        for text in ["", "foo bar", "attributes.a = b", "objectId = \"x\"", "hasPrefix(attributes.a)"] {
            assert_eq!(Filter::parse(text), None, "{text}");
        }
    }
}
