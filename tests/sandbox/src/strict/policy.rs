//! As much of IAM's policy language as queue policies for S3 use.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html>

use serde_json::Value;

/// Whether the policy of `queue` lets S3 send it messages on behalf of `bucket`.
pub(super) fn lets_s3_send(policy: &Value, queue: &str, bucket: &str, account: &str) -> bool {
    let request = Sending { queue, bucket, account };
    let mut effects = many(&policy["Statement"])
        .filter(|statement| request.matches(statement))
        .map(|statement| statement["Effect"].as_str().unwrap_or_default());
    let mut allowed = false;
    // An explicit Deny outweighs any Allow, wherever it stands.
    effects.all(|effect| {
        allowed |= effect == "Allow";
        effect != "Deny"
    }) && allowed
}

/// The request S3 would make.
struct Sending<'a> {
    queue: &'a str,
    bucket: &'a str,
    account: &'a str,
}

impl Sending<'_> {
    fn matches(&self, statement: &Value) -> bool {
        let principal = &statement["Principal"];
        let to_s3 = is(principal, |name| name == "*")
            || is(&principal["AWS"], |name| name == "*")
            || is(&principal["Service"], |name| name == "s3.amazonaws.com");
        to_s3
            && is(&statement["Action"], |action| glob(&action.to_ascii_lowercase(), "sqs:sendmessage"))
            && is(&statement["Resource"], |resource| glob(resource, self.queue))
            && self.meets(&statement["Condition"])
    }

    fn meets(&self, condition: &Value) -> bool {
        let Some(operators) = condition.as_object() else {
            return true;
        };
        operators.iter().all(|(operator, keys)| {
            let compare: fn(&str, &str) -> bool = match operator.trim_end_matches("IfExists") {
                "ArnLike" | "ArnEquals" | "StringLike" => glob,
                "StringEquals" | "Bool" => |wanted, actual| wanted == actual,
                "StringEqualsIgnoreCase" => |wanted, actual| wanted.eq_ignore_ascii_case(actual),
                // Not in any recipe; better refused here than misread.
                _ => return false,
            };
            keys.as_object().is_some_and(|keys| {
                keys.iter().all(|(key, wanted)| {
                    let actual = match key.to_ascii_lowercase().as_str() {
                        "aws:sourcearn" => self.bucket,
                        "aws:sourceaccount" => self.account,
                        "aws:securetransport" => "true",
                        _ => return false,
                    };
                    is(wanted, |wanted| compare(wanted, actual))
                })
            })
        })
    }
}

/// A single value where a list is meant is a list of one.
pub(super) fn many(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Null => Box::new(std::iter::empty()),
        one => Box::new(std::iter::once(one)),
    }
}

pub(super) fn is(value: &Value, test: impl Fn(&str) -> bool) -> bool {
    many(value).any(|item| match item {
        Value::String(text) => test(text),
        Value::Bool(truth) => test(if *truth { "true" } else { "false" }),
        _ => false,
    })
}

/// `*` stands for any text, `?` for any one character.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    match pattern.as_bytes().first() {
        None => text.is_empty(),
        Some(b'*') => {
            let rest = &pattern[1..];
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| glob(rest, &text[at..]))
        }
        Some(b'?') => {
            let mut rest = text.chars();
            rest.next().is_some() && glob(&pattern[1..], rest.as_str())
        }
        Some(byte) => {
            text.as_bytes().first() == Some(byte)
            // Compared byte by byte, so a cut may fall inside a character; ARNs and actions are ASCII.
            && text.is_char_boundary(1) && glob(&pattern[1..], &text[1..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:q";
    const BUCKET: &str = "arn:aws:s3:::b";

    fn allowed(statements: Value) -> bool {
        lets_s3_send(&json!({ "Statement": statements }), QUEUE, BUCKET, "111122223333")
    }

    fn recipe() -> Value {
        json!({
            "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": QUEUE, "Condition": {
                "ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:b"}, "StringEquals": {"aws:SourceAccount": "111122223333"}
            }
        })
    }

    #[test]
    fn the_published_recipe_lets_s3_in() {
        assert!(allowed(json!([recipe()])));
        assert!(allowed(recipe()), "a statement alone is a list of one");
        assert!(allowed(json!({"Effect": "Allow", "Principal": "*", "Action": "SQS:*", "Resource": "*"})));
    }

    #[test]
    fn each_condition_counts() {
        for (pointer, wrong) in [
            ("/Condition/ArnLike/aws:SourceArn", "arn:aws:s3:::other"),
            ("/Condition/StringEquals/aws:SourceAccount", "444455556666"),
            ("/Resource", "arn:aws:sqs:us-east-1:111122223333:other"),
            ("/Action", "sqs:ReceiveMessage"),
            ("/Principal/Service", "sns.amazonaws.com"),
            ("/Effect", "Deny"),
        ] {
            let mut statement = recipe();
            *statement.pointer_mut(pointer).expect("the recipe has it") = json!(wrong);
            assert!(!allowed(json!([statement])), "{pointer}");
        }
        assert!(!lets_s3_send(&Value::Null, QUEUE, BUCKET, "111122223333"), "no policy");
    }

    #[test]
    fn a_deny_outweighs_an_allow_before_it() {
        let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"});
        assert!(!allowed(json!([recipe(), deny])));
    }
}
