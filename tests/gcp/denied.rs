//! What these credentials may not do, found out in the middle or at the beginning.

use wbstore_sandbox::fault::{Failure, Fault, When};

use crate::support::{Site, is_told_well};

/// Every permission that `plan` needs, of a deployment that is there.
const READS: [&str; 5] = [
    "storage.buckets.get",
    "pubsub.topics.get",
    "pubsub.topics.getIamPolicy",
    "pubsub.subscriptions.get",
    "resourcemanager.projects.get",
];

#[tokio::test]
async fn each_read_that_is_denied_refuses_the_whole_and_names_the_permission() {
    let site = Site::provisioned().await;
    for permission in READS {
        site.gcp.control().deny(permission);
        let ran = site.provision(&[]).await.ends(3).tells(&[permission]);
        is_told_well(&ran);
        site.gcp.control().allow_all();
    }
    site.is_untouched();
}

/// Every permission that making a deployment takes beside.
const WRITES: [&str; 5] = [
    "storage.buckets.create",
    "storage.buckets.update",
    "pubsub.topics.create",
    "pubsub.topics.setIamPolicy",
    "pubsub.subscriptions.create",
];

#[tokio::test]
async fn each_write_that_is_denied_is_told_and_a_rerun_completes_it() {
    let one = async |permission: &str| {
        let site = Site::open().await;
        site.gcp.control().deny(permission);
        let ran = site.provision(&[]).await.ends(4);
        is_told_well(&ran);
        // Pub/Sub says that something is denied, and not what.
        ran.tells(&["hint: grant", permission]);
        site.gcp.control().allow_all();
        site.provision(&[]).await.ends(0);
        site.run("plan", &["--exit-code"]).await.ends(0);
    };
    futures::future::join_all(WRITES.iter().map(|one_of| one(one_of))).await;
}

#[tokio::test]
async fn credentials_that_expire_in_the_middle_leave_what_a_rerun_completes() {
    let site = Site::open().await;
    let insert = When::every("storage.notifications.insert");
    site.gcp.proxy().arm(insert, Fault::fail(Failure::ExpiredToken));
    let ran = site.provision(&[]).await.ends(4);
    is_told_well(&ran);
    ran.tells(&["expired", "run the same"]);
    site.gcp.proxy().disarm();
    site.provision(&[]).await.ends(0);
    site.run("plan", &["--exit-code"]).await.ends(0);
}
