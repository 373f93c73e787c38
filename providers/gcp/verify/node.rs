//! `verify --as node`: the bucket and the subscription with the credentials of the server. Nothing is called that the
//! server's role does not have, so that neither project nor settings are read.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::sign::{self, UrlSigner};
use super::watch::Pulled;
use super::{GcsSite, refusal};
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Method, Request};
use crate::name::DeploymentName;
use crate::providers::gcp::bucket_name::BucketName;
use crate::providers::gcp::failure::Refusal;
use crate::providers::gcp::pubsub_name::{SubscriptionName, TopicName};
use crate::providers::gcp::rest::{self, segment};
use crate::providers::gcp::session::Api;
use crate::providers::gcp::subscription::Subscription;
use crate::resource::Address;
use crate::text::{clean, xml_element};
use crate::verify::{Message, NodeCall, NodeSite, OperatorSite, Profile, Queue, Signed, Site};

/// The most messages of one pull (Pub/Sub REST reference, "projects.subscriptions.pull").
const BATCH: usize = 1000;
/// The wait between pulls of an empty subscription.
const PULL_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The bucket and the subscription, as the server has them.
pub(crate) struct GcsNode<'a> {
    site: GcsSite<'a>,
    subscription: Option<String>,
    /// The account that is impersonated.
    impersonated: Option<String>,
}

impl<'a> GcsNode<'a> {
    /// # Errors
    /// [`Kind::Failed`] when TLS cannot be set up.
    pub(crate) fn new(
        api: &'a Api,
        deployment: &'a DeploymentName,
        bucket: &BucketName,
        events: Option<(TopicName, SubscriptionName)>,
        impersonated: Option<&str>,
    ) -> Result<Self> {
        let subscription = events.as_ref().map(|(_, subscription)| subscription.to_string());
        let mut site = GcsSite::new(api, deployment, bucket, events)?;
        if let Some(email) = impersonated {
            site.signer =
                Some(UrlSigner::Iam { email: email.to_owned(), api: Box::new(api.iam_credentials()?) });
        }
        Ok(Self { site, subscription, impersonated: impersonated.map(str::to_owned) })
    }

    fn object(&self, key: &str) -> String {
        format!("{}/{}", self.site.objects(), segment(key))
    }

    async fn signed(&self, method: &str, key: &str) -> Result<Signed> {
        let address = self.site.address(key).await?;
        match &self.site.signer {
            Some(signer) => sign::signed(signer, method, &address).await,
            None => Err(Error::new(Kind::Failed, "these credentials do not belong to a service account, so they cannot sign")
                .hint("run it where the server runs, or add --impersonate-service-account with the server's account")),
        }
    }

    /// One call of the subscription.
    async fn act(&self, verb: &str, body: &Value) -> Result<Value> {
        let Some(name) = &self.subscription else { return Ok(Value::Null) };
        let path = format!("/v1/{}:{verb}", self.site.api.subscription_name(name));
        let answer = self.site.api.pubsub().await?.send(Method::POST, &path, Some(body)).await?;
        rest::read(&answer, "pubsub.subscriptions.consume", Subscription::at(name))
    }

    /// One request of an upload in parts, by the XML API (Cloud Storage documentation, "XML API multipart
    /// uploads").
    async fn part(&self, method: Method, key: &str, query: &str, body: &str) -> Result<Answer> {
        let path: Vec<String> = key.split('/').map(segment).collect();
        let path = format!("/{}/{}?{query}", self.site.bucket, path.join("/"));
        let answer = self.site.api.storage_json().await?.send_text(method, &path, body).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        let said = String::from_utf8_lossy(&answer.body);
        let why = xml_element(&said, "Details").or(xml_element(&said, "Message")).unwrap_or_default();
        let kind = if answer.status == 403 { Kind::Denied } else { Kind::Failed };
        let code = xml_element(&said, "Code").unwrap_or_default();
        Err(Error::new(kind, format!("HTTP status {}: {code}: {why}", answer.status))
            .hint(refusal(&code, &why.to_lowercase())))
    }
}

