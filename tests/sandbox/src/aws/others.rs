//! What other people have in the account.

use hyper::Method;
use serde_json::json;

use super::documents::text;
use super::{Aws, REGION};

/// Two rules of others; the spaces and the order of methods are theirs to choose.
const CORS: &str = r"<CORSConfiguration>
  <CORSRule><AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://*.acme.com:8443</AllowedOrigin></CORSRule>
  <CORSRule><ID>data team</ID><AllowedHeader>x-amz-*</AllowedHeader><AllowedMethod>DELETE</AllowedMethod><AllowedOrigin>https://data.acme.com</AllowedOrigin><ExposeHeader>x-amz-request-id</ExposeHeader><MaxAgeSeconds>7</MaxAgeSeconds></CORSRule>
</CORSConfiguration>";

/// Tags of others, one of which nearly looks like ours.
const TAGS: &str = "<Tagging><TagSet><Tag><Key>team</Key><Value>data &amp; tools</Value></Tag>\
                    <Tag><Key>wbstore</Key><Value>no mark</Value></Tag></TagSet></Tagging>";

impl Aws {
    pub(super) fn bucket(&self) -> String {
        format!("acme-{}", self.account)
    }

    /// The event queue's name: the one that wbstore chooses by itself.
    pub(super) fn queue_url(&self) -> String {
        format!("{}/{}/wbstore-{}", self.proxy.url(), self.account, crate::cloud::NAME)
    }

    pub(super) async fn make_neighbours(&self) {
        let bucket = format!("{}-logs", self.bucket());
        self.put(&bucket, "").await;
        self.put(&format!("{bucket}?cors"), CORS).await;
        self.make_queue(&format!("wbstore-{}-audit", crate::cloud::NAME)).await;
    }

    pub(super) async fn make_predecessor(&self) {
        let (bucket, account) = (self.bucket(), &self.account);
        let name = format!("wbstore-{}", crate::cloud::NAME);
        let audit = self.make_queue("audit").await;
        let topic = self.make_topic("removals").await;
        self.make_queue(&name).await;
        let tags = json!({ "QueueUrl": self.queue_url(), "Tags": { "team": "data" } });
        self.sqs("TagQueue", &tags).await;
        self.put(&bucket, "").await;
        self.put(&format!("{bucket}?tagging"), TAGS).await;
        self.put(&format!("{bucket}?cors"), CORS).await;
        let policy = format!(
            r#"{{"Id":"kept","Version":"2012-10-17","Statement":[{{ "Sid": "Readers",  "Effect":"Allow",
            "Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":["s3:GetObject"],"Resource":"arn:aws:s3:::{bucket}/*" }}]}}"#
        );
        self.put(&format!("{bucket}?policy"), &policy).await;
        let notification = format!(
            "<NotificationConfiguration>\
             <QueueConfiguration><Id>audit</Id><Queue>{audit}</Queue><Event>s3:ObjectRemoved:Delete</Event>\
             <Filter><S3Key><FilterRule><Name>prefix</Name><Value>raw data/</Value></FilterRule></S3Key></Filter></QueueConfiguration>\
             <TopicConfiguration><Id>removals</Id><Topic>{topic}</Topic><Event>s3:ObjectRemoved:DeleteMarkerCreated</Event></TopicConfiguration>\
             <CloudFunctionConfiguration><Id>thumbnails</Id>\
             <CloudFunction>arn:aws:lambda:{REGION}:{account}:function:thumbnails</CloudFunction>\
             <Event>s3:ObjectTagging:*</Event></CloudFunctionConfiguration>\
             <EventBridgeConfiguration/></NotificationConfiguration>"
        );
        self.put(&format!("{bucket}?notification"), &notification).await;
    }

    /// A queue that S3 may send to by a statement of its owner; returns its ARN.
    async fn make_queue(&self, name: &str) -> String {
        let arn = format!("arn:aws:sqs:{REGION}:{}:{name}", self.account);
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Senders","Effect":"Allow", "Principal":{{"Service":"s3.amazonaws.com"}},
            "Action":"sqs:SendMessage","Resource":"{arn}","Condition":{{"StringEquals":{{"aws:SourceAccount":"{}"}}}}}}]}}"#,
            self.account
        );
        let attributes = json!({ "Policy": policy, "VisibilityTimeout": "41" });
        let made = self.sqs("CreateQueue", &json!({ "QueueName": name, "Attributes": attributes })).await;
        assert!(made["QueueUrl"].is_string(), "{made}");
        arn
    }

    async fn make_topic(&self, name: &str) -> String {
        let arn = format!("arn:aws:sns:{REGION}:{}:{name}", self.account);
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" },
            "Action": "sns:Publish", "Resource": arn,
        }]});
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("Action", "CreateTopic"), ("Version", "2010-03-31"), ("Name", name)])
            .extend_pairs([("Attributes.entry.1.key", "Policy")])
            .extend_pairs([("Attributes.entry.1.value", policy.to_string())])
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let upstream = self.proxy.upstream();
        let reply = upstream.ask(&self.account, REGION, "sns", (Method::POST, "/"), &headers, body).await;
        let reply = reply.unwrap_or_else(|error| panic!("sns: {error}"));
        assert!(reply.status().is_success(), "{}", text(&reply));
        arn
    }

    pub(super) async fn put(&self, path: &str, body: &str) {
        let reply = self.s3(Method::PUT, &format!("/{path}"), body).await;
        assert!(reply.status().is_success(), "PUT {path}: {}", text(&reply));
    }
}
