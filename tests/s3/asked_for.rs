//! Tags and versions, which stores may lack.

use wbstore_sandbox::stores::{Method, StoreKind};

use crate::support::{exists, on_each_store, open, provision, teardown};

const TAG: [&str; 2] = ["--tag", "cost-centre=c42"];

on_each_store! {
    tags_are_set_where_the_store_has_them
    versions_are_kept_where_the_store_has_them
}

async fn tags_are_set_where_the_store_has_them(kind: StoreKind) {
    let store = open(kind).await;
    provision(&store, &TAG).await.ends(0);
    let tags = store.ask(Method::GET, &format!("/{}?tagging", store.bucket()), "").await;
    let has = String::from_utf8_lossy(tags.body()).contains("c42");
    assert_eq!(has, kind.has_tags());
    let plan = store.run("plan", &[&TAG[..], &["--exit-code"]].concat()).await.ends(0);
    assert_eq!(plan.stdout.contains("--tag is skipped: the store has no tags of buckets"), !has, "{plan}");
    let other = store.run("plan", &["--tag", "cost-centre=c43", "--exit-code"]).await;
    other.ends(if has { 5 } else { 0 });
    store.run("plan", &["--exit-code"]).await.ends(0);
    teardown(&store, &[]).await.ends(0);
    assert!(!exists(&store, store.bucket()).await);
}

async fn versions_are_kept_where_the_store_has_them(kind: StoreKind) {
    let store = open(kind).await;
    let made = provision(&store, &["--versioning"]).await;
    if !kind.has_versioning() {
        // What a store has is found out before the bucket is created, once it exists, or by trying.
        assert!(matches!(made.code, Some(3 | 4)), "{made}");
        made.tells(&["omit `--versioning`"]);
        provision(&store, &[]).await.ends(0);
        teardown(&store, &[]).await.ends(0);
        return assert!(!exists(&store, store.bucket()).await);
    }
    made.ends(0);
    store.run("plan", &["--versioning", "--exit-code"]).await.ends(0);
    let object = format!("/{}/run", store.bucket());
    for content in ["one", "two"] {
        store.done(Method::PUT, &object, content).await;
    }
    let listed = store.done(Method::GET, &format!("/{}?versions", store.bucket()), "").await;
    assert_eq!(listed.matches("<Version>").count(), 2, "{listed}");
    teardown(&store, &["--delete-objects"]).await.ends(0);
    assert!(!exists(&store, store.bucket()).await);
}
