//! What Cloud Storage and Pub/Sub add to the proof.

mod message;
mod node;
mod reader;
mod settings;
mod sign;
mod watch;

use std::time::Duration;

use serde_json::Value;

use self::sign::UrlSigner;
use self::watch::Watch;
use super::bucket_name::BucketName;
use super::failure::Refusal;
use super::notification::Senders;
use super::pubsub_name::{SubscriptionName, TopicName};
use super::rest::{self, Rest, segment};
use super::session::Api;
use super::topic::Topic;
use crate::error::Result;
use crate::http::{Answer, Client, Method, Request};
use crate::name::DeploymentName;
use crate::resource::Address;
use crate::verify::{Message, OperatorSite, OtherApi, Probe, Profile, Queue, Settings, Signed, Site, failed};

pub(super) use node::GcsNode;
pub(super) use reader::TeamReader;

/// A bucket, and the topic that gets its events.
pub(super) struct GcsSite<'a> {
    api: &'a Api,
    deployment: &'a DeploymentName,
    bucket: String,
    /// Of a team's bucket.
    reader: Option<TeamReader>,
    /// `None` with `--queue internal`.
    events: Option<(TopicName, SubscriptionName)>,
    http: Client,
    signer: Option<UrlSigner>,
    watch: Option<Watch<'a>>,
    /// For how long soft delete keeps what was deleted; `None` when it is off.
    soft_deleted: Option<String>,
    /// The notifications whose events prove that the server gets them.
    senders: Senders,
}

impl<'a> GcsSite<'a> {
    /// The same with the one who may use it, of a team's bucket.
    pub(super) fn read_by(self, reader: Option<TeamReader>) -> Self {
        Self { reader, ..self }
    }

    /// # Errors
    /// [`Kind::Failed`](crate::error::Kind::Failed) when TLS cannot be set up.
    pub(super) fn new(
        api: &'a Api,
        deployment: &'a DeploymentName,
        bucket: &BucketName,
        events: Option<(TopicName, SubscriptionName)>,
    ) -> Result<Self> {
        let signer = api.signer().map(UrlSigner::Library);
        let (http, bucket) = (Client::new()?, bucket.to_string());
        Ok(Self {
            api,
            deployment,
            reader: None,
            bucket,
            events,
            http,
            signer,
            watch: None,
            soft_deleted: None,
            senders: Senders::default(),
        })
    }

    fn objects(&self) -> String {
        format!("/storage/v1/b/{}/o", segment(&self.bucket))
    }

    /// The generations of the object `key`.
    async fn generations(&self, storage: &Rest, key: &str) -> Result<Vec<String>> {
        let path =
            format!("{}?versions=true&fields=items(name,generation)&prefix={}", self.objects(), segment(key));
        let answer = storage.look(Method::GET, &path).await?;
        let found: Value = rest::read(&answer, "storage.objects.list", &self.bucket)?;
        let items = found["items"].as_array().into_iter().flatten().filter(|item| item["name"] == key);
        Ok(items.filter_map(|item| item["generation"].as_str().map(str::to_owned)).collect())
    }
}

/// What to do about an upload that was refused with `code` for the reason `why`, in lower case (Cloud Storage XML
/// API, "HTTP status and error codes").
fn refusal(code: &str, why: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| why.contains(word));
    match code {
        "SecurityPolicyViolated" => {
            "VPC Service Controls reject it: run inside the service perimeter, or ask its administrator for an access \
             level or an ingress rule"
        }
        _ if has(&["vpcservicecontrols", "vpc service controls"]) => refusal("SecurityPolicyViolated", ""),
        "UserProjectMissing" => {
            "turn requester pays off: the W&B server names no project to bill; `wbstore plan gcp` shows the command"
        }
        "UserProjectAccountProblem" | "AccountProblem" => "link an active billing account to the project",
        _ if has(&["billing account"]) => refusal("AccountProblem", ""),
        "AccessDenied" if has(&["ip filter", "ip address"]) => {
            "the bucket's IP filter rejects this network; `wbstore plan gcp` shows it"
        }
        "ExpiredToken" | "AuthenticationRequired" | "InvalidSecurity" => {
            "the signature is not accepted: check the clock of this machine and the key of the service account"
        }
        "SignatureDoesNotMatch" => {
            "something between this machine and Google changes the request, or the key was deleted; check any proxy"
        }
        _ if has(&["kms"]) && has(&["disabled", "destroyed"]) => {
            "enable the version of the bucket's Cloud KMS key"
        }
        _ if has(&["kms"]) => {
            "grant Cloud Storage's service agent roles/cloudkms.cryptoKeyEncrypterDecrypter on the bucket's \
             key"
        }
        _ => "grant these credentials storage.objects.create on the bucket",
    }
}

