//! What ministack does not have.
//!
//! It takes `GET ?policyStatus` for a listing of the bucket; the answer is worked out here, from the
//! bucket policy it does keep. `GET ?requestPayment` has another name there than the `PUT`.

use hyper::Uri;
use hyper::header::{AUTHORIZATION, HeaderValue};
use serde_json::Value;

use crate::call::Call;
use crate::reply::{self, Reply};
use crate::upstream::unsigned;

/// The question to ask ministack instead, when it would misunderstand.
pub(crate) fn instead(call: &Call) -> Option<Call> {
    let (name, known) = match call.operation.as_str() {
        // Without a policy the two have the same answer: 404 NoSuchBucketPolicy.
        "s3:GetBucketPolicyStatus" => ("policyStatus", "policy"),
        "s3:GetBucketRequestPayment" => ("requestPayment", "request-payment"),
        _ => return None,
    };
    let mut other = call.clone();
    other.uri = Uri::try_from(call.uri.to_string().replace(name, known)).ok()?;
    // The signature was of the other question, and ministack checks those of users.
    if let Some(account) = &call.account {
        let root = unsigned(account, &call.region, "s3");
        other.headers.insert(AUTHORIZATION, HeaderValue::try_from(root).ok()?);
    }
    Some(other)
}

/// The answer to the original question, from the one to the other.
pub(crate) fn policy_status(policy: Reply) -> Reply {
    if !policy.status().is_success() {
        return policy;
    }
    let document = serde_json::from_slice(policy.body()).unwrap_or_default();
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <PolicyStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsPublic>{}</IsPublic></PolicyStatus>",
        is_public(&document)
    );
    reply::reply(200, "application/xml", body)
}

/// As much as tests need of "The meaning of public":
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>.
/// Any condition counts as one that narrows the grant.
fn is_public(policy: &Value) -> bool {
    let everybody = |principal: &Value| *principal == "*" || principal["AWS"] == "*";
    let public = |statement: &Value| {
        statement["Effect"] == "Allow"
            && everybody(&statement["Principal"])
            && statement["Condition"].is_null()
    };
    match &policy["Statement"] {
        Value::Array(statements) => statements.iter().any(public),
        statement => public(statement),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn public_is_what_everybody_may_do_unconditionally() {
        let policy = |statement: Value| json!({ "Statement": [statement] });
        let open = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"});
        assert!(is_public(&policy(open.clone())));
        assert!(is_public(&json!({ "Statement": open })));
        for (field, value) in [
            ("Effect", json!("Deny")),
            ("Principal", json!({"AWS": "arn:aws:iam::111122223333:root"})),
            ("Condition", json!({"StringEquals": {"aws:SourceAccount": "111122223333"}})),
        ] {
            let mut statement = open.clone();
            statement[field] = value;
            assert!(!is_public(&policy(statement)), "{field}");
        }
    }
}
