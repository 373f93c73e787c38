//! Users who may do what an IAM policy says and nothing else.
//!
//! Actions and resources are those of the Service Authorization Reference, "Actions, resources, and condition keys"
//! for Amazon S3 and Amazon SQS.

use std::collections::BTreeSet;

use serde_json::Value;

use super::policy::{glob, is, many};
use crate::call::Call;
use crate::reply::ApiError;

/// What the calls of one user came to under its policy.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// How many calls require a permission.
    pub calls: usize,
    /// Action and resource of each that was denied.
    pub denied: Vec<String>,
    /// The actions of the policy that were used.
    pub used: BTreeSet<String>,
    /// Those that were not.
    pub unused: BTreeSet<String>,
}

/// A policy and what it was used for.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    policy: Value,
    ledger: Ledger,
}

/// One permission that a call requires.
#[derive(Debug)]
struct Need {
    action: String,
    resource: String,
}

impl Identity {
    pub(super) fn new(policy: &str) -> Self {
        let policy: Value = serde_json::from_str(policy).unwrap_or_default();
        let actions = many(&policy["Statement"]).flat_map(|statement| many(&statement["Action"]));
        let unused = actions.filter_map(|action| action.as_str().map(str::to_owned)).collect();
        Self { policy, ledger: Ledger { unused, ..Ledger::default() } }
    }

    pub(super) fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// The answer where the policy does not allow `call`, in the words of IAM's "access denied" messages.
    pub(super) fn denial(&mut self, call: &Call, account: &str) -> Option<ApiError> {
        let needs = needs(call, account);
        self.ledger.calls += usize::from(!needs.is_empty());
        for Need { action, resource } in needs {
            match self.granted(&action, &resource, account) {
                Some(pattern) => {
                    self.ledger.unused.remove(&pattern);
                    self.ledger.used.insert(pattern);
                }
                None => {
                    let denied = format!("{action} on {resource}");
                    self.ledger.denied.push(denied);
                    let message = format!(
                        "User: arn:aws:iam::{account}:user/sandbox is not authorized to perform: {action} on \
                         resource: \"{resource}\" because no identity-based policy allows the {action} action"
                    );
                    return Some(ApiError::new(403, "AccessDenied", &message));
                }
            }
        }
        None
    }

    /// Whether the policy allows `action`. To ask is no use of it.
    pub(super) fn allows(&self, action: &str, resource: &str, account: &str) -> bool {
        self.granted(action, resource, account).is_some()
    }

    /// The action, as the policy spells it, that allows `action`.
    fn granted(&self, action: &str, resource: &str, account: &str) -> Option<String> {
        many(&self.policy["Statement"]).find_map(|statement| {
            let fits = statement["Effect"] == "Allow"
                && is(&statement["Resource"], |pattern| glob(pattern, resource))
                && meets(&statement["Condition"], account);
            let wanted = action.to_ascii_lowercase();
            let mut actions = many(&statement["Action"]).filter_map(Value::as_str);
            actions.find(|pattern| fits && glob(&pattern.to_ascii_lowercase(), &wanted)).map(str::to_owned)
        })
    }
}

/// The account of the caller owns every resource that it reaches here; strangers are refused before.
fn meets(condition: &Value, account: &str) -> bool {
    let Some(operators) = condition.as_object() else { return true };
    operators.iter().all(|(operator, keys)| {
        operator == "StringEquals"
            && keys.as_object().is_some_and(|keys| {
                keys.iter().all(|(key, wanted)| {
                    key == "aws:ResourceAccount" && is(wanted, |wanted| wanted == account)
                })
            })
    })
}

fn needs(call: &Call, account: &str) -> Vec<Need> {
    let need =
        |action: &str, resource: &str| Need { action: action.to_owned(), resource: resource.to_owned() };
    let Some((service, operation)) = call.operation.split_once(':') else { return vec![] };
    let bucket = format!("arn:aws:s3:::{}", call.bucket.as_deref().unwrap_or_default());
    let object = |key: &str| format!("{bucket}/{key}");
    let key = object(call.key.as_deref().unwrap_or_default());
    let versioned = call.parameter("versionId").is_some();
    match (service, operation) {
        ("s3", "Preflight") => vec![],
        ("s3", "ListBuckets") => vec![need("s3:ListAllMyBuckets", "*")],
        ("s3", "CreateBucket") => {
            let mut all = vec![need("s3:CreateBucket", &bucket)];
            // API reference, `CreateBucket`, "Permissions".
            if call.text().contains("<Tag>") {
                all.push(need("s3:TagResource", &bucket));
            }
            if call.header("x-amz-object-ownership").is_some() {
                all.push(need("s3:PutBucketOwnershipControls", &bucket));
            }
            all
        }
        // "You must always specify the s3:DeleteObject permission", and for a version the other one too (API
        // reference, `DeleteObjects`, "Permissions").
        ("s3", "DeleteObjects" | "DeleteObject") => {
            let objects = match call.key.clone() {
                Some(key) => vec![(key, versioned)],
                None => deletions(call),
            };
            let both = objects.into_iter().flat_map(|(key, versioned)| {
                let version = versioned.then(|| need("s3:DeleteObjectVersion", &object(&key)));
                std::iter::once(need("s3:DeleteObject", &object(&key))).chain(version)
            });
            both.collect()
        }
        ("s3", "GetObject" | "HeadObject") if versioned => vec![need("s3:GetObjectVersion", &key)],
        ("s3", "HeadObject") => vec![need("s3:GetObject", &key)],
        ("s3", "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload") => {
            vec![need("s3:PutObject", &key)]
        }
        ("s3", "ListParts") => vec![need("s3:ListMultipartUploadParts", &key)],
        ("s3", same) if call.key.is_some() => vec![need(&format!("s3:{same}"), &key)],
        ("s3", _) => vec![need(action(&call.operation), &bucket)],
        ("sqs", "ListQueues") => vec![need("sqs:ListQueues", "*")],
        ("sqs", operation) => {
            let queue = call.queue.as_deref().unwrap_or_default();
            let queue = format!("arn:aws:sqs:{}:{account}:{queue}", call.region);
            let mut all = vec![need(action(&call.operation), &queue)];
            // Developer guide, "Tagging": a queue with tags requires both.
            if operation == "CreateQueue" && !call.json()["tags"].is_null() {
                all.push(need("sqs:TagQueue", &queue));
            }
            all
        }
        ("iam", operation) => {
            let form = form_urlencoded::parse(&call.body);
            let source = form.into_owned().find(|(name, _)| name == "PolicySourceArn");
            let source = source.map_or_else(|| "*".to_owned(), |(_, source)| source);
            vec![need(&format!("iam:{operation}"), &source)]
        }
        _ => vec![],
    }
}

