//! What the tests share.

use serde_json::Value;
use wbstore_sandbox::cloud::{HOST, NAME};
use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::stores::Method;
use wbstore_sandbox::stores::{Store, StoreKind};

/// A store that lets pages of [`HOST`] in, by rules of its buckets or by a proxy before it.
pub async fn open(kind: StoreKind) -> Store {
    let store = Store::open(kind).await;
    store.allow_cors_of(HOST);
    store
}

/// The same with the whole deployment, and an empty journal.
pub async fn provisioned(kind: StoreKind) -> Store {
    let store = open(kind).await;
    provision(&store, &[]).await.ends(0);
    store.proxy().clear_journal();
    store
}

pub async fn provision(store: &Store, more: &[&str]) -> Ran {
    store.run("provision", &[&["--yes"], more].concat()).await
}

pub async fn teardown(store: &Store, more: &[&str]) -> Ran {
    store.run("teardown", &[&["--confirm", NAME], more].concat()).await
}

pub async fn verify(store: &Store, more: &[&str]) -> Ran {
    store.run("verify", &[&["--format", "json"], more].concat()).await
}

/// Makes the bucket by other hands.
pub async fn make_bucket(store: &Store) {
    store.done(Method::PUT, &format!("/{}", store.bucket()), "").await;
}

/// Whether there is a bucket of this name.
pub async fn exists(store: &Store, bucket: &str) -> bool {
    store.ask(Method::GET, &format!("/{bucket}?list-type=2"), "").await.status().is_success()
}

/// The checks that did not pass, by name.
pub fn unpassed(ran: &Ran) -> Vec<(String, Value)> {
    let checks = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    checks
        .filter(|check| check["verdict"] != "passed")
        .map(|check| (check["name"].as_str().unwrap_or_default().to_owned(), check))
        .collect()
}

/// A test on each store of every one of these functions of a [`StoreKind`].
macro_rules! on_each_store {
    ($($law:ident)*) => {
        $(mod $law {
            use wbstore_sandbox::stores::StoreKind;

            #[tokio::test]
            async fn on_s3s_fs() {
                super::$law(StoreKind::S3sFs).await;
            }

            #[tokio::test]
            #[ignore = "needs rclone from PyPI: cargo sandbox test"]
            async fn on_rclone() {
                super::$law(StoreKind::Rclone).await;
            }

            #[tokio::test]
            #[ignore = "needs s3rver from npm: cargo sandbox test"]
            async fn on_s3rver() {
                super::$law(StoreKind::S3rver).await;
            }

            #[tokio::test]
            #[ignore = "needs moto from PyPI: cargo sandbox test"]
            async fn on_moto() {
                super::$law(StoreKind::Moto).await;
            }

            #[tokio::test]
            #[ignore = "needs radosgw: cargo sandbox test"]
            async fn on_radosgw() {
                super::$law(StoreKind::Radosgw).await;
            }
        })*
    };
}
pub(crate) use on_each_store;
