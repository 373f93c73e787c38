//! `doctor` on a store: what can be read, and that nothing is changed.

use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::ran::finish;
use wbstore_sandbox::stores::StoreKind;

use crate::support::{on_each_store, open, provisioned};

on_each_store! {
    all_is_reported_and_nothing_is_written
}

async fn all_is_reported_and_nothing_is_written(kind: StoreKind) {
    let store = provisioned(kind).await;
    let endpoint = format!("{} (--endpoint)", store.endpoint());
    store
        .run("doctor", &["--format", "json"])
        .await
        .ends(0)
        .finds("s3 credentials", "passed", &["AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"])
        .finds("s3 identity", "passed", &[])
        .finds("s3 region", "passed", &["us-east-1 (the default; none is configured)"])
        .finds("s3 endpoint", "passed", &[&endpoint])
        .finds("s3 clock", "passed", &[])
        .finds("s3 reads", "passed", &["resources of wandb-acme-com can be read"]);
    assert_eq!(store.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_read_that_is_denied_is_a_failure() {
    let store = provisioned(StoreKind::S3sFs).await;
    store.proxy().arm(When::every("s3:ListObjectsV2"), Fault::fail(Failure::AccessDenied));
    let ran = store.run("doctor", &["--format", "json"]).await.ends(6);
    ran.finds("s3 reads", "failed", &["s3/bucket/"]);
}

#[tokio::test]
async fn a_clock_that_is_off_is_a_failure_and_a_key_for_one_bucket_is_none() {
    let store = open(StoreKind::S3sFs).await;
    store.proxy().arm(When::every("s3:ListBuckets"), Fault::fail(Failure::AccessDenied));
    let mut unnamed = store.wbstore();
    unnamed.args(["doctor", "s3", "--endpoint", &store.endpoint(), "--format", "json"]);
    finish(unnamed).await.ends(0).finds("s3 identity", "inconclusive", &["s3:ListAllMyBuckets"]).finds(
        "s3 reads",
        "inconclusive",
        &["add `--host` or `--name`"],
    );
    store.proxy().disarm();
    store.proxy().arm(When::every("*"), Fault::Skew(-1200));
    let ran = store.run("doctor", &["--format", "json"]).await.ends(6);
    ran.finds("s3 clock", "failed", &["minutes ahead of that of http://127.0.0.1", "more than 15 minutes"]);
}
