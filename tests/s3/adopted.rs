//! Buckets of others, and what they have in them.

use wbstore_sandbox::stores::Method;
use wbstore_sandbox::stores::{Quirk, Store, StoreKind};

use crate::support::{exists, make_bucket, on_each_store, open, provision, provisioned, teardown, verify};

/// A rule of others.
const THEIRS: &str = "<CORSConfiguration><CORSRule><ID>theirs</ID><AllowedHeader>x-theirs</AllowedHeader>\
                      <AllowedMethod>DELETE</AllowedMethod><AllowedOrigin>https://data.acme.com</AllowedOrigin>\
                      <MaxAgeSeconds>7</MaxAgeSeconds></CORSRule></CORSConfiguration>";

on_each_store! {
    what_others_have_in_a_bucket_outlives_the_deployment
    a_key_for_one_bucket_is_enough
}

async fn has_theirs(store: &Store) -> bool {
    let bucket = format!("/{}", store.bucket());
    let object = store.ask(Method::GET, &format!("{bucket}/theirs"), "").await;
    let cors = store.ask(Method::GET, &format!("{bucket}?cors"), "").await;
    let rules = String::from_utf8_lossy(cors.body()).into_owned();
    let kept = !store.kind().has_cors() || (rules.contains("data.acme.com") && rules.contains("x-theirs"));
    object.body() == "theirs" && kept
}

async fn what_others_have_in_a_bucket_outlives_the_deployment(kind: StoreKind) {
    let store = open(kind).await;
    make_bucket(&store).await;
    let bucket = format!("/{}", store.bucket());
    store.done(Method::PUT, &format!("{bucket}/theirs"), "theirs").await;
    if kind.has_cors() {
        store.done(Method::PUT, &format!("{bucket}?cors"), THEIRS).await;
    }
    let refused = provision(&store, &[]).await.ends(3);
    assert!(refused.stderr.contains("--adopt"), "{refused}");
    assert_eq!(store.writes(), Vec::<String>::new());
    provision(&store, &["--adopt"]).await.ends(0);
    assert!(has_theirs(&store).await);
    let cors = store.ask(Method::GET, &format!("{bucket}?cors"), "").await;
    assert_eq!(String::from_utf8_lossy(cors.body()).contains("wandb.acme.com"), kind.has_cors());
    store.run("plan", &["--exit-code"]).await.ends(0);
    // moto answers a preflight by the first rule alone.
    let expected = if kind.serves_anybody() || kind == StoreKind::Moto { 6 } else { 0 };
    verify(&store, &[]).await.ends(expected);
    teardown(&store, &["--delete-objects"]).await.ends(0);
    assert!(exists(&store, store.bucket()).await, "an adopted bucket is kept");
    assert!(has_theirs(&store).await);
    let cors = store.ask(Method::GET, &format!("{bucket}?cors"), "").await;
    assert!(!String::from_utf8_lossy(cors.body()).contains("wandb.acme.com"));
    let mark = store.ask(Method::GET, &format!("{bucket}/.wbstore/deployment.json"), "").await;
    assert!(!mark.status().is_success(), "the mark is gone");
}

async fn a_key_for_one_bucket_is_enough(kind: StoreKind) {
    let store = open(kind).await;
    store.proxy().add_quirk(Quirk::OneBucketKey);
    let refused = provision(&store, &[]).await;
    assert!(refused.code != Some(0) && refused.stderr.contains("--adopt"), "{refused}");
    make_bucket(&store).await;
    provision(&store, &["--adopt"]).await.ends(0);
    store.run("plan", &["--exit-code"]).await.ends(0);
    store.run("config", &[]).await.ends(0);
    teardown(&store, &[]).await.ends(0);
    assert!(exists(&store, store.bucket()).await);
}

async fn belongs_to_somebody_else(kind: StoreKind) {
    let store = open(kind).await;
    let stranger = store.stranger().await;
    let made = store.ask_as(&stranger, Method::PUT, &format!("/{}", store.bucket()), "").await;
    assert!(made.status().is_success(), "{made:?}");
    for verb in ["plan", "provision"] {
        let more: &[&str] = if verb == "plan" { &["--adopt"] } else { &["--adopt", "--yes"] };
        let ran = store.run(verb, more).await;
        assert_eq!(ran.code, Some(3), "{ran}");
        assert!(ran.to_string().contains("choose another name with --bucket"), "{ran}");
    }
    let changed: Vec<_> = store.mutations().into_iter().filter(|exchange| !exchange.refused).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

#[tokio::test]
#[ignore = "needs radosgw: cargo sandbox test"]
async fn a_bucket_of_somebody_else_is_refused_on_radosgw() {
    belongs_to_somebody_else(StoreKind::Radosgw).await;
}

/// A bucket that a run has made and not marked is taken up by the next one.
async fn goes_on(kind: StoreKind) {
    use wbstore_sandbox::fault::{Fault, Side, When};
    use wbstore_sandbox::running::Running;
    let store = open(kind).await;
    // The name that wbstore chooses, which nobody else does.
    let planned = store.run("plan", &["--format", "json"]).await.ends(0).json();
    let stop = store.proxy().arm(When::operation("s3:CreateBucket", 0), Fault::Hang(Side::After));
    let mut command = store.wbstore();
    let own =
        ["provision", "s3", "--endpoint", &store.endpoint(), "--host", "https://wandb.acme.com", "--yes"];
    command.args(own);
    let run = Running::start(command);
    stop.reached().await;
    drop(run);
    stop.abandon();
    store.proxy().disarm();
    let mut command = store.wbstore();
    command.args(own);
    let ran = wbstore_sandbox::ran::finish(command).await.ends(0);
    assert!(ran.outputs().contains_key("BUCKET"), "{planned}");
}

#[tokio::test]
async fn a_bucket_that_was_made_and_not_marked_is_taken_up_on_s3s_fs() {
    goes_on(StoreKind::S3sFs).await;
}

#[tokio::test]
#[ignore = "needs s3rver from npm: cargo sandbox test"]
async fn a_bucket_that_was_made_and_not_marked_is_taken_up_on_s3rver() {
    goes_on(StoreKind::S3rver).await;
}

#[tokio::test]
async fn a_mark_that_cannot_be_read_is_no_absence() {
    use wbstore_sandbox::fault::{Failure, Fault, When};
    let store = provisioned(StoreKind::S3sFs).await;
    store.proxy().arm(When::every("s3:GetObject"), Fault::fail(Failure::AccessDenied));
    let ran = teardown(&store, &[]).await;
    assert_eq!(ran.code, Some(3), "{ran}");
    assert_eq!(store.writes(), Vec::<String>::new());
}
