//! What somebody else does in the account meanwhile.

use hyper::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::documents::{elements, text};
use super::{Aws, REGION};
use crate::person::{Document, ENTRY, OTHER, Person, Trace};
use crate::reply::escape;

const BUCKET_TAGS: &str = "bucket/acme-ACCOUNT/tags";
const QUEUE_TAGS: &str = "queue/wbstore-wandb-acme-com/tags";

const CORS: Document = Document {
    path: "bucket/acme-ACCOUNT/cors",
    read_by: &["s3:GetBucketCors"],
    written_by: &["s3:PutBucketCors", "s3:DeleteBucketCors", "s3:DeleteBucket"],
};
const NOTIFICATION: Document = Document {
    path: "bucket/acme-ACCOUNT/notification",
    read_by: &["s3:GetBucketNotificationConfiguration"],
    written_by: &["s3:PutBucketNotificationConfiguration", "s3:DeleteBucket"],
};
const POLICY: Document = Document {
    path: "bucket/acme-ACCOUNT/policy",
    read_by: &["s3:GetBucketPolicy"],
    written_by: &["s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:DeleteBucket"],
};
const QUEUE_POLICY: Document = Document {
    path: "queue/wbstore-wandb-acme-com/policy",
    read_by: &["sqs:GetQueueAttributes"],
    written_by: &["sqs:SetQueueAttributes", "sqs:DeleteQueue"],
};

impl Person for Aws {
    const OBJECTS: Document = Document {
        path: "bucket/acme-ACCOUNT/objects",
        read_by: &["s3:ListObjectVersions", "s3:ListObjectsV2"],
        written_by: &["s3:DeleteObjects", "s3:DeleteBucket"],
    };

    const MARKS: &'static [Document] = &[
        Document { path: BUCKET_TAGS, read_by: &["s3:GetBucketTagging"], written_by: &["s3:*"] },
        Document { path: QUEUE_TAGS, read_by: &["sqs:ListQueueTags"], written_by: &["sqs:*"] },
    ];

    const ENTRIES: &'static [Document] = &[
        CORS,
        NOTIFICATION,
        POLICY,
        Document {
            path: BUCKET_TAGS,
            read_by: &["s3:GetBucketTagging"],
            written_by: &["s3:PutBucketTagging", "s3:DeleteBucketTagging", "s3:DeleteBucket"],
        },
        QUEUE_POLICY,
        Document {
            path: QUEUE_TAGS,
            read_by: &["sqs:ListQueueTags"],
            written_by: &["sqs:TagQueue", "sqs:UntagQueue", "sqs:DeleteQueue"],
        },
    ];

    const ENDING: &'static [Document] = &[CORS, NOTIFICATION, POLICY, QUEUE_POLICY];

    /// SQS writes single tags and takes single ones away.
    const GUARDED: &'static [&'static str] = &["sqs:TagQueue", "sqs:UntagQueue"];

    /// `ReceiveMessageWaitTimeSeconds` of the queue.
    const SETTING: [&'static str; 3] = ["20", "3", "5"];

    async fn upload(&self) -> Option<Trace> {
        self.try_put(&format!("{}/{ENTRY}", self.bucket()), "x").await?;
        Some(Trace { document: Self::OBJECTS, text: ENTRY.to_owned() })
    }

    async fn set_lease_end(&self, deployment: &str, end: Timestamp) -> Option<Trace> {
        let end = end.to_string();
        let tags = [("wbstore:expires", end.as_str())];
        let listing = text(&self.s3(Method::GET, "/", "").await);
        let mut found = None;
        for bucket in elements(&listing, "Name") {
            let is_of = |(key, value): &(String, String)| key == "wbstore:deployment" && value == deployment;
            if self.bucket_tags(&bucket).await.iter().any(is_of) {
                self.tag_bucket(&bucket, &tags).await?;
                found = Some(());
            }
        }
        let listing = self.sqs("ListQueues", &json!({})).await;
        for url in listing["QueueUrls"].as_array().into_iter().flatten() {
            let tagged = self.sqs("ListQueueTags", &json!({ "QueueUrl": url })).await;
            if tagged["Tags"]["wbstore:deployment"] == deployment {
                self.sqs("TagQueue", &json!({ "QueueUrl": url, "Tags": { "wbstore:expires": end } })).await;
            }
        }
        found.map(|()| Trace { document: Self::MARKS[0], text: end })
    }

    async fn remark(&self, document: &Document) -> Option<Trace> {
        self.tag(document, "wbstore:deployment", OTHER).await?;
        Some(Trace { document: *document, text: OTHER.to_owned() })
    }

    async fn add_entry(&self, document: &Document) -> Option<Trace> {
        let (bucket, account) = (self.bucket(), &self.account);
        let statement = |action: &str, resource: String| {
            json!({
                "Sid": ENTRY, "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
                "Action": action, "Resource": resource,
            })
        };
        match document.path {
            BUCKET_TAGS | QUEUE_TAGS => self.tag(document, ENTRY, "1").await?,
            path if path == CORS.path => {
                let rule = format!(
                    "<CORSRule><ID>{ENTRY}</ID><AllowedMethod>GET</AllowedMethod>\
                     <AllowedOrigin>https://{ENTRY}.example</AllowedOrigin></CORSRule>"
                );
                self.add_element("cors", "CORSConfiguration", &rule).await?;
            }
            path if path == NOTIFICATION.path => {
                let function = format!(
                    "<CloudFunctionConfiguration><Id>{ENTRY}</Id>\
                     <CloudFunction>arn:aws:lambda:{REGION}:{account}:function:{ENTRY}</CloudFunction>\
                     <Event>s3:ObjectRestore:*</Event></CloudFunctionConfiguration>"
                );
                self.add_element("notification", "NotificationConfiguration", &function).await?;
            }
            path if path == POLICY.path => {
                let path = format!("{bucket}?policy");
                let policy = text(&self.s3(Method::GET, &format!("/{path}"), "").await);
                let statement = statement("s3:GetObject", format!("arn:aws:s3:::{bucket}/*"));
                self.try_put(&path, &with_statement(&policy, statement)).await?;
            }
            path if path == QUEUE_POLICY.path => {
                let asked = json!({ "QueueUrl": self.queue_url(), "AttributeNames": ["Policy", "QueueArn"] });
                let attributes = self.sqs("GetQueueAttributes", &asked).await["Attributes"].take();
                let arn = attributes["QueueArn"].as_str()?.to_owned();
                let policy = attributes["Policy"].as_str().unwrap_or_default();
                let policy = with_statement(policy, statement("sqs:ReceiveMessage", arn));
                let settings = json!({ "QueueUrl": self.queue_url(), "Attributes": { "Policy": policy } });
                self.sqs("SetQueueAttributes", &settings).await;
            }
            path => panic!("nobody adds entries to {path}"),
        }
        Some(Trace { document: *document, text: ENTRY.to_owned() })
    }

    async fn set(&self, value: &str) -> Option<Trace> {
        let name = "ReceiveMessageWaitTimeSeconds";
        let settings = json!({ "QueueUrl": self.queue_url(), "Attributes": { name: value } });
        self.sqs("SetQueueAttributes", &settings).await;
        let document = Document {
            path: "queue/wbstore-wandb-acme-com/attributes",
            read_by: &["sqs:GetQueueAttributes"],
            written_by: &["sqs:SetQueueAttributes"],
        };
        Some(Trace { document, text: format!("\"{name}\":\"{value}\"") })
    }
}