/// The IAM action of a call, where it has another name.
pub fn action(call: &str) -> &str {
    match call {
        "s3:HeadBucket" => "s3:ListBucket",
        "s3:ListObjects" | "s3:ListObjectsV2" => "s3:ListBucket",
        "s3:ListObjectVersions" => "s3:ListBucketVersions",
        "s3:ListMultipartUploads" => "s3:ListBucketMultipartUploads",
        "s3:GetBucketCors" => "s3:GetBucketCORS",
        "s3:PutBucketCors" | "s3:DeleteBucketCors" => "s3:PutBucketCORS",
        "s3:DeleteBucketTagging" => "s3:PutBucketTagging",
        "s3:GetBucketEncryption" => "s3:GetEncryptionConfiguration",
        "s3:PutBucketEncryption" => "s3:PutEncryptionConfiguration",
        "s3:GetBucketNotificationConfiguration" => "s3:GetBucketNotification",
        "s3:PutBucketNotificationConfiguration" => "s3:PutBucketNotification",
        "s3:GetBucketLifecycleConfiguration" => "s3:GetLifecycleConfiguration",
        "s3:PutBucketLifecycleConfiguration" => "s3:PutLifecycleConfiguration",
        "s3:GetPublicAccessBlock" => "s3:GetBucketPublicAccessBlock",
        "s3:PutPublicAccessBlock" => "s3:PutBucketPublicAccessBlock",
        "s3:GetObjectLockConfiguration" => "s3:GetBucketObjectLockConfiguration",
        "sqs:DeleteMessageBatch" => "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibilityBatch" => "sqs:ChangeMessageVisibility",
        same => same,
    }
}

/// Each key, and whether a version of it is named.
fn deletions(call: &Call) -> Vec<(String, bool)> {
    let Ok(document) = roxmltree::Document::parse(call.text()) else { return vec![] };
    let objects = document.descendants().filter(|node| node.tag_name().name() == "Object");
    let child = |object: roxmltree::Node<'_, '_>, name: &str| {
        object.children().find(|node| node.tag_name().name() == name)?.text().map(str::to_owned)
    };
    objects
        .map(|object| (child(object, "Key").unwrap_or_default(), child(object, "VersionId").is_some()))
        .collect()
}

#[cfg(test)]
mod tests {
    use hyper::{HeaderMap, Method};
    use serde_json::json;

    use super::*;
    use crate::backend::Backend;
    use crate::dialect::Dialect;

    fn call(method: Method, target: &str, body: &'static str) -> Call {
        let uri = target.parse().expect("a target");
        Call::new(Dialect::Aws(Backend::Ministack), "front", method, uri, HeaderMap::new(), body.into())
    }

    fn denied(identity: &mut Identity, call: &Call) -> bool {
        identity.denial(call, "111122223333").is_some()
    }

    #[test]
    fn an_action_is_allowed_on_its_own_resource_only() {
        let mut user = Identity::new(
            &json!({"Statement": [
                {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:PutBucketCORS"], "Resource": "arn:aws:s3:::b"},
                {"Effect": "Allow", "Action": ["s3:GetObject*"], "Resource": "arn:aws:s3:::b/*",
                 "Condition": {"StringEquals": {"aws:ResourceAccount": "111122223333"}}},
            ]})
            .to_string(),
        );
        assert!(!denied(&mut user, &call(Method::HEAD, "/b", "")));
        assert!(!denied(&mut user, &call(Method::GET, "/b/key?versionId=1", "")));
        assert!(denied(&mut user, &call(Method::HEAD, "/c", "")));
        assert!(denied(&mut user, &call(Method::PUT, "/b/key", "")));
        assert!(user.denial(&call(Method::GET, "/b/key", ""), "444455556666").is_some());
        let ledger = user.ledger();
        assert_eq!((ledger.calls, ledger.denied.len()), (5, 3));
        assert_eq!(ledger.unused.into_iter().collect::<Vec<_>>(), ["s3:PutBucketCORS"]);
    }

    #[test]
    fn each_version_that_is_deleted_counts() {
        let body = "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key><VersionId>1</VersionId></Object></Delete>";
        let needs = needs(&call(Method::POST, "/b?delete", body), "111122223333");
        let all: Vec<_> = needs.iter().map(|need| format!("{} {}", need.action, need.resource)).collect();
        let both = ["s3:DeleteObject arn:aws:s3:::b/b", "s3:DeleteObjectVersion arn:aws:s3:::b/b"];
        assert_eq!(all, [&["s3:DeleteObject arn:aws:s3:::b/a"][..], &both].concat());
    }
}
