//! What an adoption changes or ends, and what makes uploads, browsers or deletions fail whoever's the bucket is: it
//! is in the plan.

use serde_json::{Value, json};

use crate::support::Site;

/// A bucket of somebody else with our name.
async fn planted(bucket: Value) -> Site {
    let site = Site::open().await;
    let mut all = json!({ "name": site.bucket });
    for (key, value) in bucket.as_object().into_iter().flatten() {
        all[key] = value.clone();
    }
    site.ask("POST", &format!("/storage/v1/b?project={}", site.gcp.project()), all).await;
    site
}

/// The words of a plan on one line, so that breaks between them mean nothing.
async fn shown(site: &Site, options: &[&str]) -> String {
    let ran = site.run("plan", options).await.ends(0);
    ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn an_adoption_says_what_ends_and_leaves_what_is_better() {
    let site = planted(json!({ "storageClass": "NEARLINE" })).await;
    let topic = site.topic().trim_start_matches("/v1/").to_owned();
    site.ask("PUT", &site.topic(), json!({})).await;
    let theirs = json!({
        "topic": topic, "ackDeadlineSeconds": 600, "messageRetentionDuration": "2678400s",
        "expirationPolicy": {}, "enableExactlyOnceDelivery": true,
    });
    site.ask("PUT", &site.subscription(), theirs).await;
    let plan = shown(&site, &["--adopt"]).await;
    for words in [
        "new objects have the storage class NEARLINE, which is kept",
        "uniform access ends what the ACLs of the bucket and of its objects grant",
        "cannot be turned off again after 90 days",
        "its acknowledgement deadline of 600s is longer than required; this stays",
        "it keeps messages for 31d, which is longer than required; this stays",
        "it delivers exactly once; this stays",
    ] {
        assert!(plan.contains(words), "{words:?} is not in\n{plan}");
    }
    site.provision(&["--adopt"]).await.ends(0);
    assert_eq!(site.bucket().await["storageClass"], "NEARLINE");
    let subscription = site.get(&site.subscription()).await;
    assert_eq!(subscription["ackDeadlineSeconds"], 600);
    assert_eq!(subscription["messageRetentionDuration"], "2678400s");
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
async fn public_access_that_an_adoption_ends_is_named() {
    let site = planted(json!({})).await;
    let path = format!("/storage/v1/b/{}/iam", site.bucket);
    let bindings = json!([{ "role": "roles/storage.objectViewer", "members": ["allUsers"] }]);
    site.ask("PUT", &path, json!({ "version": 3, "bindings": bindings })).await;
    let plan = shown(&site, &["--adopt"]).await;
    assert!(
        plan.contains("allUsers has roles/storage.objectViewer; public access prevention ends"),
        "{plan}"
    );
}

#[tokio::test]
async fn what_breaks_or_empties_the_store_is_in_the_plan_of_our_own_bucket_too() {
    let site = Site::provisioned().await;
    let delete = |condition: Value| json!({ "action": { "type": "Delete" }, "condition": condition });
    site.patch_bucket(json!({
        "lifecycle": { "rule": [delete(json!({ "isLive": false, "age": 1 })), delete(json!({ "age": 30 }))] },
        "defaultEventBasedHold": true, "retentionPolicy": { "retentionPeriod": "3600" },
        "billing": { "requesterPays": true }, "objectRetention": { "mode": "Enabled" },
        "ipFilter": { "mode": "Enabled" },
    }))
    .await;
    let plan = shown(&site, &["--exit-code"]).await;
    for words in [
        "lifecycle rule 2 deletes objects 30 days after they were created, files of W&B runs included",
        "an event-based hold on every new object: W&B cannot delete or replace files",
        "its retention policy keeps every object for 1h",
        "requester pays is on",
        "--no-requester-pays` turns it off",
        "objects may have a retention of their own",
        "its IP filter rejects requests from other networks",
    ] {
        assert!(plan.contains(words), "{words:?} is not in\n{plan}");
    }
    assert!(!plan.contains("lifecycle rule 1"), "it deletes noncurrent versions only\n{plan}");
}

#[tokio::test]
async fn an_entry_of_others_that_comes_first_and_hides_ours_is_found() {
    let site = Site::provisioned().await;
    let ours = site.bucket().await["cors"][0].clone();
    let theirs = json!({ "origin": ["*"], "method": ["PUT"], "responseHeader": ["Content-Type"] });
    site.patch_bucket(json!({ "cors": [theirs, ours] })).await;
    let plan = shown(&site, &["--exit-code"]).await;
    let words = "the CORS entry for `*` comes before wbstore's rule and matches the same origin, so pages cannot \
                 read `ETag`";
    assert!(plan.contains(words), "{plan}");
    site.patch_bucket(json!({ "cors": [ours, theirs] })).await;
    let plan = shown(&site, &["--exit-code"]).await;
    assert!(!plan.contains("comes before wbstore's rule"), "{plan}");
}

/// One value in several spellings is one value.
#[tokio::test]
async fn what_is_spelled_otherwise_is_no_drift() {
    const KEY: &str = "projects/acme-keys/locations/us/keyRings/wandb/cryptoKeys/runs";
    let site = Site::open().await;
    let with = ["--kms-key", KEY, "--location", "us"];
    site.provision(&with).await.ends(0);
    site.run("plan", &["--kms-key", &KEY.replace("/us/", "/US/"), "--location", "US", "--exit-code"])
        .await
        .ends(0);
    let number = format!("//pubsub.googleapis.com/projects/{}/topics", site.gcp.double().number());
    let told = site.get(&site.notifications()).await["items"][0].clone();
    let path = format!("{}/{}", site.notifications(), told["id"].as_str().expect("an id"));
    site.ask("DELETE", &path, Value::Null).await;
    let mut again = json!({ "event_types": told["event_types"], "payload_format": "JSON_API_V1" });
    again["topic"] =
        json!(told["topic"].as_str().expect("a topic").replace(
        &format!("//pubsub.googleapis.com/projects/{}/topics", site.gcp.project()),
        &number,
    ));
    again["custom_attributes"] = told["custom_attributes"].clone();
    if site.gcp.control().try_ask("POST", &site.notifications(), again.clone()).await.is_some() {
        site.run("plan", &[&with[..], &["--exit-code"]].concat()).await.ends(0);
    }
}