impl Aws {
    /// Puts it, where there is a bucket to put it into, and a queue where it names one.
    async fn try_put(&self, path: &str, body: &str) -> Option<()> {
        let reply = self.s3(Method::PUT, &format!("/{path}"), body).await;
        let answer = text(&reply);
        let is_missing =
            reply.status() == 404 || answer.contains("Unable to validate the following destination");
        assert!(reply.status().is_success() || is_missing, "PUT {path}: {answer}");
        reply.status().is_success().then_some(())
    }

    async fn tag(&self, document: &Document, key: &str, value: &str) -> Option<()> {
        if document.path == BUCKET_TAGS {
            return self.tag_bucket(&self.bucket(), &[(key, value)]).await;
        }
        let tagged = json!({ "QueueUrl": self.queue_url(), "Tags": { key: value } });
        let answer = self.sqs("TagQueue", &tagged).await;
        answer.get("__type").is_none().then_some(())
    }

    async fn bucket_tags(&self, bucket: &str) -> Vec<(String, String)> {
        let tagging = text(&self.s3(Method::GET, &format!("/{bucket}?tagging"), "").await);
        elements(&tagging, "Key").into_iter().zip(elements(&tagging, "Value")).collect()
    }

    /// Sets some tags of a bucket, and leaves the others.
    async fn tag_bucket(&self, bucket: &str, set: &[(&str, &str)]) -> Option<()> {
        let mut tags = self.bucket_tags(bucket).await;
        tags.retain(|(key, _)| set.iter().all(|(other, _)| key != other));
        tags.extend(set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let tags: String = tags
            .iter()
            .map(|(key, value)| {
                format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(key), escape(value))
            })
            .collect();
        let body = format!("<Tagging><TagSet>{tags}</TagSet></Tagging>");
        self.try_put(&format!("{bucket}?tagging"), &body).await
    }

    /// Adds an element to the end of a document of the bucket.
    async fn add_element(&self, document: &str, root: &str, element: &str) -> Option<()> {
        let path = format!("{}?{document}", self.bucket());
        let reply = self.s3(Method::GET, &format!("/{path}"), "").await;
        let end = format!("</{root}>");
        let text = text(&reply);
        let body = match text.rsplit_once(&end) {
            Some((inside, _)) if reply.status().is_success() => format!("{inside}{element}{end}"),
            _ => format!("<{root}>{element}{end}"),
        };
        self.try_put(&path, &body).await
    }
}

/// A policy with one statement more.
fn with_statement(policy: &str, statement: Value) -> String {
    // The answer that there is no policy is no JSON.
    let none = || json!({ "Version": "2012-10-17", "Statement": [] });
    let mut policy: Value = serde_json::from_str(policy).unwrap_or_else(|_| none());
    policy["Statement"].as_array_mut().expect("a list of statements").push(statement);
    policy.to_string()
}