impl Site for GcsNode<'_> {
    const PROFILE: Profile = Profile { queue: Queue::Shared, ..GcsSite::PROFILE };

    fn bucket(&self) -> &str {
        self.site.bucket()
    }

    async fn send(&self, request: &Request) -> Result<Answer> {
        self.site.send(request).await
    }

    async fn sign(&mut self, key: &str) -> Result<Signed> {
        self.signed("PUT", key).await
    }

    fn refusal(&self, code: &str, why: &str) -> &'static str {
        self.site.refusal(code, why)
    }

    fn route(&self) -> Option<Vec<Address>> {
        self.site.route()
    }

    /// An abandoned pull might still receive messages, which the server would miss until their deadline. So pulls
    /// that return immediately are repeated.
    async fn receive(&mut self, wait: Duration) -> Result<Vec<Message>> {
        let body = json!({ "maxMessages": BATCH, "returnImmediately": true });
        let pulled: Pulled = serde_json::from_value(self.act("pull", &body).await?)
            .map_err(|error| Error::new(Kind::Transient, "pull messages").because(error))?;
        // The notification may be one of others that is used as it is; which ones there are, the server cannot list.
        let messages = pulled.messages_of_any();
        if messages.is_empty() {
            sleep(wait.min(PULL_AGAIN_AFTER)).await;
        }
        Ok(messages)
    }

    async fn delete(&mut self, handles: Vec<String>) -> Result<()> {
        self.act("acknowledge", &json!({ "ackIds": handles })).await.map(drop)
    }

    async fn give_back(&mut self, handles: Vec<String>) -> Result<()> {
        let body = json!({ "ackIds": handles, "ackDeadlineSeconds": 0 });
        self.act("modifyAckDeadline", &body).await.map(drop)
    }

    fn silence(&self, tested: bool) -> (&'static str, &'static str) {
        self.site.silence(tested)
    }
}

impl NodeSite for GcsNode<'_> {
    async fn identity(&mut self) -> Result<String> {
        // Credentials that do not work end all checks.
        rest::headers(&self.site.api.credentials()?).await?;
        Ok(match (&self.impersonated, &self.site.signer) {
            (Some(email), _) => format!("{email}, impersonated"),
            (None, Some(signer)) => clean(&signer.email().await?),
            (None, None) => "credentials that do not belong to a service account".to_owned(),
        })
    }

    async fn sign_read(&mut self, key: &str) -> Result<Signed> {
        self.signed("GET", key).await
    }

    async fn head(&mut self, key: &str) -> Result<()> {
        let storage = self.site.api.storage_json().await?;
        let found: Option<Value> = storage.find(&self.object(key), "storage.objects.get", key).await?;
        found.map(drop).ok_or_else(|| Error::new(Kind::Failed, "the probe does not exist"))
    }

    async fn list(&mut self, prefix: &str) -> Result<Vec<String>> {
        let path = format!("{}?fields=items(name)&prefix={}", self.site.objects(), segment(prefix));
        let answer = self.site.api.storage_json().await?.look(Method::GET, &path).await?;
        let found: Value = rest::read(&answer, "storage.objects.list", &self.site.bucket)?;
        let names = found["items"].as_array().into_iter().flatten().filter_map(|item| item["name"].as_str());
        Ok(names.map(str::to_owned).collect())
    }

    async fn upload_in_parts(&mut self, key: &str, content: &str) -> Result<()> {
        let begun = self.part(Method::POST, key, "uploads", "").await?;
        let id = xml_element(&String::from_utf8_lossy(&begun.body), "UploadId")
            .ok_or_else(|| Error::new(Kind::Failed, "the upload in parts has no ID"))?;
        let upload = format!("uploadId={}", segment(&id));
        let done = async {
            let sent = self.part(Method::PUT, key, &format!("partNumber=1&{upload}"), content).await?;
            let etag = sent.header("etag").unwrap_or_default();
            let parts = format!(
                "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>\
                 </CompleteMultipartUpload>"
            );
            self.part(Method::POST, key, &upload, &parts).await.map(drop)
        };
        let done = done.await;
        if done.is_err() {
            self.part(Method::DELETE, key, &upload, "").await?;
        }
        done
    }

    async fn delete_object(&mut self, key: &str) -> Result<()> {
        let answer =
            self.site.api.storage_json().await?.send(Method::DELETE, &self.object(key), None).await?;
        match Refusal::of_answer(&answer) {
            Some(refusal) if !refusal.is_not_found() => Err(refusal.explain("storage.objects.delete", key)),
            _ => Ok(()),
        }
    }

    fn lacking(&self, call: NodeCall) -> String {
        let on_bucket = |permissions: &str| {
            format!(
                "grant {permissions} on the bucket to the server's account, as `wbstore policy gcp --for node` does"
            )
        };
        match call {
            NodeCall::PresignedPut => format!(
                "{}; to sign, the account also requires roles/iam.serviceAccountTokenCreator on itself",
                on_bucket("storage.objects.create")
            ),
            NodeCall::PresignedGet | NodeCall::Head => on_bucket("storage.objects.get"),
            NodeCall::List => on_bucket("storage.objects.list"),
            NodeCall::Multipart => on_bucket("storage.multipartUploads.create and storage.objects.create"),
            NodeCall::Receive => {
                "grant pubsub.subscriptions.consume on the subscription to the server's account, as \
                                  `wbstore policy gcp --for node` does"
                    .to_owned()
            }
            NodeCall::Delete => on_bucket("storage.objects.delete"),
        }
    }
}
