//! What takes its time on Google's side, and is waited for in sight.

use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::gcp::double::Refusing;

use crate::support::{EVENTS, Site, is_told_well};

#[tokio::test]
async fn a_grant_that_is_slow_to_arrive_is_waited_for_in_sight() {
    for how in [Refusing::Forbidden, Refusing::BadRequest] {
        let site = Site::open().await;
        site.gcp.control().refuse_topics(how);
        site.gcp.control().slow_grants(2);
        let told = &["retrying for up to", "not allowed to publish to the topic yet"];
        site.provision(&[]).await.ends(0).tells(told);
        let inserts = site.mutations().iter().filter(|sent| *sent == "storage.notifications.insert").count();
        assert_eq!(inserts, 3, "{how:?}");
        let told = site.get(&site.notifications()).await;
        assert_eq!(told["items"].as_array().map(Vec::len), Some(1), "{told}");
    }
}

#[tokio::test]
async fn a_wait_that_is_cut_short_fails_with_its_reason() {
    let site = Site::open().await;
    site.gcp.control().slow_grants(u32::MAX);
    let ran = site.provision(&["--wait", "1s"]).await.ends(4);
    is_told_well(&ran);
    let agent = site.gcp.double().agent();
    ran.tells(&["not allowed to publish to the topic yet", "roles/pubsub.publisher", EVENTS, &agent]);
    assert!(site.get(&site.notifications()).await["items"].is_null());
}

#[tokio::test]
async fn a_plea_to_slow_down_is_heeded() {
    let site = Site::open().await;
    let slow = When::operation("storage.notifications.insert", 0).times(2);
    let slow = site.gcp.proxy().arm(slow, Fault::fail(Failure::Throttled));
    site.provision(&[]).await.ends(0).tells(&["retrying for up to", "rate limit"]);
    assert_eq!(slow.hits(), 2);
}

#[tokio::test]
async fn a_list_without_a_part_says_when_to_come_again() {
    let site = Site::provisioned().await;
    let day = Fault::fail(Failure::TooManyRequests(86400));
    site.gcp.proxy().arm(When::every("pubsub.topics.list"), day);
    site.run("list", &[]).await.ends(1).tells(&["the topics cannot be listed", "Retry-After: 24h"]);
}
