//! The stores are what the tests of wbstore take them for, dangers included.

use hyper::Method;
use wbstore_sandbox::stores::{Key, Quirk, Store, StoreKind};

const CORS: &str = "<CORSConfiguration><CORSRule><ID>theirs</ID><AllowedMethod>GET</AllowedMethod>\
                    <AllowedOrigin>https://a.example</AllowedOrigin></CORSRule></CORSConfiguration>";

async fn with_bucket(kind: StoreKind) -> (Store, String) {
    let store = Store::open(kind).await;
    let bucket = format!("/{}", store.bucket());
    store.done(Method::PUT, &bucket, "").await;
    (store, bucket)
}

async fn keeps_objects_and_knows_keys(kind: StoreKind) {
    let (store, bucket) = with_bucket(kind).await;
    let object = format!("{bucket}/a%20%2B%C3%BC");
    store.done(Method::PUT, &object, "content").await;
    let read = store.ask_as(store.node(), Method::GET, &object, "").await;
    assert_eq!(read.body(), "content");
    if kind != StoreKind::Moto && !kind.serves_anybody() {
        let wrong = Key::new(store.operator().id.clone(), "wrong");
        assert_eq!(store.ask_as(&wrong, Method::GET, &object, "").await.status(), 403);
    }
    let cors = store.ask(Method::PUT, &format!("{bucket}?cors"), CORS).await.status();
    assert_eq!(cors.is_success(), kind.has_cors(), "{cors}");
}

#[tokio::test]
#[ignore = "needs rclone from PyPI: cargo sandbox test"]
async fn it_works_on_rclone() {
    keeps_objects_and_knows_keys(StoreKind::Rclone).await;
}

#[tokio::test]
#[ignore = "needs s3rver from npm: cargo sandbox test"]
async fn it_works_on_s3rver() {
    keeps_objects_and_knows_keys(StoreKind::S3rver).await;
}

#[tokio::test]
#[ignore = "needs moto from PyPI: cargo sandbox test"]
async fn it_works_on_moto() {
    keeps_objects_and_knows_keys(StoreKind::Moto).await;
}

#[tokio::test]
async fn it_works_on_s3s_fs() {
    keeps_objects_and_knows_keys(StoreKind::S3sFs).await;
}

#[tokio::test]
#[ignore = "needs radosgw: cargo sandbox test"]
async fn it_works_on_radosgw() {
    keeps_objects_and_knows_keys(StoreKind::Radosgw).await;
}

#[tokio::test]
#[ignore = "needs rclone from PyPI: cargo sandbox test"]
async fn a_part_of_a_bucket_that_is_deleted_is_the_bucket_on_rclone() {
    let (store, bucket) = with_bucket(StoreKind::Rclone).await;
    store.done(Method::DELETE, &format!("{bucket}?cors"), "").await;
    assert_eq!(store.ask(Method::GET, &bucket, "").await.status(), 404);
    store.done(Method::PUT, &format!("{bucket}?publicAccessBlock"), "").await;
    assert!(store.ask(Method::GET, &bucket, "").await.status().is_success());
}

/// The quirk is what Ceph does.
async fn blocked_acls_refuse_uploads(kind: StoreKind) {
    let (store, bucket) = with_bucket(kind).await;
    store.proxy().add_quirk(Quirk::BlockedAclsRefuseUploads);
    let block = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
    let setting = format!("{bucket}?publicAccessBlock");
    let object = format!("{bucket}/object");
    let front = kind == StoreKind::Moto;
    store.through(front, Method::PUT, &setting, block).await;
    assert_eq!(store.through(front, Method::PUT, &object, "x").await, 403);
    store.through(front, Method::DELETE, &setting, "").await;
    assert_eq!(store.through(front, Method::PUT, &object, "x").await, 200);
}

#[tokio::test]
#[ignore = "needs radosgw: cargo sandbox test"]
async fn blocked_acls_refuse_uploads_on_radosgw() {
    blocked_acls_refuse_uploads(StoreKind::Radosgw).await;
}

#[tokio::test]
#[ignore = "needs moto from PyPI: cargo sandbox test"]
async fn blocked_acls_refuse_uploads_with_the_quirk() {
    blocked_acls_refuse_uploads(StoreKind::Moto).await;
}

#[tokio::test]
async fn each_quirk_refuses_what_it_says() {
    let cases = [
        (Quirk::NoVersions, Method::GET, "?versions", 501),
        (Quirk::NoDeleteObjects, Method::POST, "?delete", 501),
        (Quirk::OnlyRegion("auto".to_owned()), Method::GET, "", 400),
        (Quirk::OnlyVirtual, Method::GET, "", 403),
        (Quirk::SmallBodies(3), Method::PUT, "/object", 413),
        (Quirk::NoSettings, Method::GET, "?tagging", 501),
    ];
    for (quirk, method, path, status) in cases {
        let (store, bucket) = with_bucket(StoreKind::S3sFs).await;
        store.proxy().add_quirk(quirk.clone());
        let answer = store.through(true, method, &format!("{bucket}{path}"), "content").await;
        assert_eq!(answer, status, "{quirk:?}");
    }
}
