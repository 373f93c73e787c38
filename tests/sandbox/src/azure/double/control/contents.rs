//! What a test may put into an account, and what it finds there.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::azure::double::store::{EventSubscription, State, Topic};
use crate::azure::double::{AzureDouble, Service, blob_service, event_subscriptions, plane, system_topics};

impl AzureDouble {
    /// Makes a container.
    pub async fn plant_container(&self, account: &str, name: &str, metadata: &Value) -> std::io::Result<()> {
        let path = format!("/{account}/{name}?restype=container");
        self.make(Service::Blob, &path, metadata).await
    }

    /// Whether there is such a container.
    pub async fn has_container(&self, account: &str, name: &str) -> std::io::Result<bool> {
        if self.account_id(account).is_empty() {
            return Ok(false);
        }
        let all = self.shared.plane.list(Service::Blob, account).await?;
        Ok(all.iter().any(|(other, _)| other == name))
    }

    /// Makes a queue.
    pub async fn plant_queue(&self, account: &str, name: &str, metadata: &Value) -> std::io::Result<()> {
        self.make(Service::Queue, &format!("/{account}/{name}"), metadata).await
    }

    async fn make(&self, service: Service, path: &str, metadata: &Value) -> std::io::Result<()> {
        self.shared.world().resting.remove(path);
        let headers = plane::metadata_headers(metadata)
            .map_err(|refusal| std::io::Error::other(refusal.message().to_owned()))?;
        let headers = plane::borrowed(&headers);
        succeeded(self.shared.plane.ask(service, Method::PUT, path, &headers, "").await?)
    }

    /// Gives an account a table and a file share of these names.
    pub fn plant_table_and_share(&self, account: &str, table: &str, share: &str) {
        if let Some(one) = self.shared.world().accounts.get_mut(account) {
            one.tables.push(table.to_owned());
            one.shares.push(share.to_owned());
        }
    }

    /// Writes a blob behind Event Grid's back.
    pub async fn plant_blob(
        &self,
        account: &str,
        container: &str,
        blob: &str,
        text: &str,
    ) -> std::io::Result<()> {
        let path = format!("/{account}/{container}/{blob}");
        let headers = [("x-ms-blob-type", "BlockBlob")];
        let body = text.to_owned();
        succeeded(self.shared.plane.ask(Service::Blob, Method::PUT, &path, &headers, body).await?)
    }

    /// Sets the CORS rules of an account, written as ARM writes them.
    pub async fn plant_cors(&self, account: &str, rules: &[Value]) -> std::io::Result<()> {
        blob_service::set_rules(&self.shared, account, rules)
            .await
            .map_err(|refusal| std::io::Error::other(refusal.message().to_owned()))
    }

    /// The CORS rules of an account, written as ARM writes them.
    pub async fn cors(&self, account: &str) -> std::io::Result<Vec<Value>> {
        blob_service::rules(&self.shared, account)
            .await
            .map_err(|refusal| std::io::Error::other(refusal.message().to_owned()))
    }

    /// Sets other sections of the blob service of an account, by their names in ARM.
    pub fn set_blob_service(&self, account: &str, section: &str, value: Value) {
        if let Some(one) = self.shared.world().accounts.get_mut(account) {
            one.blob_service.insert(section.to_owned(), value);
        }
    }

    /// Makes an event subscription of an account that is there at once. Its state is `Succeeded` or,
    /// if it shall be so, `Failed`.
    pub fn plant_event_subscription(&self, account: &str, name: &str, properties: &Value, failed: bool) {
        let mut world = self.shared.world();
        let Some(source) = world.accounts.get(account).cloned() else { return };
        system_topics::need(&mut world, &source);
        let id = format!("{}/providers/Microsoft.EventGrid/eventSubscriptions/{name}", source.id());
        let one = EventSubscription {
            name: name.to_owned(),
            source: source.id(),
            properties: event_subscriptions::completed(properties.as_object().cloned().unwrap_or_default()),
            state: if failed { State::Failed } else { State::Succeeded },
            id,
        };
        world.event_subscriptions.insert(one.id.to_ascii_lowercase(), one);
    }

    /// The properties of an event subscription of an account.
    pub fn event_subscription(&self, account: &str, name: &str) -> Option<Value> {
        let world = self.shared.world();
        let source = world.accounts.get(account)?.id();
        let mut all = world.event_subscriptions.values();
        let one = all.find(|one| one.source.eq_ignore_ascii_case(&source) && one.name == name)?;
        Some(one.properties.clone().into())
    }

