//! All that `rclone serve s3` is ever sent to change anything: it takes a write to a part of a bucket that it does not
//! know for one to the bucket.

use wbstore_sandbox::cloud::NAME;
use wbstore_sandbox::stores::{Store, StoreKind};

use crate::support::{exists, make_bucket, open, provision, teardown, verify};

const MARK: &str = ".wbstore/deployment.json";

/// The operations on objects and the bucket itself.
const KNOWN: [&str; 9] = [
    "CreateBucket",
    "DeleteBucket",
    "PutObject",
    "DeleteObject",
    "DeleteObjects",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
];

#[track_caller]
fn sends_only_what_is_known(store: &Store) {
    for exchange in store.mutations() {
        let operation = exchange.operation.trim_start_matches("s3:");
        assert!(KNOWN.contains(&operation), "{} {}", exchange.method, exchange.target);
        let query = exchange.target.split_once('?').map_or("", |(_, query)| query);
        for parameter in query.split('&').filter(|one| !one.is_empty()) {
            let name = parameter.split('=').next().unwrap_or_default();
            let is_known = ["x-id", "uploads", "uploadId", "partNumber", "delete"].contains(&name)
                || name.starts_with("X-Amz-");
            assert!(is_known, "{} {}", exchange.method, exchange.target);
        }
    }
}

#[tokio::test]
#[ignore = "needs rclone from PyPI: cargo sandbox test"]
async fn it_is_sent_no_write_that_it_does_not_know() {
    let store = open(StoreKind::Rclone).await;
    let opted = ["--block-public-access", "--encrypt"];
    store.run("plan", &opted).await.ends(0);
    assert_eq!(store.writes(), Vec::<String>::new());
    provision(&store, &opted).await.ends(0);
    assert_eq!(store.writes(), ["CreateBucket".to_owned(), format!("PutObject {MARK}")]);
    store.proxy().clear_journal();
    verify(&store, &[]).await.ends(0);
    sends_only_what_is_known(&store);
    assert!(store.writes().iter().all(|write| write.contains(".wbstore-probe/")), "{:?}", store.writes());
    store.proxy().clear_journal();
    for (verb, more) in
        [("plan", &[] as &[&str]), ("list", &[]), ("config", &[]), ("policy", &["--for", "node"])]
    {
        store.run(verb, more).await.ends(0);
    }
    assert_eq!(store.writes(), Vec::<String>::new());
    teardown(&store, &[]).await.ends(0);
    assert_eq!(store.writes(), [format!("DeleteObject {MARK}"), "DeleteBucket".to_owned()]);
    assert!(!exists(&store, store.bucket()).await);
}

#[tokio::test]
#[ignore = "needs rclone from PyPI: cargo sandbox test"]
async fn an_empty_bucket_that_was_adopted_is_still_there_after_the_teardown() {
    let store = open(StoreKind::Rclone).await;
    make_bucket(&store).await;
    provision(&store, &["--adopt", "--block-public-access"]).await.ends(0);
    store.run("teardown", &["--confirm", NAME]).await.ends(0);
    assert!(exists(&store, store.bucket()).await, "{:?}", store.writes());
    assert_eq!(store.writes(), [format!("PutObject {MARK}"), format!("DeleteObject {MARK}")]);
}
