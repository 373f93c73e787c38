//! The upload, what a page sees of it, and what a stranger does.

use std::time::Duration;

use tokio::time::Instant;

use super::fake::{ALLOWED, Cloud, PEEKED, SHARED, run};
use crate::verify::Settling;

fn refuses(body: &'static str) -> impl FnOnce(&mut Cloud) {
    move |cloud| cloud.uploads = [(403, body)].into()
}

fn grants(cloud: &mut Cloud) {
    let until = Instant::now() + Duration::from_secs(3600);
    cloud.settling = Some(Settling::Grants { until, why: "grants take minutes" });
}

fn endpoint(cloud: &mut Cloud, seconds: u64) {
    let until = Instant::now() + Duration::from_secs(seconds);
    cloud.settling = Some(Settling::Endpoint { until, name: "new account", statuses: &[403, 404] });
}

#[tokio::test(start_paused = true)]
async fn a_refused_upload_gives_the_reason_of_the_service() {
    let body = "<Error><Code>Denied</Code><Message>not \u{1b}[31myou\nRequestId:1</Message>\
                <Details>d</Details></Error>";
    let ran = run::<SHARED>(refuses(body)).await;
    ran.fails("upload", "HTTP status 403: Denied: not [31myou: d", "check the grant");
    for check in ["ETag exposed", "anonymous read", "event"] {
        ran.is_open(check, "nothing was uploaded");
    }
    run::<SHARED>(refuses("<Code>Kms</Code>")).await.fails("upload", "Kms", "check the key");
    let ran = run::<SHARED>(refuses("<html>")).await;
    ran.fails("upload", "HTTP status 403", "check the grant");
    ran.passes("cleanup", "the probe is deleted");
    assert_eq!(ran.cloud().lost, 1, "there may be none, or several");
}

#[tokio::test(start_paused = true)]
async fn what_was_not_signed_is_said() {
    let ran = run::<SHARED>(|cloud| cloud.unsigned = Some("no key")).await;
    ran.passes("upload", "was not tried: no key");
    run::<SHARED>(|_| ()).await.passes("upload", "stored through a presigned URL");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_uploaded_that_could_not_be_removed() {
    let ran = run::<SHARED>(|cloud| cloud.kept_by = Some("a retention policy".to_owned())).await;
    ran.is_open("upload", "a retention policy would prevent the probe");
    ran.is_open("event", "nothing was uploaded");
    assert!(ran.cloud().uploaded.is_empty());
    assert!(ran.checks.iter().all(|(name, _)| name != "cleanup"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_proves_nothing_while_grants_settle() {
    let ran = run::<SHARED>(|cloud| {
        refuses("")(cloud);
        grants(cloud);
    });
    ran.await.is_open("upload", "grants take minutes");
}

#[tokio::test(start_paused = true)]
async fn a_new_endpoint_is_asked_again_in_sight() {
    let ran = run::<PEEKED>(|cloud| {
        cloud.uploads = [(404, ""), (403, ""), (200, "")].into();
        endpoint(cloud, 60);
    });
    let ran = ran.await;
    ran.passes("upload", "stored");
    assert!(ran.begun.contains(&"new account".to_owned()), "{:?}", ran.begun);
    assert_eq!(ran.cloud().lost, 1, "an upload that was sent again may have stored two");
    let ran = run::<PEEKED>(|cloud| {
        refuses("")(cloud);
        endpoint(cloud, 10);
    });
    let ran = ran.await;
    ran.fails("upload", "HTTP status 403", "check the grant");
    assert!(ran.took < Duration::from_secs(20), "{:?}", ran.took);
    let ran = run::<PEEKED>(|cloud| {
        refuses("")(cloud);
        endpoint(cloud, 3600);
    });
    let ran = ran.await;
    assert!(ran.took < Duration::from_secs(80), "nobody waits longer than `--within`: {:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn an_etag_is_exposed_by_name_or_by_star() {
    let exposing = |headers: &'static str| {
        run::<SHARED>(move |cloud| {
            cloud.cors = ALLOWED.to_vec();
            cloud.cors[3].1 = headers;
        })
    };
    exposing("Content-Type, ETag").await.passes("ETag exposed", "https://wandb.acme.com can read it");
    exposing("*").await.passes("ETag exposed", "");
    exposing("x-etag").await.fails("ETag exposed", "cannot read", "`wbstore plan fake`");
}

#[tokio::test(start_paused = true)]
async fn a_stranger_must_be_refused() {
    let reading = |status| run::<SHARED>(move |cloud| cloud.anonymous = status);
    reading(401).await.passes("anonymous read", "refused (HTTP status 401)");
    reading(206).await.fails("anonymous read", "anyone can read", "look for a grant");
    reading(404).await.is_open("anonymous read", "HTTP status 404");
}
