//! Time, as far as marks tell of it.

use axum::http::Method;
use serde_json::json;

use super::contents::succeeded;
use crate::azure::double::{AzureDouble, Service, plane};

impl AzureDouble {
    /// Puts the end of every lease in an account that has one to `end`, as waiting would: in its tags,
    /// in the metadata of containers and queues, in the labels of event subscriptions.
    pub async fn end_leases(&self, account: &str, end: &str) -> std::io::Result<()> {
        self.end_in_control_plane(account, end);
        for (service, query) in
            [(Service::Blob, "restype=container&comp=metadata"), (Service::Queue, "comp=metadata")]
        {
            for (name, mut metadata) in self.shared.plane.list(service, account).await? {
                let Some(known) = metadata.get_mut("wbstore_expires") else { continue };
                *known = end.into();
                let headers = plane::metadata_headers(&metadata.into())
                    .map_err(|refusal| std::io::Error::other(refusal.message().to_owned()))?;
                let path = format!("/{account}/{name}?{query}");
                let headers = plane::borrowed(&headers);
                succeeded(self.shared.plane.ask(service, Method::PUT, &path, &headers, "").await?)?;
            }
        }
        Ok(())
    }

    fn end_in_control_plane(&self, account: &str, end: &str) {
        let mut world = self.shared.world();
        let Some(one) = world.accounts.get_mut(account) else { return };
        if let Some(known) = one.tags.get_mut("wbstore-expires") {
            *known = end.into();
        }
        let source = one.id();
        for one in world.event_subscriptions.values_mut().filter(|one| one.source == source) {
            let labels = one.properties.get_mut("labels").and_then(|labels| labels.as_array_mut());
            for label in labels.into_iter().flatten() {
                if label.as_str().is_some_and(|label| label.starts_with("wbstore-expires:")) {
                    *label = json!(format!("wbstore-expires:{end}"));
                }
            }
        }
    }
}
