//! What Blob Storage, its queues and Event Grid add to the proof.

pub(super) mod message;
mod queue;
mod settings;

use std::time::Duration;

use azure_core::http::headers::HeaderName;
use azure_storage_blob::models::{BlobClientDeleteOptions, DeleteSnapshotsOptionType};
use url::Url;

use self::queue::Peeks;
use super::container_name::ContainerName;
use super::event_subscription::EventSubscription;
use super::failure::failure;
use super::held::{self, Held};
use super::queue_name::QueueName;
use super::sas::{Sas, Scope};
use super::session::Api;
use crate::error::Result;
use crate::http::{Answer, Client, Request};
use crate::resource::Address;
use crate::verify::{
    Check, Depth, Message, OperatorSite, Probe, Profile, Queue, Settings, Signed, Site, failed,
};

/// To create, write and delete blobs, in the order of "Create a service SAS".
const PERMISSIONS: &str = "cwd";
/// Whether a deleted blob is not kept by soft delete (Blob service REST API, "Delete Blob").
const PERMANENT: HeaderName = HeaderName::from_static("x-ms-delete-type-permanent");

/// A container, and the queue that gets its events.
pub(super) struct BlobSite<'a> {
    api: &'a Api,
    container: String,
    /// The queue, and the event subscription; `None` with `--queue internal`.
    events: Option<(QueueName, EventSubscription)>,
    /// Of a team's container.
    reader: Vec<Check>,
    http: Client,
    sas: Option<Sas>,
    peeks: Option<Peeks>,
}

impl<'a> BlobSite<'a> {
    /// # Errors
    /// [`Kind::Failed`](crate::error::Kind::Failed) when TLS cannot be set up.
    pub(super) fn new(
        api: &'a Api,
        container: &ContainerName,
        events: Option<(QueueName, EventSubscription)>,
    ) -> Result<Self> {
        let http = Client::new()?;
        let reader = vec![];
        Ok(Self { api, container: container.to_string(), events, reader, http, sas: None, peeks: None })
    }

    /// The same with the checks of who may use it, of a team's container.
    pub(super) fn read_by(self, reader: Vec<Check>) -> Self {
        Self { reader, ..self }
    }

    async fn url(&self, blob: &str) -> Result<Url> {
        let mut url = self.api.endpoints().await?.blob.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&self.container).extend(blob.split('/'));
        }
        Ok(url)
    }

    /// The signature for the container; a new one where little time is left of the last.
    async fn sas(&mut self) -> Result<Sas> {
        let sas = match self.sas.take().filter(Sas::is_fresh) {
            Some(sas) => sas,
            None => self.signed().await?,
        };
        Ok(self.sas.insert(sas).clone())
    }

    async fn signed(&self) -> Result<Sas> {
        Sas::signed(self.api, Scope::Container(&self.container, PERMISSIONS)).await
    }
}

/// Azure's constants, with the queue as `verify` reads it.
pub(super) const AZURE_SITE: Profile = Profile {
    cloud: "azure",
    cors_of: "the account, for all of its containers,",
    every_origin: failed,
    cors_settles: Duration::from_secs(10),
    // Put Blob requires `x-ms-blob-type`.
    headers: &["content-type", "range", "x-ms-blob-type"],
    // 404 is the answer for a blob of which the caller may not know (Blob service REST API, "Get Blob"),
    // 409 the one of an account that permits no public access.
    refusals: &[401, 403, 404, 409],
    exposed: "run `wbstore provision azure`, which makes the container private if it is wbstore's",
    queue: Queue::Peeked { window: queue::WINDOW },
};