    /// Has the next event subscription of that name vanish while it is created, as if somebody deleted it: it is
    /// accepted, and then there is nothing.
    pub fn vanish_once(&self, name: &str) {
        self.shared.world().vanishing.push(name.to_owned());
    }

    /// Makes a system topic of an account by name, as an administrator would.
    pub fn plant_topic(&self, account: &str, name: &str) {
        let mut world = self.shared.world();
        let Some(source) = world.accounts.get(account).cloned() else { return };
        let id = format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.EventGrid/systemTopics/{name}",
            source.subscription, source.group
        );
        let topic = Topic {
            name: name.to_owned(),
            source: source.id(),
            location: source.location,
            implicit: false,
            id: id.clone(),
        };
        world.topics.insert(id.to_ascii_lowercase(), topic);
    }

    /// Puts a legal hold on a container.
    pub fn legal_hold(&self, account: &str, container: &str) {
        let hold = json!({
            "hasLegalHold": true, "legalHold": { "hasLegalHold": true, "tags": [{ "tag": "case42" }] },
        });
        self.hold(account, container, hold);
    }

    /// Gives a container a locked immutability policy.
    pub fn immutable(&self, account: &str, container: &str) {
        let policy = json!({
            "immutabilityPeriodSinceCreationInDays": 365, "state": "Locked", "allowProtectedAppendWrites": false,
        });
        let hold = json!({ "hasImmutabilityPolicy": true, "immutabilityPolicy": { "properties": policy } });
        self.hold(account, container, hold);
    }

    fn hold(&self, account: &str, container: &str, hold: Value) {
        if let Some(one) = self.shared.world().accounts.get_mut(account) {
            one.holds.insert(container.to_owned(), hold);
        }
    }

    /// Takes an endless lease on a container.
    pub async fn lease(&self, account: &str, container: &str) -> std::io::Result<()> {
        let path = format!("/{account}/{container}?restype=container&comp=lease");
        let headers = [("x-ms-lease-action", "acquire"), ("x-ms-lease-duration", "-1")];
        succeeded(self.shared.plane.ask(Service::Blob, Method::PUT, &path, &headers, "").await?)
    }

    /// Deletes a queue.
    pub async fn drop_queue(&self, account: &str, name: &str) -> std::io::Result<()> {
        let path = format!("/{account}/{name}");
        succeeded(self.shared.plane.ask(Service::Queue, Method::DELETE, &path, &[], "").await?)
    }

    /// Deletes the event subscriptions of that name.
    pub fn drop_event_subscription(&self, name: &str) {
        self.shared.world().event_subscriptions.retain(|_, one| one.name != name);
    }

    /// Puts a message into a queue; its text may hold nothing that XML reads as its own.
    pub async fn plant_message(&self, account: &str, queue: &str, text: &str) -> std::io::Result<()> {
        let body = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
        let path = format!("/{account}/{queue}/messages");
        succeeded(self.shared.plane.ask(Service::Queue, Method::POST, &path, &[], body).await?)
    }

    /// How many messages a queue holds.
    pub async fn depth(&self, account: &str, queue: &str) -> std::io::Result<usize> {
        let path = format!("/{account}/{queue}?comp=metadata");
        let reply = self.shared.plane.ask(Service::Queue, Method::GET, &path, &[], "").await?;
        let count = reply.headers().get("x-ms-approximate-messages-count");
        Ok(count.and_then(|count| count.to_str().ok()?.parse().ok()).unwrap_or_default())
    }

    /// The bodies of up to 32 messages in a queue, without base64 where they have it.
    pub async fn messages(&self, account: &str, queue: &str) -> std::io::Result<Vec<String>> {
        let path = format!("/{account}/{queue}/messages?peekonly=true&numofmessages=32");
        let reply = self.shared.plane.ask(Service::Queue, Method::GET, &path, &[], "").await?;
        let text = String::from_utf8_lossy(reply.body());
        let document = roxmltree::Document::parse(&text).map_err(std::io::Error::other)?;
        let bodies = document.descendants().filter(|node| node.tag_name().name() == "MessageText");
        Ok(bodies
            .map(|node| {
                let text = node.text().unwrap_or_default();
                let plain = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                plain.unwrap_or_else(|| text.to_owned())
            })
            .collect())
    }
}

pub(super) fn succeeded(reply: axum::http::Response<hyper::body::Bytes>) -> std::io::Result<()> {
    if reply.status().is_success() {
        return Ok(());
    }
    Err(std::io::Error::other(String::from_utf8_lossy(reply.body()).into_owned()))
}
