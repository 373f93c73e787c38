//! What is refused for another reason than a missing permission, and is not called one.

use serde_json::json;
use wbstore_sandbox::fault::{Failure, Fault, When};

use crate::support::{Site, is_told_well};

#[tokio::test]
async fn a_service_perimeter_is_no_missing_permission() {
    for service in ["storage.googleapis.com", "pubsub.googleapis.com"] {
        let site = Site::provisioned().await;
        site.gcp.control().enclose(Some(service));
        let ran = site.provision(&[]).await.ends(3);
        is_told_well(&ran);
        let ran = ran.tells(&["VPC Service Controls", "access level"]);
        assert!(!ran.stderr.contains("grant "), "{ran}");
        site.is_untouched();
    }
}

#[tokio::test]
async fn an_upload_that_a_perimeter_rejects_is_called_so() {
    let site = Site::provisioned().await;
    let refused = wbstore_sandbox::reply::ApiError::new(
        403,
        "SecurityPolicyViolated",
        "Request violates VPC Service Controls.",
    );
    site.gcp.proxy().arm(When::every("storage.xml.PUT"), Fault::fail(Failure::Other(refused)));
    let ran = site.run("verify", &["--within", "5s", "--format", "json"]).await;
    assert!(ran.stdout.contains("VPC Service Controls reject it"), "{ran}");
    assert!(!ran.stdout.contains("storage.objects.create"), "{ran}");
}

#[tokio::test]
async fn a_busy_upload_is_no_missing_permission() {
    let site = Site::provisioned().await;
    site.gcp.proxy().arm(When::every("storage.xml.PUT"), Fault::fail(Failure::Unavailable));
    let ran = site.run("verify", &["--within", "5s", "--format", "json"]).await;
    assert!(ran.stdout.contains("neither stored nor denied"), "{ran}");
    assert!(!ran.stdout.contains("storage.objects.create"), "{ran}");
}

/// A page with status 200 did nothing, whatever was sent.
#[tokio::test]
async fn a_web_page_is_no_success() {
    for call in [
        "pubsub.topics.create",
        "pubsub.topics.setIamPolicy",
        "storage.buckets.insert",
        "storage.notifications.insert",
    ] {
        let site = Site::open().await;
        site.gcp.proxy().arm(When::every(call), Fault::Portal);
        site.provision(&[]).await.ends(4).tells(&["web page", "proxy"]);
        site.gcp.proxy().disarm();
        site.provision(&[]).await.ends(0);
    }
    for call in ["storage.buckets.delete", "pubsub.subscriptions.delete", "storage.notifications.delete"] {
        let site = Site::provisioned().await;
        site.put("run", b"four");
        site.gcp.proxy().arm(When::every(call), Fault::Portal);
        let ran = site.teardown(&["--delete-objects"]).await.tells(&["web page"]);
        assert_ne!(ran.code, Some(0), "{ran}");
        assert_ne!(site.left().await, json!([[], [], []]), "{call}");
    }
}

#[tokio::test]
async fn a_failed_list_of_subscriptions_is_not_none() {
    let site = Site::provisioned().await;
    site.gcp.proxy().arm(When::every("pubsub.topics.subscriptions.list"), Fault::fail(Failure::AccessDenied));
    site.teardown(&[]).await.ends(0).tells(&["not checked whether subscriptions of others"]);
}

#[tokio::test]
async fn credentials_of_another_universe_are_refused_before_a_token_goes_anywhere() {
    let site = Site::open().await;
    let env = site.gcp.env();
    let (_, path) = env.iter().find(|(name, _)| name == "GOOGLE_APPLICATION_CREDENTIALS").expect("a key");
    let key = std::fs::read_to_string(path).expect("it is there");
    let other = format!("{path}.other.json");
    std::fs::write(&other, key.replace("\"googleapis.com\"", "\"example.cloud\"")).expect("it is written");
    site.gcp.proxy().clear_journal();
    let ran = site.run_with(&[("GOOGLE_APPLICATION_CREDENTIALS", &other)], "plan", &[]).await.ends(1);
    ran.tells(&["are for the universe `example.cloud`", "no request was sent"]);
    assert!(site.gcp.proxy().journal().is_empty());
}
