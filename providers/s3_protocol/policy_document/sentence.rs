//! A statement as one sentence: whom it allows or denies what, and under which conditions.

use serde_json::{Map, Value};

use super::meaning::{one_or_many, text};

/// The elements that a sentence says (IAM user guide, "IAM JSON policy elements reference").
const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// The condition of requests without TLS.
const INSECURE: (&str, &str, &str) = ("Bool", "aws:securetransport", "false");

/// `statement` as a sentence without its subject, such as `denies everybody unencrypted connections (s3:*)`; `None`
/// where it has an element that no sentence says.
pub(crate) fn sentence(statement: &Value) -> Option<String> {
    let elements = statement.as_object()?;
    if elements.keys().any(|key| !ELEMENTS.contains(&key.as_str())) {
        return None;
    }
    let (actions, all_but) = either(elements, "Action", "NotAction")?;
    let actions = if all_but { format!("all actions but {actions}") } else { actions };
    let who = whom(elements)?;
    let (on, mut conditions) = (resources(elements)?, conditions(elements.get("Condition"))?);
    Some(match elements.get("Effect")?.as_str()? {
        "Deny" if conditions.len() == 1 && conditions[0].is(INSECURE) => {
            format!("denies {who} unencrypted connections{on} ({actions})")
        }
        "Deny" => format!("denies {who} {actions}{on}{}", joined(&conditions)),
        "Allow" if actions.eq_ignore_ascii_case("sqs:SendMessage") => {
            let from = taken(&mut conditions, &["ArnLike", "ArnEquals"], "aws:sourcearn", "from");
            let of = taken(&mut conditions, &["StringEquals"], "aws:sourceaccount", "of account");
            format!("allows {who} to send{from}{of}{on}{} ({actions})", joined(&conditions))
        }
        "Allow" => format!("allows {who} {actions}{on}{}", joined(&conditions)),
        _ => return None,
    })
}

/// The values of `element`, or of the one that stands for all others.
fn either(elements: &Map<String, Value>, element: &str, all_but: &str) -> Option<(String, bool)> {
    match (elements.get(element), elements.get(all_but)) {
        (Some(values), None) => Some((listed(values), false)),
        (None, Some(values)) => Some((listed(values), true)),
        _ => None,
    }
}

fn listed(values: &Value) -> String {
    one_or_many(values).iter().map(text).collect::<Vec<_>>().join(", ")
}

fn whom(elements: &Map<String, Value>) -> Option<String> {
    let (principal, all_but) = match (elements.get("Principal"), elements.get("NotPrincipal")) {
        (Some(principal), None) => (principal, false),
        (None, Some(principal)) => (principal, true),
        _ => return None,
    };
    let who: Vec<String> = match principal {
        Value::Object(kinds) => kinds.values().flat_map(one_or_many).map(text).collect(),
        value => one_or_many(value).iter().map(text).collect(),
    };
    let who = if who.iter().any(|one| one == "*") { "everybody".to_owned() } else { who.join(", ") };
    Some(if all_but { format!("everybody but {who}") } else { who })
}

/// Where it applies, unless that is the whole resource whose policy it is in: a queue, or a bucket with all objects.
fn resources(elements: &Map<String, Value>) -> Option<String> {
    let (resources, all_but) = either(elements, "Resource", "NotResource")?;
    if all_but {
        return Some(format!(" on all but {resources}"));
    }
    let all: Vec<String> = elements.get("Resource").map(one_or_many)?.iter().map(text).collect();
    let is_whole = match &all[..] {
        [queue] => queue.starts_with("arn:") && queue.split(':').nth(2) == Some("sqs"),
        [one, other] => *other == format!("{one}/*") || *one == format!("{other}/*"),
        _ => false,
    };
    Some(if is_whole { String::new() } else { format!(" on {resources}") })
}

/// One operator on one key.
struct Condition {
    operator: String,
    key: String,
    values: String,
}

impl Condition {
    fn is(&self, (operator, key, value): (&str, &str, &str)) -> bool {
        self.operator == operator
            && self.key.eq_ignore_ascii_case(key)
            && self.values.eq_ignore_ascii_case(value)
    }
}

fn conditions(condition: Option<&Value>) -> Option<Vec<Condition>> {
    let Some(condition) = condition else { return Some(vec![]) };
    let mut all = vec![];
    for (operator, keys) in condition.as_object()? {
        for (key, values) in keys.as_object()? {
            let values = one_or_many(values).iter().map(text).collect::<Vec<_>>().join(" or ");
            all.push(Condition { operator: operator.clone(), key: key.clone(), values });
        }
    }
    Some(all)
}