impl Site for GcsSite<'_> {
    const PROFILE: Profile = Profile {
        cloud: "gcp",
        cors_of: "the bucket",
        every_origin: failed,
        cors_settles: Duration::from_secs(6),
        // Reading a range requires no permission (the Fetch standard, "CORS-safelisted request-header").
        headers: &["content-type"],
        refusals: &[401, 403],
        exposed: "check for allUsers in the policies of the bucket, its project and the folders above",
        queue: Queue::Own,
    };

    fn bucket(&self) -> &str {
        &self.bucket
    }

    async fn send(&self, request: &Request) -> Result<Answer> {
        self.http.send(request).await
    }

    async fn sign(&mut self, key: &str) -> Result<Signed> {
        sign::upload(self.api, self.signer.as_ref(), self.address(key).await?).await
    }

    fn refusal(&self, code: &str, why: &str) -> &'static str {
        refusal(code, &why.to_lowercase())
    }

    /// Without the server's subscription an event still reaches the topic, and another notification may
    /// replace a missing one.
    fn route(&self) -> Option<Vec<Address>> {
        Some(vec![Topic::at(self.events.as_ref()?.0.as_str())])
    }

    async fn receive(&mut self, wait: Duration) -> Result<Vec<Message>> {
        let Some(watch) = &self.watch else { return Ok(vec![]) };
        // A message of an answer that is not waited for comes again.
        tokio::time::timeout(wait, watch.pull()).await.unwrap_or_else(|_| Ok(vec![]))
    }

    async fn delete(&mut self, handles: Vec<String>) -> Result<()> {
        match &self.watch {
            Some(watch) => watch.acknowledge(&handles).await,
            None => Ok(()),
        }
    }

    fn silence(&self, _: bool) -> (&'static str, &'static str) {
        (
            "",
            "`wbstore plan gcp` shows whether the notification, or the grant to Cloud Storage's service \
             agent, was changed",
        )
    }
}

impl OperatorSite for GcsSite<'_> {
    async fn settings(&mut self) -> Result<Settings> {
        let events =
            self.events.as_ref().map(|(topic, subscription)| (topic.as_str(), subscription.as_str()));
        let read =
            settings::read(self.api, self.deployment, &self.bucket, events, self.reader.as_ref()).await?;
        (self.soft_deleted, self.senders) = (read.soft_deleted, read.senders);
        Ok(read.settings)
    }

    /// Signed URLs, and so browsers, use the XML API, which applies the bucket's CORS rules.
    async fn address(&self, key: &str) -> Result<String> {
        let path: Vec<String> = key.split('/').map(segment).collect();
        Ok(format!("{}/{}/{}", self.api.storage_endpoint(), self.bucket, path.join("/")))
    }

    /// The JSON API allows every origin, whatever the bucket's rules are (Cloud Storage documentation,
    /// "Cross-origin resource sharing (CORS)", "Cloud Storage CORS support").
    fn other_api(&self, key: &str) -> Option<OtherApi> {
        let (endpoint, objects, key) = (self.api.storage_endpoint(), self.objects(), segment(key));
        Some(OtherApi {
            check: "preflight JSON API",
            read: format!("{endpoint}{objects}/{key}?alt=media"),
            write: format!("{endpoint}/upload{objects}?uploadType=resumable&name={key}"),
            detail: "GET, PUT and HEAD allowed; it allows every origin, whatever the bucket's rules are",
            hint: "the JSON API allows every origin, so the response came from something between this \
                   machine and Google; check any proxy",
        })
    }

    async fn remove(&mut self, probe: &Probe) -> Result<Option<String>> {
        let storage = self.api.storage_json().await?;
        let known = probe.answer.as_ref().and_then(|answer| answer.header("x-goog-generation"));
        let generations = match known {
            Some(generation) => vec![generation.to_owned()],
            None => self.generations(storage, &probe.key).await?,
        };
        for generation in generations {
            let path = format!("{}/{}?generation={generation}", self.objects(), segment(&probe.key));
            let answer = storage.send(Method::DELETE, &path, None).await?;
            if let Some(refusal) = Refusal::of_answer(&answer).filter(|refusal| !refusal.is_not_found()) {
                let target = format!("{}/{}", self.bucket, probe.key);
                return Err(refusal.explain("storage.objects.delete", target));
            }
        }
        Ok(self.soft_deleted.as_ref().map(|span| format!("soft delete keeps a copy for {span}")))
    }

    async fn watch(&mut self, prefix: &str) -> Result<()> {
        let Some((topic, _)) = &self.events else { return Ok(()) };
        let watch = Watch::new(self.api, self.deployment, topic, prefix, &self.senders.others);
        self.watch.insert(watch).begin().await
    }

    async fn close(&mut self) -> Result<()> {
        match self.watch.take() {
            Some(watch) => watch.remove().await,
            None => Ok(()),
        }
    }
}
