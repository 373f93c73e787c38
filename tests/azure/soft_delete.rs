//! Soft delete of blobs, which is what Azure has in the place of versions, and the tags of the account.

use serde_json::{Value, json};
use wbstore_sandbox::azure::double::control::Planted;

use crate::support::{Site, shows};

const KEPT: [&str; 1] = ["--versioning"];

/// The policies of the account's blob service, and what else is in it.
async fn blob_service(site: &Site) -> Value {
    let document = site.snapshot().await.get(&format!("blob-service/{}", site.account())).map(str::to_owned);
    document.map(|text| serde_json::from_str(&text).expect("JSON")).unwrap_or_default()
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn it_is_written_beside_the_other_settings_of_the_service() {
    let site = Site::open_provisioned().await;
    let others = json!({ "enabled": true, "days": 30 });
    site.double().set_blob_service(site.account(), "containerDeleteRetentionPolicy", others.clone());
    let rules = site.double().cors(site.account()).await.unwrap();
    site.azure.proxy().clear_journal();
    site.provision(&KEPT).await.ends(0);
    let sent: Vec<_> = site.mutations().into_iter().map(|exchange| exchange.operation).collect();
    assert_eq!(sent, ["arm.blobServices.PUT"]);
    let service = blob_service(&site).await;
    assert_eq!(
        service["deleteRetentionPolicy"],
        json!({ "allowPermanentDelete": false, "enabled": true, "days": 7 })
    );
    assert_eq!(service["containerDeleteRetentionPolicy"], others);
    assert_eq!(site.double().cors(site.account()).await.unwrap(), rules);
    site.run("plan", &["--versioning", "--exit-code"]).await.ends(0);
    site.run("verify", &["--versioning", "--within", "60s"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_longer_time_stays_and_a_shorter_one_is_drift() {
    let site = Site::open_provisioned().await;
    for (days, code) in [(30, 0), (7, 0), (2, 5)] {
        let policy = json!({ "enabled": true, "days": days });
        site.double().set_blob_service(site.account(), "deleteRetentionPolicy", policy);
        site.run("plan", &["--versioning", "--exit-code"]).await.ends(code);
        site.run("plan", &["--exit-code"]).await.ends(0);
    }
    site.provision(&KEPT).await.ends(0);
    assert_eq!(blob_service(&site).await["deleteRetentionPolicy"]["days"], 7);
}

/// Its blobs are those of others too.
#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_of_others_is_not_changed() {
    let site = Site::open().await;
    site.double().plant(Planted::new(site.account())).await.unwrap();
    let refused = site.provision(&KEPT).await.ends(3);
    refused.tells(&["azure/soft-delete/", "the account is not wbstore's", "--enable-delete-retention true"]);
    site.is_untouched();
    site.double().set_blob_service(
        site.account(),
        "deleteRetentionPolicy",
        json!({ "enabled": true, "days": 14 }),
    );
    let tagged = site.provision(&["--versioning", "--tag", "team=ml"]).await.ends(0);
    tagged.tells(&["--tag is skipped"]);
    site.run("plan", &["--versioning", "--tag", "team=ml", "--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_tag_keeps_the_case_that_it_has() {
    let site = Site::open_provisioned().await;
    for (key, value) in [("CostCentre", "1"), ("Owner", "ml")] {
        assert!(site.double().set_tag(site.account(), key, value));
    }
    let tags = ["--tag", "costcentre=42", "--tag", "Env=Prod, EU"];
    let plan = site.run("plan", &[&tags[..], &["--exit-code"]].concat()).await.ends(5);
    shows(&plan, &["costcentre", "Env"]);
    site.provision(&tags).await.ends(0);
    let settings = site.snapshot().await.get(&format!("account/{}", site.account())).map(str::to_owned);
    let settings = settings.expect("the account is there");
    for tag in [r#""CostCentre":"42""#, r#""Owner":"ml""#, r#""Env":"Prod, EU""#] {
        assert!(settings.contains(tag), "{tag}: {settings}");
    }
    assert!(!settings.contains("costcentre"), "{settings}");
    site.run("plan", &[&tags[..], &["--exit-code"]].concat()).await.ends(0);
}
