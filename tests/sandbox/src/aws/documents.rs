//! Everything in an account, read with bare requests around the proxy.

use futures::future::join_all;
use hyper::Method;
use serde_json::{Value, json};

use super::{Aws, REGION};
use crate::reply::Reply;
use crate::snapshot::{Snapshot, canonical};

/// A bucket's documents: the name in a snapshot, and the sub-resource.
const DOCUMENTS: &[(&str, &str)] = &[
    ("cors", "cors"),
    ("encryption", "encryption"),
    ("lifecycle", "lifecycle"),
    ("notification", "notification"),
    ("objects", "versions"),
    ("ownership", "ownershipControls"),
    ("policy", "policy"),
    ("public-access-block", "publicAccessBlock"),
    ("tags", "tagging"),
    ("versioning", "versioning"),
];

/// Attributes that change by themselves.
const VOLATILE: &[&str] = &["CreatedTimestamp", "LastModifiedTimestamp", "ApproximateNumberOf"];

/// Elements of a listing that no two accounts have in common.
const PER_OBJECT: &[&str] = &["VersionId", "ETag", "LastModified", "Owner"];

impl Aws {
    /// One S3 request to the emulator itself, in the name of the account.
    ///
    /// # Panics
    ///
    /// When the emulator cannot be reached.
    pub async fn s3(&self, method: Method, path: &str, body: impl Into<String>) -> Reply {
        let upstream = self.proxy.upstream();
        upstream
            .ask(&self.account, REGION, "s3", (method, path), &[], body.into())
            .await
            .unwrap_or_else(|error| panic!("s3 {path}: {error}"))
    }

    /// One SQS request to the emulator itself.
    ///
    /// # Panics
    ///
    /// When the emulator cannot be reached.
    pub async fn sqs(&self, operation: &str, body: &Value) -> Value {
        let target = format!("AmazonSQS.{operation}");
        let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.0")];
        let request = (Method::POST, "/");
        let upstream = self.proxy.upstream();
        let reply = upstream
            .ask(&self.account, REGION, "sqs", request, &headers, body.to_string())
            .await
            .unwrap_or_else(|error| panic!("sqs {operation}: {error}"));
        serde_json::from_slice(reply.body()).unwrap_or_default()
    }

    pub(super) async fn documents(&self) -> Snapshot {
        let (buckets, queues) = futures::join!(self.buckets(), self.queues());
        let mut snapshot = Snapshot::default();
        for (path, document) in buckets.into_iter().chain(queues) {
            let neutral = |text: String| text.replace(&self.account, "ACCOUNT");
            snapshot.insert(neutral(path), neutral(document));
        }
        snapshot
    }

    async fn buckets(&self) -> Vec<(String, String)> {
        let listing = text(&self.s3(Method::GET, "/", "").await);
        let names: Vec<_> = elements(&listing, "Name");
        let each = names.iter().flat_map(|name| DOCUMENTS.iter().map(move |document| (name, document)));
        let looks = each.map(|(bucket, (name, query))| async move {
            let reply = self.s3(Method::GET, &format!("/{bucket}?{query}"), "").await;
            let document = match *name {
                _ if reply.status() == 404 => return None,
                "objects" => objects(&text(&reply)),
                "policy" => text(&reply),
                "tags" => tags(&text(&reply)),
                _ => canonical(&text(&reply)),
            };
            assert!(reply.status().is_success(), "{bucket}?{query}: {}", text(&reply));
            Some((format!("bucket/{bucket}/{name}"), document))
        });
        join_all(looks).await.into_iter().flatten().collect()
    }

    async fn queues(&self) -> Vec<(String, String)> {
        let listing = self.sqs("ListQueues", &json!({})).await;
        let urls = listing["QueueUrls"].as_array().cloned().unwrap_or_default();
        let looks = urls.iter().map(|url| async move {
            let name = url.as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
            let asked = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
            let named = json!({ "QueueUrl": url });
            let (attributes, tags) =
                futures::join!(self.sqs("GetQueueAttributes", &asked), self.sqs("ListQueueTags", &named));
            let mut attributes = attributes["Attributes"].as_object().cloned().unwrap_or_default();
            attributes.retain(|name, _| !VOLATILE.iter().any(|volatile| name.starts_with(volatile)));
            let policy = attributes.remove("Policy");
            let mut documents = vec![
                (format!("queue/{name}/attributes"), Value::Object(attributes).to_string()),
                (format!("queue/{name}/tags"), tags["Tags"].to_string()),
            ];
            // An attribute that was never set and one that was set to nothing mean the same.
            if let Some(policy) = policy.as_ref().and_then(Value::as_str).filter(|text| !text.is_empty()) {
                documents.push((format!("queue/{name}/policy"), policy.to_owned()));
            }
            documents
        });
        join_all(looks).await.into_iter().flatten().collect()
    }
}

/// A body as text.
pub(super) fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(reply.body()).into_owned()
}

/// The text of every element of this name.
pub(super) fn elements(xml: &str, name: &str) -> Vec<String> {
    let Ok(document) = roxmltree::Document::parse(xml) else { return vec![] };
    let named = document.descendants().filter(|node| node.tag_name().name() == name);
    named.filter_map(|node| node.text()).map(str::to_owned).collect()
}

/// A set of tags has no order.
fn tags(xml: &str) -> String {
    let mut pairs: Vec<_> = elements(xml, "Key").into_iter().zip(elements(xml, "Value")).collect();
    pairs.sort();
    pairs.into_iter().map(|(key, value)| format!("{key}={value:?} ")).collect()
}

/// What lies in a bucket, without what differs from one account to the next.
fn objects(xml: &str) -> String {
    let Ok(document) = roxmltree::Document::parse(xml) else { return xml.to_owned() };
    let mut lines = vec![];
    for node in document.root_element().children() {
        let kind = node.tag_name().name();
        if !matches!(kind, "Version" | "DeleteMarker") {
            continue;
        }
        let fields = node.children().filter(|child| child.is_element());
        let fields = fields.filter(|field| !PER_OBJECT.contains(&field.tag_name().name()));
        let fields: Vec<_> = fields
            .map(|field| format!("{}={}", field.tag_name().name(), field.text().unwrap_or_default()))
            .collect();
        lines.push(format!("{kind}({})", fields.join(" ")));
    }
    lines.join(" ")
}
