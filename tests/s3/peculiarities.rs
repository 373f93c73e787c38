//! What other stores do, on top of one that is here.

use wbstore_sandbox::cloud::HOST;
use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::stores::{Method, Quirk, Store, StoreKind};

use crate::support::{exists, open, provision, provisioned, teardown, unpassed, verify};

/// What it is told, in a human's plan.
async fn planned(store: &Store, more: &[&str]) -> String {
    store.run("plan", more).await.ends(0).stdout
}

/// With `option`, each upload fails, and so the setting is undone.
async fn is_undone(store: &Store, option: &str, setting: &str) {
    let ran = provision(store, &[option]).await;
    assert!(matches!(ran.code, Some(3 | 4)), "{ran}");
    ran.tells(&["uploads fail with it", option]);
    let object = format!("/{}/object", store.bucket());
    assert_eq!(store.through(true, Method::PUT, &object, "x").await, 200, "{:?}", store.writes());
    let writes = store.writes();
    assert!(writes.iter().any(|write| write.starts_with(&format!("Put{setting}"))), "{writes:?}");
    assert!(writes.iter().any(|write| write.starts_with(&format!("Delete{setting}"))), "{writes:?}");
    store.done(Method::DELETE, &object, "").await;
    provision(store, &[]).await.ends(0);
    verify(store, &[]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs moto from PyPI: cargo sandbox test"]
async fn a_public_access_block_that_refuses_uploads_is_undone() {
    let store = open(StoreKind::Moto).await;
    store.proxy().add_quirk(Quirk::BlockedAclsRefuseUploads);
    is_undone(&store, "--block-public-access", "PublicAccessBlock").await;
}

#[tokio::test]
#[ignore = "needs moto from PyPI: cargo sandbox test"]
async fn an_encryption_that_refuses_uploads_is_undone() {
    let store = open(StoreKind::Moto).await;
    store.proxy().add_quirk(Quirk::EncryptionRefusesUploads);
    is_undone(&store, "--encrypt", "BucketEncryption").await;
}

/// Ceph has a root element of its own for it, and with it every upload fails.
#[tokio::test]
#[ignore = "needs radosgw: cargo sandbox test"]
async fn a_public_access_block_is_skipped_on_radosgw() {
    let store = open(StoreKind::Radosgw).await;
    provision(&store, &[]).await.ends(0);
    store.proxy().clear_journal();
    let plan = provision(&store, &["--block-public-access"]).await.ends(0).stderr;
    assert!(plan.contains("--block-public-access is skipped"), "{plan}");
    assert_eq!(store.writes(), Vec::<String>::new());
    verify(&store, &[]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs moto from PyPI: cargo sandbox test"]
async fn settings_that_work_are_kept() {
    let store = open(StoreKind::Moto).await;
    let authority = Authority::new();
    let port = store.endpoint().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let endpoint = format!("https://localhost:{}", authority.identity(&[]).front(port).await);
    let run = async |verb: &str, more: &[&str]| {
        let opted = ["--endpoint", &endpoint, "--block-public-access", "--require-tls", "--encrypt"];
        let mut command = store.command(verb, &[&opted[..], more].concat());
        command.env("SSL_CERT_FILE", authority.file());
        wbstore_sandbox::ran::finish(command).await
    };
    run("provision", &["--yes"]).await.ends(0);
    run("plan", &["--exit-code"]).await.ends(0);
    let bucket = format!("/{}", store.bucket());
    // Before moto the proxy takes the statement about TLS out of the policy, as moto would refuse everything by it.
    assert!(store.writes().contains(&"PutBucketPolicy".to_owned()), "{:?}", store.writes());
    for (part, says) in [("publicAccessBlock", "BlockPublicAcls"), ("encryption", "AES256")] {
        let document = store.done(Method::GET, &format!("{bucket}?{part}"), "").await;
        assert!(document.contains(says), "{document}");
    }
}

/// Garage lists no versions; others know no `DeleteObjects`, or refuse the newer checksums in it.
#[tokio::test]
async fn a_bucket_is_emptied_with_what_the_store_has() {
    let cases: [&[Quirk]; 5] = [
        &[Quirk::NoVersions],
        &[Quirk::NoDeleteObjects],
        &[Quirk::NoNewerChecksums],
        &[Quirk::NoVersions, Quirk::NoDeleteObjects],
        &[Quirk::NoVersions, Quirk::NoNewerChecksums, Quirk::NoSettings],
    ];
    for quirks in cases {
        let store = open(StoreKind::S3sFs).await;
        for quirk in quirks {
            store.proxy().add_quirk(quirk.clone());
        }
        provision(&store, &[]).await.ends(0);
        for number in 0..7 {
            store.done(Method::PUT, &format!("/{}/a%20%2B{number}", store.bucket()), "x").await;
        }
        let ran = teardown(&store, &["--delete-objects"]).await;
        assert_eq!(ran.code, Some(0), "{quirks:?}: {ran}");
        assert!(!exists(&store, store.bucket()).await, "{quirks:?}");
    }
}

#[tokio::test]
async fn uploads_work_where_newer_checksums_are_refused() {
    let store = open(StoreKind::S3sFs).await;
    store.proxy().add_quirk(Quirk::NoNewerChecksums);
    provision(&store, &[]).await.ends(0);
    let ran = verify(&store, &[]).await;
    assert_eq!(unpassed(&ran), [], "{ran}");
}

/// Garage and MinIO answer a preflight of any origin.
#[tokio::test]
async fn a_store_that_lets_every_origin_in_is_warned_of() {
    let store = Store::open(StoreKind::S3sFs).await;
    store.proxy().add_quirk(Quirk::CorsOfAll("*".to_owned()));
    let plan = planned(&store, &[]).await;
    assert!(plan.contains("accepts pages of the server by itself"), "{plan}");
    provision(&store, &[]).await.ends(0);
    let ran = verify(&store, &[]).await.ends(0);
    let unpassed = unpassed(&ran);
    assert_eq!(unpassed.len(), 1, "{ran}");
    assert_eq!(
        (unpassed[0].0.as_str(), &unpassed[0].1["verdict"]),
        ("preflight other origin", &"warned".into())
    );
}

/// MinIO's open-source edition has one setting for all buckets.
#[tokio::test]
async fn a_store_without_cors_is_refused_with_its_own_way() {
    let store = Store::open(StoreKind::S3sFs).await;
    let refused = provision(&store, &[]).await.ends(3);
    assert!(refused.to_string().contains(&format!("`MINIO_API_CORS_ALLOW_ORIGIN={HOST}`")), "{refused}");
    assert_eq!(store.writes(), Vec::<String>::new());
    store.proxy().add_quirk(Quirk::CorsOfAll(HOST.to_owned()));
    provision(&store, &[]).await.ends(0);
}

#[tokio::test]
async fn buckets_by_host_name_are_found_where_paths_are_refused() {
    let store = open(StoreKind::S3sFs).await;
    store.proxy().add_quirk(Quirk::OnlyVirtual);
    let endpoint = store.virtual_endpoint();
    let run = async |verb: &str, more: &[&str]| {
        let mut command = store.command(verb, &[&["--endpoint", &endpoint, "--allow-http"], more].concat());
        command.envs(store.virtual_env());
        wbstore_sandbox::ran::finish(command).await
    };
    for addressing in ["virtual", "auto"] {
        let given = ["--addressing", addressing];
        let made = run("provision", &[&given[..], &["--yes"]].concat()).await.ends(0);
        assert!(made.stdout.contains("forcePathStyle=false"), "{addressing}: {made}");
        let ran = run("verify", &[&given[..], &["--format", "json"]].concat()).await;
        assert_eq!(unpassed(&ran), [], "{addressing}: {ran}");
        let detail = ran.check("addressing")["detail"].to_string();
        assert!(detail.contains("by host name"), "{detail}");
        run("teardown", &[&given[..], &["--confirm", "wandb-acme-com"]].concat()).await.ends(0);
    }
    let refused = run("plan", &["--addressing", "path"]).await;
    assert!(refused.code != Some(0) && refused.to_string().contains("--addressing virtual"), "{refused}");
}

#[tokio::test]
async fn both_addressings_are_tried_where_both_work() {
    let store = open(StoreKind::S3sFs).await;
    let endpoint = store.virtual_endpoint();
    let run = async |verb: &str, more: &[&str]| {
        let mut command = store.command(verb, &[&["--endpoint", &endpoint, "--allow-http"], more].concat());
        command.envs(store.virtual_env());
        wbstore_sandbox::ran::finish(command).await
    };
    run("provision", &["--yes"]).await.ends(0);
    let ran = run("verify", &["--format", "json"]).await.ends(0);
    let detail = ran.check("addressing")["detail"].to_string();
    assert!(detail.contains("by path; by host name works too"), "{detail}");
}

#[tokio::test]
async fn two_endpoints_are_both_proved() {
    let store = provisioned(StoreKind::S3sFs).await;
    let public = store.public_endpoint();
    let given = ["--public-endpoint", &public];
    let bucket = store.run("config", &given).await.ends(0);
    assert!(bucket.stdout.contains(public.trim_start_matches("http://")), "{bucket}");
    let ran = verify(&store, &given).await.ends(0);
    assert_eq!(unpassed(&ran), [], "{ran}");
    for place in ["--endpoint", "--public-endpoint"] {
        for check in ["upload", "preflight PUT", "CORS of answers", "range"] {
            ran.check(&format!("{check} ({place})"));
        }
    }
}
