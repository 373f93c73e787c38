//! What `verify s3` says where something is wrong.

use wbstore_sandbox::cloud::HOST;
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::reply::ApiError;
use wbstore_sandbox::stores::Method;
use wbstore_sandbox::stores::{Quirk, Store, StoreKind};

use crate::support::{make_bucket, provision, provisioned, unpassed, verify};

#[track_caller]
fn says(ran: &Ran, check: &str, verdict: &str, words: &[&str]) {
    let check = ran.check(check);
    assert_eq!(check["verdict"], verdict, "{ran}");
    for word in words {
        assert!(check.to_string().contains(word), "{word:?} is not in {check}");
    }
}

#[tokio::test]
async fn an_upload_that_is_refused_leaves_the_rest_open() {
    let store = provisioned(StoreKind::S3sFs).await;
    store.proxy().arm(When::every("s3:PutObject"), Fault::fail(Failure::AccessDenied));
    let ran = verify(&store, &[]).await.ends(6);
    says(&ran, "upload", "failed", &["403", "s3:PutObject"]);
    for check in ["ETag exposed", "CORS of answers", "range", "keys", "anonymous read", "delete"] {
        says(&ran, check, "inconclusive", &["nothing was uploaded"]);
    }
}

#[tokio::test]
async fn objects_that_anybody_reads_fail_it() {
    let store = provisioned(StoreKind::S3sFs).await;
    // A listing in 200 for everybody, as a bucket that is public has it.
    store.proxy().add_quirk(Quirk::ServesAnybody);
    let ran = verify(&store, &[]).await.ends(6);
    says(&ran, "anonymous read", "failed", &["anyone can read"]);
    says(&ran, "not public", "failed", &["anyone can list"]);
}

#[tokio::test]
#[ignore = "needs moto from PyPI: cargo sandbox test"]
async fn a_preflight_that_promises_more_than_answers_keep_fails_it() {
    let store = provisioned(StoreKind::Moto).await;
    store.proxy().add_quirk(Quirk::PreflightsOnly);
    let ran = verify(&store, &[]).await.ends(6);
    says(&ran, "preflight PUT", "passed", &[]);
    says(&ran, "CORS of answers", "failed", &["cannot read the answer"]);
    says(&ran, "ETag exposed", "failed", &["ETag"]);
}

#[tokio::test]
async fn a_proxy_that_limits_bodies_fails_the_upload_in_parts() {
    let store = provisioned(StoreKind::S3sFs).await;
    // nginx has one megabyte unless it is told otherwise.
    store.proxy().add_quirk(Quirk::SmallBodies(1 << 20));
    let ran = verify(&store, &[]).await.ends(6);
    assert_eq!(unpassed(&ran).len(), 1, "{ran}");
    says(&ran, "multipart upload", "failed", &["413", "client_max_body_size"]);
    let left = store.done(Method::GET, &format!("/{}?list-type=2", store.bucket()), "").await;
    assert!(!left.contains("parts.txt"), "{left}");
    assert!(
        store.writes().iter().any(|write| write.starts_with("AbortMultipartUpload")),
        "{:?}",
        store.writes()
    );
}

#[tokio::test]
async fn a_proxy_that_drops_ranges_fails_it() {
    let store = provisioned(StoreKind::S3sFs).await;
    store.proxy().add_quirk(Quirk::NoRanges);
    let ran = verify(&store, &[]).await.ends(6);
    says(&ran, "range", "failed", &["Range"]);
}

#[tokio::test]
async fn a_key_that_the_store_spells_otherwise_fails_it() {
    let store = provisioned(StoreKind::S3sFs).await;
    store.proxy().add_quirk(Quirk::PlusIsSpace);
    let ran = verify(&store, &[]).await.ends(6);
    says(&ran, "keys", "failed", &["+"]);
}

#[tokio::test]
async fn a_region_that_is_refused_is_named() {
    for (region, message) in [("garage", "--region garage"), ("auto", "--region auto")] {
        let store = Store::open(StoreKind::S3sFs).await;
        make_bucket(&store).await;
        store.allow_cors_of(HOST);
        store.proxy().add_quirk(Quirk::OnlyRegion(region.to_owned()));
        let ran = store.run("plan", &["--adopt"]).await;
        assert!(ran.code != Some(0) && ran.to_string().contains(message), "{ran}");
        store.run("plan", &["--adopt", "--region", region]).await.ends(0);
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_named() {
    let store = provisioned(StoreKind::S3sFs).await;
    store.proxy().arm(When::every("s3:GetObject"), Fault::Skew(300));
    let ran = verify(&store, &[]).await;
    says(&ran, "clock", "warned", &["behind", "synchronize"]);
    store.proxy().disarm();
    store.proxy().arm(When::every("*"), Fault::Skew(3600));
    let ran = store.run("plan", &[]).await;
    assert!(ran.code == Some(1) && ran.stderr.contains("clock"), "{ran}");
}

#[tokio::test]
async fn uploads_that_an_encryption_refuses_are_explained() {
    let store = provisioned(StoreKind::S3sFs).await;
    let error = ApiError::new(400, "InvalidRequest", "no key service");
    store.proxy().arm(When::every("s3:PutObject"), Fault::fail(Failure::Other(error)));
    let ran = verify(&store, &[]).await.ends(6);
    says(&ran, "upload", "failed", &["delete-bucket-encryption"]);
}

#[tokio::test]
async fn the_probes_are_deleted_also_where_something_fails() {
    let store = provisioned(StoreKind::S3sFs).await;
    store.proxy().arm(When::every("s3:CompleteMultipartUpload"), Fault::fail(Failure::AccessDenied));
    verify(&store, &[]).await.ends(6);
    let left = store.done(Method::GET, &format!("/{}?list-type=2", store.bucket()), "").await;
    assert!(!left.contains("wbstore-probe"), "{left}");
}

#[tokio::test]
async fn drift_fails_it() {
    let store = provisioned(StoreKind::S3sFs).await;
    store.done(Method::DELETE, &format!("/{}/.wbstore/deployment.json", store.bucket()), "").await;
    let ran = verify(&store, &[]).await.ends(6);
    says(&ran, "drift", "failed", &[]);
}

#[tokio::test]
async fn the_node_is_told_what_its_key_lacks() {
    let store = provisioned(StoreKind::S3sFs).await;
    let file = store.credentials_file().display().to_string();
    store.proxy().arm(When::every("s3:ListObjectsV2"), Fault::fail(Failure::AccessDenied));
    let ran = verify(&store, &["--as", "node", "--server-credentials", &file]).await.ends(6);
    says(&ran, "list", "failed", &["grant s3:ListBucket", "`wbstore policy s3 --for node`"]);
}

#[tokio::test]
async fn people_read_a_line_a_check() {
    let store = provisioned(StoreKind::S3sFs).await;
    let ran = store.run("verify", &[]).await.ends(0);
    assert!(ran.stdout.contains("It works:") && ran.stdout.contains("CORS of answers"), "{ran}");
    provision(&store, &[]).await.ends(0);
}
