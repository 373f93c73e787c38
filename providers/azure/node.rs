//! `verify --as node`: the calls of the server, with the account's key that W&B's recipe gives it or with an identity
//! of its own, and without Azure Resource Manager.

mod signature;

use std::sync::Arc;
use std::time::Duration;

use azure_core::base64;
use azure_core::credentials::Secret;
use azure_storage_blob::BlobContainerClient;
use azure_storage_blob::models::{BlobContainerClientListBlobsOptions, BlockLookupList};
use azure_storage_queue::QueueClient;
use azure_storage_queue::models::QueueClientReceiveMessagesOptions;
use futures::TryStreamExt;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use url::Url;

use self::signature::Delegation;
use super::failure::failure;
use super::held::{self, Held};
use super::session::Api;
use super::verify::{AZURE_SITE, message, refusal, silence};
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Client, Request};
use crate::resource::Address;
use crate::text::clean;
use crate::verify::{Message, NodeCall, NodeSite, Profile, Queue, Signed, Site};

/// The variable that W&B's recipe gives the server.
pub(super) const KEY: &str = "AZURE_STORAGE_KEY";
/// The most messages that one call returns (Queue service REST API, "Get Messages").
const BATCH: i32 = 32;
/// How long a received message is hidden, in seconds; those of others are visible again after it. To end that
/// earlier takes a permission that the server does not need.
const HIDDEN_FOR: i32 = 15;
/// Between two looks at an empty queue, which does not wait itself.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A container and a queue, as the server uses them.
pub(super) struct NodeStorage {
    api: Arc<Api>,
    container: String,
    queue: Option<String>,
    http: Client,
    key: Option<Secret>,
    delegation: Option<Delegation>,
}

impl NodeStorage {
    /// With `key`, or without one with the credentials of `api`.
    ///
    /// # Errors
    /// [`Kind::Input`] for a key that is none; [`Kind::Failed`] when TLS cannot be set up.
    pub(super) fn new(
        api: Arc<Api>,
        container: String,
        queue: Option<String>,
        key: Option<String>,
    ) -> Result<Self> {
        if key.as_ref().is_some_and(|key| base64::decode(key).is_err()) {
            return Err(Error::input(format!("{KEY} is not a key of a storage account, which is base64"))
                .hint("`az storage account keys list --query '[0].value' --output tsv` prints it"));
        }
        // The server derives the endpoints from the account's name.
        api.learn(&Value::Null)?;
        Ok(Self { api, container, queue, http: Client::new()?, key: key.map(Secret::new), delegation: None })
    }

    async fn url(&self, blob: &str) -> Result<Url> {
        let mut url = self.api.endpoints().await?.blob.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&self.container).extend(blob.split('/'));
        }
        Ok(url)
    }

    /// The query of a signature of the key; without a key the clients use the token.
    fn own(&self) -> Result<Option<String>> {
        self.key.as_ref().map(|key| signature::of_account(&self.api, key)).transpose()
    }

    async fn blobs(&self) -> Result<BlobContainerClient> {
        let sas = self.own()?;
        Ok(self.api.blobs(sas.as_deref()).await?.blob_container_client(&self.container))
    }

    async fn messages(&self) -> Result<QueueClient> {
        let (sas, name) = (self.own()?, self.queue.as_deref().unwrap_or_default());
        let queues = self.api.queues(sas.as_deref()).await?;
        queues.queue_client(name).map_err(|error| failure(error, "connect", name))
    }

    async fn signed(&mut self, key: &str, permissions: &'static str) -> Result<String> {
        let mut url = self.url(key).await?;
        let query = match &self.key {
            Some(key) => signature::of_container(&self.api, &self.container, permissions, key)?,
            None => {
                if self.delegation.is_none() {
                    self.delegation = Some(Delegation::request(&self.api).await?);
                }
                let delegation =
                    self.delegation.as_ref().ok_or_else(|| Error::new(Kind::Failed, "no key"))?;
                delegation.sign(&self.api, &self.container, permissions)?
            }
        };
        url.set_query(Some(&query));
        Ok(url.into())
    }

    /// `error` of a call of an SDK: with a key, a rejected signature is not a lack of credentials.
    fn explained(&self, error: azure_core::Error, call: &'static str, key: &str) -> Error {
        let error = failure(error, call, format!("{}/{key}", self.container));
        match error.kind() {
            Kind::Credentials if self.key.is_some() => {
                Error::new(Kind::Denied, format!("{KEY} is rejected: {}", error.chain()))
            }
            _ => error,
        }
    }
}

impl Site for NodeStorage {
    const PROFILE: Profile = Profile { queue: Queue::Shared, ..AZURE_SITE };

    fn bucket(&self) -> &str {
        &self.container
    }

    async fn send(&self, request: &Request) -> Result<Answer> {
        self.http.send(request).await
    }

    async fn sign(&mut self, key: &str) -> Result<Signed> {
        let url = self.signed(key, "cw").await?;
        Ok(Signed { url, headers: vec![("x-ms-blob-type", "BlockBlob".to_owned())], unsigned: None })
    }