/// Takes the condition on `key` out of `conditions`, as `word` and its values.
fn taken(conditions: &mut Vec<Condition>, operators: &[&str], key: &str, word: &str) -> String {
    let is_meant =
        |one: &Condition| operators.contains(&one.operator.as_str()) && one.key.eq_ignore_ascii_case(key);
    let Some(at) = conditions.iter().position(is_meant) else { return String::new() };
    format!(" {word} {}", conditions.remove(at).values)
}

fn joined(conditions: &[Condition]) -> String {
    let words = |Condition { operator, key, values }: &Condition| format!("{key} {operator} {values}");
    let words: Vec<_> = conditions.iter().map(words).collect();
    if words.is_empty() { String::new() } else { format!(" if {}", words.join(" and ")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::statements::{deny_insecure_bucket, reader_may_use, s3_may_send};
    use super::*;
    use crate::outside;

    #[test]
    fn the_statements_of_wbstore_are_read_at_a_glance() {
        let arn = "arn:aws:s3:::b";
        let send = s3_may_send("a", "arn:aws:sqs:eu-west-1:123:q", arn, "123");
        assert_eq!(
            sentence(&send).unwrap(),
            "allows s3.amazonaws.com to send from arn:aws:s3:::b of account 123 (sqs:SendMessage)"
        );
        let tls = sentence(&deny_insecure_bucket("a", arn)).unwrap();
        assert_eq!(tls, "denies everybody unencrypted connections (s3:*)");
        let reader = json!({"AWS": "arn:aws:iam::1:role/r"});
        let read = sentence(&reader_may_use("a", arn, &reader, None)).unwrap();
        assert!(read.starts_with("allows arn:aws:iam::1:role/r s3:") && !read.contains(" on "), "{read}");
    }

    #[test]
    fn what_a_statement_of_others_adds_is_said() {
        let statement = |changes: Value| {
            let mut statement = s3_may_send("a", "arn:aws:sqs:eu-west-1:123:q", "arn:aws:s3:::b", "123");
            for (key, value) in changes.as_object().unwrap() {
                statement[key] = value.clone();
            }
            sentence(&statement)
        };
        let open = statement(json!({"Principal": {"AWS": ["1", "*"]}, "Condition": {}})).unwrap();
        assert_eq!(open, "allows everybody to send (sqs:SendMessage)");
        let wide = statement(json!({"Action": ["sqs:*"], "Resource": "*"})).unwrap();
        assert_eq!(
            wide,
            "allows s3.amazonaws.com sqs:* on * if aws:SourceArn ArnLike arn:aws:s3:::b and aws:SourceAccount \
             StringEquals 123"
        );
        let denied =
            statement(json!({"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}));
        assert_eq!(
            denied.unwrap(),
            "denies s3.amazonaws.com sqs:SendMessage if aws:SecureTransport Bool true"
        );
        for unsaid in [json!({"Effect": "Perhaps"}), json!({"New": 1}), json!({"Condition": "none"})] {
            assert_eq!(statement(unsaid.clone()), None, "{unsaid}");
        }
    }

    proptest! {
        /// A sentence leaves out no value that decides whom a statement concerns, or what it allows.
        #[test]
        fn two_statements_that_differ_read_differently(
            who in proptest::collection::btree_set("[a-c]", 1..3), action in "s3:(Get|Put)",
            key in "aws:[a-c]", value in "[a-c]", effect in "(Allow|Deny)", resource in "arn:aws:s3:::[a-c]",
            other in "[x-z]", change in 0usize..6,
        ) {
            let statement = json!({
                "Effect": effect, "Principal": {"AWS": who}, "Action": action, "Resource": resource,
                "Condition": {"StringEquals": {key: value}},
            });
            let mut changed = statement.clone();
            match change {
                0 => changed["Effect"] = if effect == "Allow" { "Deny" } else { "Allow" }.into(),
                1 => changed["Principal"] = json!({"AWS": other}),
                2 => changed["Action"] = other.into(),
                3 => changed["Resource"] = other.into(),
                4 => changed["Condition"] = json!({"StringEquals": {other: value}}),
                _ => changed["Condition"] = json!({}),
            }
            prop_assert_ne!(sentence(&statement), sentence(&changed));
        }

        #[test]
        fn any_statement_is_said_or_left_to_its_fields(json in outside::json(&ELEMENTS)) {
            prop_assert!(sentence(&json).is_none_or(|text| text.contains("allows ") || text.contains("denies ")));
        }
    }
}
