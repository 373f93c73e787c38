//! What a bucket's policy allows a caller of another account, and a role's whoever wants to assume it, as IAM evaluates
//! it: nothing but what a statement allows, and never what one denies.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>. It has nothing in common
//! with how wbstore reads policies.

use std::collections::BTreeMap;

use serde_json::Value;

/// One request.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The ARN of a principal or of an identity provider, the name of a service, or nothing for an anonymous caller.
    pub principal: Option<&'a str>,
    pub action: &'a str,
    pub resource: &'a str,
    /// The values of condition keys, in lowercase.
    pub context: BTreeMap<&'a str, &'a str>,
}

impl<'a> Call<'a> {
    /// One over TLS.
    pub fn new(principal: Option<&'a str>, action: &'a str, resource: &'a str) -> Self {
        Self { principal, action, resource, context: BTreeMap::from([("aws:securetransport", "true")]) }
    }

    /// The same with another value of a condition key.
    #[must_use]
    pub fn with(mut self, key: &'a str, value: &'a str) -> Self {
        self.context.insert(key, value);
        self
    }

    /// Whether `policy` allows it.
    pub fn is_allowed_by(&self, policy: &Value) -> bool {
        let statements = many(&policy["Statement"]);
        let effects: Vec<_> = statements
            .into_iter()
            .filter(|statement| self.matches(statement))
            .map(|statement| statement["Effect"].as_str().expect("an effect"))
            .collect();
        effects.contains(&"Allow") && !effects.contains(&"Deny")
    }

    fn matches(&self, statement: &Value) -> bool {
        for unread in ["NotPrincipal", "NotAction", "NotResource"] {
            assert!(statement[unread].is_null(), "{unread} is not evaluated here");
        }
        let names = |value: &Value, name: &str| many(value).iter().any(|one| glob(text(one), name));
        self.is_principal(&statement["Principal"])
            && names(&statement["Action"], &self.action.to_ascii_lowercase())
            && self.is_resource(&statement["Resource"])
            && self.meets(&statement["Condition"])
    }

    /// A trust policy has none: its resource is the role that it is part of.
    fn is_resource(&self, resource: &Value) -> bool {
        if self.action.starts_with("sts:") && resource.is_null() {
            return true;
        }
        many(resource).iter().any(|one| glob_exact(text(one), self.resource))
    }

    fn is_principal(&self, whom: &Value) -> bool {
        if whom == "*" {
            return true;
        }
        let whom = whom.as_object().expect("a principal");
        whom.iter().any(|(kind, names)| {
            many(names).iter().any(|name| match (kind.as_str(), text(name), self.principal) {
                (_, "*", _) => true,
                (_, _, None) => false,
                ("CW" | "Federated" | "Service", name, Some(caller)) => name == caller,
                ("AWS", name, Some(caller)) => {
                    // An account lets in those of its principals that it allows the call itself: here, all.
                    let account =
                        name.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
                    name == caller || caller.split(':').nth(4) == Some(account.unwrap_or(name))
                }
                (kind, ..) => panic!("principals of the kind {kind} are not evaluated here"),
            })
        })
    }

    fn meets(&self, condition: &Value) -> bool {
        let Some(operators) = condition.as_object() else { return true };
        operators.iter().all(|(operator, keys)| {
            keys.as_object().expect("keys").iter().all(|(key, wanted)| {
                let Some(actual) = self.context.get(key.to_ascii_lowercase().as_str()) else { return false };
                many(wanted).iter().any(|wanted| match operator.as_str() {
                    "StringLike" => glob_exact(text(wanted), actual),
                    "StringEquals" => text(wanted) == *actual,
                    "Bool" => text(wanted).eq_ignore_ascii_case(actual),
                    other => panic!("{other} is not evaluated here"),
                })
            })
        })
    }
}

fn many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        Value::Null => vec![],
        one => vec![one],
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn glob(pattern: &str, text: &str) -> bool {
    glob_exact(&pattern.to_ascii_lowercase(), text)
}

fn glob_exact(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = &pattern[1..];
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| glob_exact(rest, &text[at..]))
        }
        (Some('?'), Some(c)) => glob_exact(&pattern[1..], &text[c.len_utf8()..]),
        (Some(p), Some(c)) if p == c => glob_exact(&pattern[p.len_utf8()..], &text[c.len_utf8()..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_denial_outweighs_and_nothing_is_allowed_by_itself() {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:role/a"}, "Action": ["s3:GetObject*"], "Resource": "arn:b/*"},
            {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:b/*",
             "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ]});
        let call = Call::new(Some("arn:aws:iam::1:role/a"), "s3:GetObjectTagging", "arn:b/key");
        assert!(call.is_allowed_by(&policy));
        assert!(!call.clone().with("aws:securetransport", "false").is_allowed_by(&policy));
        for other in [
            Call { principal: None, ..call.clone() },
            Call { principal: Some("arn:aws:iam::1:role/b"), ..call.clone() },
            Call { action: "s3:PutObject", ..call.clone() },
            Call { resource: "arn:b", ..call },
        ] {
            assert!(!other.is_allowed_by(&policy), "{other:?}");
        }
        let trust = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
        let assume = |service| {
            Call::new(Some(service), "sts:AssumeRole", "arn:aws:iam::1:role/a").is_allowed_by(&trust)
        };
        assert!(assume("ec2.amazonaws.com") && !assume("lambda.amazonaws.com"));
        let root = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}, "Action": "*", "Resource": "*"}});
        assert!(Call::new(Some("arn:aws:iam::1:role/b"), "s3:PutObject", "arn:b").is_allowed_by(&root));
        assert!(!Call::new(Some("arn:aws:iam::2:role/b"), "s3:PutObject", "arn:b").is_allowed_by(&root));
    }
}