    fn refusal(&self, code: &str, _: &str) -> &'static str {
        refusal(code)
    }

    fn route(&self) -> Option<Vec<Address>> {
        self.queue.as_ref().map(|queue| vec![Held::at(held::QUEUE, queue)])
    }

    async fn receive(&mut self, wait: Duration) -> Result<Vec<Message>> {
        let until = Instant::now() + wait;
        let client = self.messages().await?;
        loop {
            let options = QueueClientReceiveMessagesOptions {
                number_of_messages: Some(BATCH),
                visibility_timeout: Some(HIDDEN_FOR),
                ..QueueClientReceiveMessagesOptions::default()
            };
            let failed = |error| self.explained(error, "receive messages", "");
            let answer = client.receive_messages(Some(options)).await.map_err(failed)?;
            let received = answer.into_model().map_err(failed)?.items.unwrap_or_default();
            if !received.is_empty() || Instant::now() + LOOK_AGAIN >= until {
                let read = |message: azure_storage_queue::models::ReceivedMessage| {
                    let id = message.message_id.unwrap_or_default();
                    Message {
                        handle: format!("{id}\n{}", message.pop_receipt.unwrap_or_default()),
                        id,
                        times: message
                            .dequeue_count
                            .and_then(|times| times.try_into().ok())
                            .unwrap_or_default(),
                        ends: None,
                        says: message::read(&message.message_text.unwrap_or_default()),
                    }
                };
                return Ok(received.into_iter().map(read).collect());
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn delete(&mut self, handles: Vec<String>) -> Result<()> {
        let client = self.messages().await?;
        for handle in handles {
            let (id, receipt) = handle.split_once('\n').unwrap_or_default();
            let deleted = client.delete_message(id, receipt, None).await;
            deleted.map_err(|error| self.explained(error, "delete messages", ""))?;
        }
        Ok(())
    }

    fn silence(&self, _: bool) -> (&'static str, &'static str) {
        silence()
    }
}

impl NodeSite for NodeStorage {
    async fn identity(&mut self) -> Result<String> {
        if self.key.is_some() {
            return Ok(format!("the key of the account {} ({KEY})", self.api.account));
        }
        let token = self.api.storage_token().await?;
        let claims = token.split('.').nth(1).and_then(|part| base64::decode_url_safe(part).ok());
        let claims: Value =
            claims.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default();
        let text = |name: &str| clean(claims[name].as_str().unwrap_or("unknown"));
        Ok(format!(
            "application {}, object {}, without an account key ({KEY} is not set)",
            text("appid"),
            text("oid")
        ))
    }

    async fn sign_read(&mut self, key: &str) -> Result<Signed> {
        Ok(Signed { url: self.signed(key, "r").await?, headers: vec![], unsigned: None })
    }

    async fn head(&mut self, key: &str) -> Result<()> {
        let read = self.blobs().await?.blob_client(key).get_properties(None).await;
        read.map(drop).map_err(|error| self.explained(error, "read the properties", key))
    }

    async fn list(&mut self, prefix: &str) -> Result<Vec<String>> {
        let failed = |error| self.explained(error, "list blobs", prefix);
        let options =
            BlobContainerClientListBlobsOptions { prefix: Some(prefix.to_owned()), ..Default::default() };
        let mut pages = self.blobs().await?.list_blobs(Some(options)).map_err(failed)?.into_pages();
        let page = pages.try_next().await.map_err(failed)?;
        let page = page.map(|page| page.into_model()).transpose().map_err(failed)?;
        Ok(page.into_iter().flat_map(|page| page.blob_items).filter_map(|blob| blob.name).collect())
    }

    async fn upload_in_parts(&mut self, key: &str, content: &str) -> Result<()> {
        const BLOCK: &[u8] = b"part-1";
        let failed = |error| self.explained(error, "upload in blocks", key);
        let blob = self.blobs().await?.blob_client(key).block_blob_client();
        let length = u64::try_from(content.len()).unwrap_or_default();
        let body = azure_core::Bytes::from(content.to_owned());
        // A block that is not committed is dropped by itself after a week.
        blob.stage_block(BLOCK, length, body.into(), None).await.map_err(failed)?;
        let blocks = BlockLookupList { latest: Some(vec![BLOCK.to_vec()]), ..BlockLookupList::default() };
        let blocks = blocks.try_into().map_err(failed)?;
        blob.commit_block_list(blocks, None).await.map(drop).map_err(failed)
    }

    async fn delete_object(&mut self, key: &str) -> Result<()> {
        match self.blobs().await?.blob_client(key).delete(None).await {
            Err(error) if error.http_status().is_some_and(|status| u16::from(status) == 404) => Ok(()),
            answer => answer.map(drop).map_err(|error| self.explained(error, "delete", key)),
        }
    }

    fn lacking(&self, call: NodeCall) -> String {
        const BLOBS: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";
        const MESSAGES: &str = "Microsoft.Storage/storageAccounts/queueServices/queues/messages";
        if self.key.is_some() {
            return format!(
                "{KEY} must be a current key of the account {}: `az storage account keys list --account-name {} \
                 --query '[0].value' --output tsv` prints it; shared keys must be allowed, and no firewall may shut out \
                 this machine",
                self.api.account, self.api.account
            );
        }
        let actions = match call {
            NodeCall::PresignedPut => format!(
                "{BLOBS}/write and Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"
            ),
            NodeCall::PresignedGet | NodeCall::Head | NodeCall::List => format!("{BLOBS}/read"),
            NodeCall::Multipart => format!("{BLOBS}/write"),
            NodeCall::Delete => format!("{BLOBS}/delete"),
            NodeCall::Receive => format!("{MESSAGES}/read and {MESSAGES}/process/action"),
        };
        format!(
            "grant {actions} on the account: `wbstore policy azure --for node` prints the role that has it among its \
             DataActions or Actions; a new role assignment takes up to 10 minutes"
        )
    }
}
