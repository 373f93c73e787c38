//! The whole life of a deployment, on each store.

use wbstore_sandbox::cloud::{HOST, NAME};
use wbstore_sandbox::services::settings::SettingsFile;
use wbstore_sandbox::stores::Method;
use wbstore_sandbox::stores::StoreKind;

use crate::support::{exists, on_each_store, open, provision, provisioned, teardown, unpassed, verify};

on_each_store! {
    it_is_planned_made_proved_found_and_removed
    two_deployments_live_beside_each_other
    objects_are_kept_until_they_may_be_deleted
    the_secret_of_the_server_is_written_where_it_is_asked_for
    the_node_proves_its_own_key
    the_bucket_of_the_settings_is_checked_with_the_key_in_it
}

async fn it_is_planned_made_proved_found_and_removed(kind: StoreKind) {
    let store = open(kind).await;
    store.run("plan", &["--exit-code"]).await.ends(5);
    assert_eq!(store.writes(), Vec::<String>::new(), "a plan sends no write");
    let made = provision(&store, &[]).await.ends(0);
    let outputs = made.outputs();
    assert_eq!(outputs["BUCKET_QUEUE"], "internal://");
    let bucket = outputs["BUCKET"];
    for part in [store.bucket(), "region=us-east-1", "tls=false", "forcePathStyle=true"] {
        assert!(bucket.contains(part), "{bucket}");
    }
    assert!(!made.to_string().contains("canary"), "{made}");

    store.proxy().clear_journal();
    store.run("plan", &["--exit-code"]).await.ends(0);
    provision(&store, &[]).await.ends(0);
    assert_eq!(store.writes(), Vec::<String>::new(), "nothing is left to do");

    let verified = verify(&store, &[]).await;
    if kind.serves_anybody() {
        let failed: Vec<_> = unpassed(&verified).into_iter().map(|(name, _)| name).collect();
        assert_eq!(failed, ["not public", "anonymous read"], "{verified}");
        verified.ends(6);
    } else {
        assert_eq!(unpassed(&verified), [], "{verified}");
        verified.ends(0);
    }
    let left = store.done(Method::GET, &format!("/{}?list-type=2", store.bucket()), "").await;
    assert!(!left.contains("wbstore-probe"), "{left}");

    assert_eq!(store.run("config", &[]).await.ends(0).outputs(), made.outputs());
    let listed = store.run("list", &["--format", "json"]).await.ends(0).json();
    assert_eq!(listed["deployments"][0]["name"], NAME, "{listed}");
    assert!(listed.to_string().contains(store.bucket()), "{listed}");

    teardown(&store, &[]).await.ends(0);
    assert!(!exists(&store, store.bucket()).await);
    teardown(&store, &[]).await.ends(0);
}

async fn two_deployments_live_beside_each_other(kind: StoreKind) {
    let store = provisioned(kind).await;
    let beside = format!("{}-beside", store.bucket());
    let other = ["--name", "beside", "--bucket", &beside];
    provision(&store, &other).await.ends(0);
    store.run("plan", &["--exit-code"]).await.ends(0);
    // Neither may have the other's bucket.
    let taken = provision(&store, &["--name", "beside", "--adopt"]).await.ends(3);
    assert!(taken.stderr.contains(NAME), "{taken}");
    let listed = store.run("list", &["--format", "json"]).await.ends(0).json();
    let names: Vec<_> =
        listed["deployments"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["beside", NAME], "{listed}");
    teardown(&store, &[]).await.ends(0);
    assert!(exists(&store, &beside).await);
    store.run("plan", &[&other[..], &["--exit-code"]].concat()).await.ends(0);
    store.run("teardown", &[&other[..], &["--confirm", "beside"]].concat()).await.ends(0);
    assert!(!exists(&store, &beside).await);
}

async fn objects_are_kept_until_they_may_be_deleted(kind: StoreKind) {
    let store = provisioned(kind).await;
    for key in ["run%20a", "media/b%2Bc", "media/%C3%BC", "media/d%25"] {
        store.done(Method::PUT, &format!("/{}/{key}", store.bucket()), "content").await;
    }
    // An upload in parts that nobody has finished.
    store.done(Method::POST, &format!("/{}/half?uploads", store.bucket()), "").await;
    store.proxy().clear_journal();
    let kept = teardown(&store, &[]).await.ends(3);
    assert!(kept.stderr.contains("--delete-objects"), "{kept}");
    assert_eq!(store.writes(), Vec::<String>::new());
    let gone = teardown(&store, &["--delete-objects"]).await;
    assert_eq!(gone.code, Some(0), "{gone}");
    assert!(!exists(&store, store.bucket()).await);
}

async fn the_secret_of_the_server_is_written_where_it_is_asked_for(kind: StoreKind) {
    let store = provisioned(kind).await;
    let file = store.credentials_file().display().to_string();
    let given = ["--server-credentials", &file];
    let masked = store.run("config", &given).await.ends(0);
    assert!(masked.stdout.contains("***") && masked.stdout.contains(&store.node().id), "{masked}");
    let secret = percent(&store.node().secret);
    // The only key of s3rver is its own secret.
    if secret != store.node().id {
        assert!(!masked.to_string().contains(&store.node().secret), "{masked}");
        assert!(!masked.to_string().contains(&secret), "{masked}");
    }
    let shown = store.run("config", &[&given[..], &["--reveal"]].concat()).await.ends(0);
    assert!(shown.stdout.contains(&format!("{}:{secret}@", store.node().id)), "{shown}");
    let own = store.run("plan", &["--use-my-key", "--bucket", "not-there-yet"]).await.ends(0).stdout;
    assert!(own.contains("--use-my-key: the server gets the key of this environment"), "{own}");
    assert!(own.contains(&format!("{}:***@", store.operator().id)), "{own}");
    let own = store.run("config", &["--use-my-key", "--reveal"]).await.ends(0);
    assert!(own.stderr.contains("which may also change and delete buckets"), "{own}");
}

async fn the_node_proves_its_own_key(kind: StoreKind) {
    let store = provisioned(kind).await;
    let file = store.credentials_file().display().to_string();
    let ran = verify(&store, &["--as", "node", "--server-credentials", &file]).await.ends(0);
    assert_eq!(unpassed(&ran), [], "{ran}");
    assert!(
        ran.check("identity")["detail"].as_str().is_some_and(|who| who.contains(&store.node().id)),
        "{ran}"
    );
    let signed = |exchange: &wbstore_sandbox::journal::Exchange| {
        exchange.header("authorization").unwrap_or(&exchange.target).contains(&store.node().id)
    };
    assert!(store.proxy().journal().iter().all(signed), "only the server's key is used");
}

async fn the_bucket_of_the_settings_is_checked_with_the_key_in_it(kind: StoreKind) {
    let store = provisioned(kind).await;
    let file = store.credentials_file().display().to_string();
    let printed = store.run("config", &["--server-credentials", &file, "--reveal"]).await.ends(0);
    let outputs = printed.outputs();
    let settings = SettingsFile::of(&[
        ("HOST", HOST),
        ("BUCKET", outputs["BUCKET"]),
        ("BUCKET_QUEUE", outputs["BUCKET_QUEUE"]),
    ]);
    store.proxy().clear_journal();
    let ran = settings.check(&["--only", "bucket", "--format", "json"]).await.ends(0);
    assert_eq!(store.proxy().counts().requests, 0, "{ran}");
    let ran = settings.check(&["--only", "bucket", "--write", "--format", "json"]).await.ends(0);
    assert!(store.proxy().counts().mutating > 0, "{ran}");
    assert_eq!(unpassed(&ran), [], "{ran}");
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