impl Site for BlobSite<'_> {
    const PROFILE: Profile = AZURE_SITE;

    fn bucket(&self) -> &str {
        &self.container
    }

    async fn send(&self, request: &Request) -> Result<Answer> {
        self.http.send(request).await
    }

    async fn sign(&mut self, key: &str) -> Result<Signed> {
        let url = self.sas().await?.sign(&self.url(key).await?).into();
        Ok(Signed { url, headers: vec![("x-ms-blob-type", "BlockBlob".to_owned())], unsigned: None })
    }

    fn refusal(&self, code: &str, _: &str) -> &'static str {
        refusal(code)
    }

    fn route(&self) -> Option<Vec<Address>> {
        let (queue, subscription) = self.events.as_ref()?;
        Some(vec![EventSubscription::at(&subscription.name), Held::at(held::QUEUE, queue.as_str())])
    }

    async fn receive(&mut self, _: Duration) -> Result<Vec<Message>> {
        match &mut self.peeks {
            Some(peeks) => peeks.peek(self.api).await,
            None => Ok(vec![]),
        }
    }

    async fn delete(&mut self, handles: Vec<String>) -> Result<()> {
        match &mut self.peeks {
            Some(peeks) => peeks.delete(self.api, &handles).await,
            None => Ok(()),
        }
    }

    async fn depth(&mut self, last: bool) -> Result<Option<Depth>> {
        match &mut self.peeks {
            Some(peeks) if last || peeks.is_full() => peeks.depth(self.api).await.map(Some),
            _ => Ok(None),
        }
    }

    fn silence(&self, _: bool) -> (&'static str, &'static str) {
        silence()
    }
}

impl OperatorSite for BlobSite<'_> {
    async fn settings(&mut self) -> Result<Settings> {
        let subscription = self.events.as_ref().map(|(_, subscription)| subscription);
        let read = settings::read(self.api, &self.container, subscription).await?;
        Ok(Settings { reader: self.reader.clone(), ..read })
    }

    async fn address(&self, key: &str) -> Result<String> {
        Ok(self.url(key).await?.into())
    }

    async fn remove(&mut self, probe: &Probe) -> Result<Option<String>> {
        let options = BlobClientDeleteOptions {
            delete_snapshots: Some(DeleteSnapshotsOptionType::Include),
            ..BlobClientDeleteOptions::default()
        };
        let sas = self.sas().await?;
        let blobs = self.api.blobs(Some(sas.query())).await?.blob_container_client(&self.container);
        match blobs.blob_client(&probe.key).delete(Some(options)).await {
            Ok(answer) => {
                let versioned =
                    probe.answer.as_ref().is_some_and(|answer| answer.header("x-ms-version-id").is_some());
                let soft = answer.headers().get_optional_str(&PERMANENT) == Some("false");
                Ok(if versioned {
                    Some("the account's versioning keeps a former version".to_owned())
                } else {
                    soft.then(|| "the account's soft delete keeps a copy for some days".to_owned())
                })
            }
            Err(error) if error.http_status().is_some_and(|status| u16::from(status) == 404) => Ok(None),
            Err(error) => Err(failure(error, "delete", format!("{}/{}", self.container, probe.key))),
        }
    }

    /// Azure Resource Manager signs for the queue and, at the same time, for the upload that follows.
    async fn watch(&mut self, _: &str) -> Result<()> {
        let (blobs, queues) = tokio::join!(self.signed(), Sas::signed(self.api, Scope::Queues));
        // Where it failed, the upload fails with the reason.
        self.sas = blobs.ok();
        if let Some((queue, _)) = &self.events {
            self.peeks = Some(Peeks::new(queue.as_str(), queues?));
        }
        Ok(())
    }
}

/// What to do about an upload that is refused with `code`, one of those of "Status and error codes" (Blob service
/// REST API).
pub(super) fn refusal(code: &str) -> &'static str {
    match code {
        "KeyBasedAuthenticationNotPermitted" => {
            "shared keys are disabled for this account, and the server signs with one; `az storage account update \
                 --allow-shared-key-access true` allows them"
        }
        "AuthorizationFailure" => {
            "the account's network rules reject this machine; browsers outside the network cannot upload \
                 either"
        }
        "AuthenticationFailed" => "the signature was rejected; check this machine's clock",
        "ServerBusy" | "OperationTimedOut" | "InternalError" => {
            "the account is busy, and nothing is known about permissions: run again in a minute"
        }
        _ if code.starts_with("KeyVault") => {
            "the account is encrypted with a key of a key vault that it cannot use; check the vault and the \
                 access of the account's identity"
        }
        _ => "`wbstore plan azure` shows whether the container was changed",
    }
}

/// Possible reasons why no event arrived, and what to do.
pub(super) fn silence() -> (&'static str, &'static str) {
    (
        "",
        "Event Grid delays deliveries, up to hours, after deliveries to the queue have failed, and a new \
             event subscription takes a few minutes: run `wbstore verify azure` again later, and `wbstore \
             plan azure` if it still fails; a running W&B server may also have received the message first",
    )
}
