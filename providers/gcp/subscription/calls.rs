//! The calls that a subscription is read and labelled with.

use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_pubsub::model;
use google_cloud_wkt::FieldMask;

use super::{PULL, Subscription};
use crate::error::Result;
use crate::mark::Entries;
use crate::providers::gcp::failure::{failure, is_not_found};
use crate::providers::gcp::session::Api;
use crate::text::clean;

/// How messages leave the subscription. The address of a push may carry a token in its query, so only
/// its beginning is told.
pub(super) fn delivery(found: &model::Subscription) -> String {
    let push = found.push_config.as_ref().map(|push| push.push_endpoint.as_str()).unwrap_or_default();
    if !push.is_empty() {
        return format!("push to {}", clean(push.split(['?', '#']).next().unwrap_or_default()));
    }
    match (&found.bigquery_config, &found.cloud_storage_config, &found.bigtable_config) {
        (Some(config), _, _) => format!("bigquery table {}", clean(&config.table)),
        (_, Some(config), _) => format!("storage bucket {}", clean(&config.bucket)),
        (_, _, Some(config)) => format!("bigtable table {}", clean(&config.table)),
        _ => PULL.to_owned(),
    }
}

/// The subscription `name`; `None` only when Pub/Sub says that there is none.
pub(super) async fn get(api: &Api, name: &str) -> Result<Option<model::Subscription>> {
    let full = api.subscription_name(name);
    match api.subscriptions().await?.get_subscription().set_subscription(full).send().await {
        Ok(subscription) => Ok(Some(subscription)),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(failure(&error, "pubsub.subscriptions.get", Subscription::at(name))),
    }
}

/// The labels of the subscription `name`; `None` where it is not there.
///
/// # Errors
/// Those of the cloud.
pub async fn labels_of(api: &Api, name: &str) -> Result<Option<Entries>> {
    Ok(get(api, name).await?.map(|subscription| subscription.labels.into_iter().collect()))
}

/// Sets all labels of the subscription `name`. Pub/Sub has no condition on this, so they are read just
/// before.
///
/// # Errors
/// Those of the cloud.
pub async fn relabel(api: &Api, name: &str, labels: Entries) -> Result<()> {
    let subscription = model::Subscription::new().set_name(api.subscription_name(name)).set_labels(labels);
    let call = api.subscriptions().await?.update_subscription().set_subscription(subscription);
    let call = call.set_update_mask(FieldMask::default().set_paths(["labels"])).with_idempotency(false);
    let relabelled = api.mutate(call.send()).await;
    relabelled
        .map(drop)
        .map_err(|error| failure(&error, "pubsub.subscriptions.update", Subscription::at(name)))
}
