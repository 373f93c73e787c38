//! What a role lets its holder do here: the part of
//! <https://cloud.google.com/iam/docs/understanding-roles> that a W&B server and its storage need.

use std::collections::{BTreeMap, BTreeSet};

/// The permissions of custom roles, by the whole name, `projects/<project>/roles/<id>`.
pub(super) type Custom = BTreeMap<String, BTreeSet<String>>;

/// The permissions of a role; `None` when there is no such role.
pub(super) fn permissions(role: &str) -> Option<&'static [&'static str]> {
    Some(match role {
        "roles/storage.objectViewer" => &["storage.objects.get", "storage.objects.list"],
        "roles/storage.objectCreator" => &["storage.objects.create"],
        "roles/storage.objectUser" | "roles/storage.objectAdmin" => &[
            "storage.multipartUploads.abort",
            "storage.multipartUploads.create",
            "storage.multipartUploads.list",
            "storage.multipartUploads.listParts",
            "storage.objects.create",
            "storage.objects.delete",
            "storage.objects.get",
            "storage.objects.list",
            "storage.objects.update",
        ],
        "roles/storage.legacyBucketReader" => &["storage.buckets.get", "storage.objects.list"],
        "roles/storage.legacyBucketWriter" => &[
            "storage.buckets.get",
            "storage.objects.create",
            "storage.objects.delete",
            "storage.objects.list",
        ],
        "roles/storage.legacyBucketOwner" => &[
            "storage.buckets.get",
            "storage.buckets.getIamPolicy",
            "storage.buckets.setIamPolicy",
            "storage.buckets.update",
            "storage.objects.create",
            "storage.objects.delete",
            "storage.objects.list",
        ],
        "roles/storage.legacyObjectReader" => &["storage.objects.get"],
        "roles/storage.legacyObjectOwner" => &["storage.objects.get", "storage.objects.update"],
        "roles/storage.admin" => &[
            "storage.buckets.create",
            "storage.buckets.delete",
            "storage.buckets.get",
            "storage.buckets.getIamPolicy",
            "storage.buckets.list",
            "storage.buckets.setIamPolicy",
            "storage.buckets.update",
            "storage.managedFolders.list",
            "storage.objects.create",
            "storage.objects.delete",
            "storage.objects.get",
            "storage.objects.list",
            "storage.objects.update",
        ],
        "roles/pubsub.publisher" => &["pubsub.topics.publish"],
        "roles/pubsub.subscriber" => {
            &["pubsub.snapshots.seek", "pubsub.subscriptions.consume", "pubsub.topics.attachSubscription"]
        }
        "roles/pubsub.viewer" => &[
            "pubsub.subscriptions.get",
            "pubsub.subscriptions.list",
            "pubsub.topics.get",
            "pubsub.topics.list",
        ],
        "roles/pubsub.editor" | "roles/pubsub.admin" => &[
            "pubsub.subscriptions.consume",
            "pubsub.subscriptions.delete",
            "pubsub.subscriptions.get",
            "pubsub.subscriptions.update",
            "pubsub.topics.attachSubscription",
            "pubsub.topics.delete",
            "pubsub.topics.get",
            "pubsub.topics.publish",
            "pubsub.topics.update",
        ],
        "roles/iam.serviceAccountTokenCreator" => &[
            "iam.serviceAccounts.getAccessToken",
            "iam.serviceAccounts.getOpenIdToken",
            "iam.serviceAccounts.signBlob",
            "iam.serviceAccounts.signJwt",
        ],
        "roles/iam.serviceAccountUser" => &["iam.serviceAccounts.actAs"],
        _ if role.starts_with("projects/") || role.starts_with("organizations/") => &[],
        _ => return None,
    })
}
