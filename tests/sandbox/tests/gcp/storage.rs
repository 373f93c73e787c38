//! Buckets and objects.

use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::paginator::ItemPaginator as _;
use google_cloud_wkt::FieldMask;

use crate::bench::Bench;

#[tokio::test]
async fn a_bucket_is_what_was_asked_for_and_what_the_cloud_adds() {
    let bench = Bench::new().await;
    let made = bench.bucket("acme-1").await.expect("it is made");
    assert_eq!(made.project, format!("projects/{}", bench.double.number()));
    assert_eq!((made.location.as_str(), made.storage_class.as_str()), ("US", "STANDARD"));
    assert_eq!(made.labels["wbstore-deployment"], "acme");
    let retention = made.soft_delete_policy.as_ref().and_then(|policy| policy.retention_duration);
    assert_eq!(retention.map(|duration| duration.seconds()), Some(7 * 24 * 60 * 60));
    let read =
        bench.control.get_bucket().set_name("projects/_/buckets/acme-1").send().await.expect("it is there");
    assert_eq!(read, made);

    let error = bench.bucket("acme-1").await.expect_err("it is there already");
    assert_eq!(error.status().map(|status| status.code), Some(Code::AlreadyExists));
    bench.double.control().others_bucket("taken");
    let error = bench.bucket("taken").await.expect_err("others have it");
    assert_eq!(error.status().map(|status| status.code), Some(Code::AlreadyExists));
    for name in ["Upper", "goog-x", "ab", "a.b", "192.168.1.1", "x-google-y"] {
        bench.bucket(name).await.expect_err(name);
    }
}

#[tokio::test]
async fn an_update_changes_what_its_mask_says_if_nobody_was_faster() {
    let bench = Bench::new().await;
    let mut bucket = bench.bucket("acme-2").await.expect("it is made");
    bucket.labels.insert("more".to_owned(), "1".to_owned());
    bucket.cors.clear();
    let update = |metageneration: i64| {
        bench
            .control
            .update_bucket()
            .set_bucket(bucket.clone())
            .set_update_mask(FieldMask::default().set_paths(["labels"]))
            .set_if_metageneration_match(metageneration)
    };
    let updated = update(bucket.metageneration).send().await.expect("it is updated");
    assert_eq!((updated.labels.len(), updated.cors.len()), (2, 1));
    let error = update(bucket.metageneration).send().await.expect_err("it has changed");
    assert_eq!(error.status().map(|status| status.code), Some(Code::FailedPrecondition));
}

#[tokio::test]
async fn objects_come_in_versions_and_pages_and_keep_the_bucket() {
    let bench = Bench::new().await;
    bench.bucket("acme-3").await.expect("it is made");
    let bucket = "projects/_/buckets/acme-3";
    let control = bench.double.control();
    control.ask("PATCH", "/storage/v1/b/acme-3", serde_json::json!({"versioning": {"enabled": true}})).await;
    for object in ["a", "b/1", "b/2"] {
        for text in ["one", "two"] {
            bench.storage.write_object(bucket, object, text).send_buffered().await.expect("it is written");
        }
    }
    let mut pages =
        bench.control.list_objects().set_parent(bucket).set_versions(true).set_page_size(2).by_item();
    let mut versions = vec![];
    while let Some(object) = pages.next().await {
        versions.push(object.expect("a page comes"));
    }
    assert_eq!(versions.len(), 6);
    let delete = || bench.control.delete_bucket().set_name(bucket);
    let error = delete().send().await.expect_err("it is not empty");
    assert!(error.to_string().contains("not empty"), "{error}");
    for version in versions {
        bench
            .control
            .delete_object()
            .set_bucket(bucket)
            .set_object(version.name)
            .set_generation(version.generation)
            .send()
            .await
            .expect("it goes");
    }
    delete().send().await.expect("what is kept for a while is not in the way");
}

#[tokio::test]
async fn holds_and_retention_keep_objects() {
    let bench = Bench::new().await;
    bench.bucket("acme-4").await.expect("it is made");
    let control = bench.double.control();
    control.put("acme-4", "held", b"x", true);
    control.put("acme-4", "free", b"x", false);
    let delete = |object: &str| {
        bench.control.delete_object().set_bucket("projects/_/buckets/acme-4").set_object(object)
    };
    let error = delete("held").send().await.expect_err("it is held");
    assert!(error.to_string().contains("Event-Based hold"), "{error}");
    let retention = serde_json::json!({"retentionPolicy": {"retentionPeriod": "3600"}});
    control.ask("PATCH", "/storage/v1/b/acme-4", retention).await;
    let error = delete("free").send().await.expect_err("it is retained");
    assert!(error.to_string().contains("retention policy"), "{error}");
}

#[tokio::test]
async fn what_is_denied_switched_off_or_constrained_is_told_as_such() {
    let bench = Bench::new().await;
    let control = bench.double.control();
    control.constrain(Some("constraints/gcp.resourceLocations"));
    let error = bench.bucket("acme-5").await.expect_err("it is constrained");
    assert!(error.to_string().contains("constraints/gcp.resourceLocations"), "{error}");
    control.constrain(None);
    bench.bucket("acme-5").await.expect("it is made");
    control.deny("storage.buckets.get");
    let get = || bench.control.get_bucket().set_name("projects/_/buckets/acme-5");
    let error = get().send().await.expect_err("it is denied");
    assert_eq!(error.status().map(|status| status.code), Some(Code::PermissionDenied));
    control.allow_all();
    control.disable("storage.googleapis.com");
    let error = get().send().await.expect_err("it is switched off");
    let details = format!("{:?}", error.status().expect("it is a status").details);
    assert!(details.contains("SERVICE_DISABLED"), "{details}");
}
