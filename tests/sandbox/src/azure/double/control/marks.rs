//! Tags, metadata and labels, as anybody with the right to write them can set them.

use std::io;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::contents::succeeded;
use crate::azure::double::{AzureDouble, Service, blob_service, plane};

impl AzureDouble {
    /// Sets a tag of an account; false where there is none.
    pub fn set_tag(&self, account: &str, name: &str, value: &str) -> bool {
        let mut world = self.shared.world();
        let Some(one) = world.accounts.get_mut(account) else { return false };
        one.tags.insert(name.to_owned(), value.into());
        true
    }

    /// Sets one of the metadata of a container; false where there is none.
    pub async fn set_container_metadata(
        &self,
        account: &str,
        container: &str,
        name: &str,
        value: &str,
    ) -> io::Result<bool> {
        self.set_metadata(Service::Blob, account, container, (name, value)).await
    }

    /// The same of a queue.
    pub async fn set_queue_metadata(
        &self,
        account: &str,
        queue: &str,
        name: &str,
        value: &str,
    ) -> io::Result<bool> {
        self.set_metadata(Service::Queue, account, queue, (name, value)).await
    }

    async fn set_metadata(
        &self,
        service: Service,
        account: &str,
        name: &str,
        (key, value): (&str, &str),
    ) -> io::Result<bool> {
        let all = self.shared.plane.list(service, account).await?;
        let Some((_, mut metadata)) = all.into_iter().find(|(other, _)| other == name) else {
            return Ok(false);
        };
        metadata.insert(key.to_owned(), value.into());
        self.put_metadata(service, account, name, metadata).await?;
        Ok(true)
    }

    async fn put_metadata(
        &self,
        service: Service,
        account: &str,
        name: &str,
        metadata: Map<String, Value>,
    ) -> io::Result<()> {
        let query = match service {
            Service::Blob => "restype=container&comp=metadata",
            Service::Queue => "comp=metadata",
        };
        let headers = plane::metadata_headers(&metadata.into())
            .map_err(|refusal| io::Error::other(refusal.message().to_owned()))?;
        let path = format!("/{account}/{name}?{query}");
        succeeded(self.shared.plane.ask(service, Method::PUT, &path, &plane::borrowed(&headers), "").await?)
    }

    /// Adds a label to an event subscription of an account, in place of those that begin with `instead_of`;
    /// false where there is none.
    pub fn set_label(&self, account: &str, name: &str, instead_of: &str, label: &str) -> bool {
        let mut world = self.shared.world();
        let Some(source) = world.accounts.get(account).map(|account| account.id()) else { return false };
        let mut all = world.event_subscriptions.values_mut();
        let Some(one) = all.find(|one| one.source == source && one.name == name) else { return false };
        let labels = one.properties.entry("labels").or_insert_with(|| json!([]));
        let Some(labels) = labels.as_array_mut() else { return false };
        labels.retain(|other| !other.as_str().is_some_and(|other| other.starts_with(instead_of)));
        labels.push(label.into());
        true
    }

    /// Adds a CORS rule, written as ARM writes it, to those that an account has; false where there is no
    /// account.
    pub async fn add_cors(&self, account: &str, rule: Value) -> io::Result<bool> {
        let there = self.shared.world().accounts.contains_key(account);
        if there {
            let mut rules = blob_service::rules(&self.shared, account)
                .await
                .map_err(|refusal| io::Error::other(refusal.message().to_owned()))?;
            rules.push(rule);
            self.plant_cors(account, &rules).await?;
        }
        Ok(there)
    }

    /// Puts the end of a deployment's lease to `end`, wherever in an account it is written: in tags, in the
    /// metadata of containers and queues, in the labels of event subscriptions. False where it has none.
    pub async fn set_lease_end(&self, account: &str, deployment: &str, end: &str) -> io::Result<bool> {
        let mut found = self.set_lease_end_in_control_plane(account, deployment, end);
        for service in [Service::Blob, Service::Queue] {
            for (name, mut metadata) in self.shared.plane.list(service, account).await? {
                let is_of = metadata.get("wbstore_deployment").is_some_and(|other| other == deployment);
                let Some(known) = metadata.get_mut("wbstore_expires").filter(|_| is_of) else { continue };
                *known = end.into();
                self.put_metadata(service, account, &name, metadata).await?;
                found = true;
            }
        }
        Ok(found)
    }

    fn set_lease_end_in_control_plane(&self, account: &str, deployment: &str, end: &str) -> bool {
        let mut world = self.shared.world();
        let Some(one) = world.accounts.get_mut(account) else { return false };
        let is_of = one.tags.get("wbstore-deployment").is_some_and(|other| other == deployment);
        let mut found = false;
        if let Some(known) = one.tags.get_mut("wbstore-expires").filter(|_| is_of) {
            *known = end.into();
            found = true;
        }
        let (source, mark) = (one.id(), Value::from(format!("wbstore:{deployment}")));
        for one in world.event_subscriptions.values_mut().filter(|one| one.source == source) {
            let labels = one.properties.get_mut("labels").and_then(|labels| labels.as_array_mut());
            let Some(labels) = labels.filter(|labels| labels.contains(&mark)) else { continue };
            for label in labels {
                if label.as_str().is_some_and(|label| label.starts_with("wbstore-expires:")) {
                    *label = json!(format!("wbstore-expires:{end}"));
                    found = true;
                }
            }
        }
        found
    }
}
