//! Whose a CORS rule is: the rules belong to the account, and have neither ids nor marks.

use serde_json::{Value, json};
use wbstore_sandbox::azure::double::control::Planted;

use crate::support::{HOST, NAME, Site, shows};

/// The rule that wbstore writes for `origin`.
fn rule(origin: &str) -> Value {
    json!({"allowedOrigins": [origin], "allowedMethods": ["GET", "HEAD", "PUT"], "allowedHeaders": ["*"],
        "exposedHeaders": ["*"], "maxAgeInSeconds": 3000})
}

/// An account of others.
async fn account() -> Site {
    let site = Site::open().await;
    site.double().plant(Planted::new(site.account())).await.expect("the double has it");
    site
}

/// The origins of the account's rules, in their order.
async fn origins(site: &Site) -> Vec<String> {
    let rules = site.double().cors(site.account()).await.expect("the double has it");
    let origin = |rule: &Value| rule["allowedOrigins"][0].as_str().expect("the double has it").to_owned();
    rules.iter().map(origin).collect()
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_rule_that_two_deployments_use_goes_with_the_last() {
    let site = account().await;
    let before = site.snapshot().await;
    let staging = ["--name", "staging"];
    site.provisioned().await;
    site.provision(&staging).await.ends(0);
    site.run("plan", &[&staging[..], &["--exit-code"]].concat()).await.ends(0);
    assert_eq!(origins(&site).await, [HOST], "it is one rule for both");
    site.teardown(&[]).await.ends(0).tells(&["also used by the container `wbstore-staging`"]);
    assert_eq!(origins(&site).await, [HOST]);
    site.run("plan", &[&staging[..], &["--exit-code"]].concat()).await.ends(0);
    site.run("teardown", &["--name", "staging", "--confirm", "staging"]).await.ends(0);
    assert_eq!(site.snapshot().await, before);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_rule_that_was_there_before_stays_for_all_who_find_it() {
    let site = account().await;
    site.double().plant_cors(site.account(), &[rule(HOST)]).await.unwrap();
    let before = site.snapshot().await;
    site.provisioned().await.tells(&["already has the same effect and is used as it is"]);
    site.provision(&["--name", "staging"]).await.ends(0);
    site.run("plan", &["--exit-code"]).await.ends(0);
    site.run("teardown", &["--name", "staging", "--confirm", "staging"]).await.ends(0);
    site.teardown(&[]).await.ends(0);
    assert_eq!(site.snapshot().await, before);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_adopted_rule_goes_with_its_deployment() {
    let site = account().await;
    let before = site.snapshot().await;
    site.double().plant_cors(site.account(), &[rule(HOST)]).await.unwrap();
    site.provisioned().await;
    site.provision(&["--adopt"]).await.ends(0).tells(&["adopt", "azure/cors/"]);
    site.run("plan", &["--exit-code"]).await.ends(0);
    site.teardown(&[]).await.ends(0);
    assert_eq!(site.snapshot().await, before);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn another_host_takes_no_rule_that_others_use() {
    let site = account().await;
    let other = "https://other.example";
    site.provisioned().await;
    site.provision(&["--name", "staging"]).await.ends(0);
    let moved = ["--name", NAME, "--host", other];
    site.provision(&moved).await.ends(0);
    assert_eq!(origins(&site).await, [HOST, other]);
    site.run("plan", &[&moved[..], &["--exit-code"]].concat()).await.ends(0);
    site.run("teardown", &["--name", "staging", "--confirm", "staging"]).await.ends(0);
    site.teardown(&[]).await.ends(0);
    assert_eq!(origins(&site).await, [""; 0]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn another_host_leaves_the_rule_that_was_there_for_the_former_one() {
    let site = account().await;
    site.double().plant_cors(site.account(), &[rule(HOST)]).await.unwrap();
    let before = site.snapshot().await;
    site.provisioned().await;
    let other = "https://other.example";
    site.provision(&["--name", NAME, "--host", other]).await.ends(0);
    assert_eq!(origins(&site).await, [HOST, other]);
    site.teardown(&[]).await.ends(0);
    assert_eq!(site.snapshot().await, before);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_rule_that_somebody_removed_is_written_again_and_is_wbstores() {
    let site = account().await;
    let before = site.snapshot().await;
    site.double().plant_cors(site.account(), &[rule(HOST)]).await.unwrap();
    site.provisioned().await;
    site.double().plant_cors(site.account(), &[]).await.unwrap();
    site.provisioned().await;
    site.teardown(&[]).await.ends(0);
    assert_eq!(site.snapshot().await, before);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_earlier_rule_that_hides_wbstores_is_named() {
    let site = account().await;
    let earlier = json!({"allowedOrigins": ["https://*.acme.com"], "allowedMethods": ["GET", "PUT"],
        "allowedHeaders": ["content-type"], "exposedHeaders": [], "maxAgeInSeconds": 5});
    site.double().plant_cors(site.account(), &[earlier]).await.unwrap();
    let words = [
        "the rule for https://*.acme.com comes before wbstore's rule",
        "pages cannot read `ETag`",
        "uploads may not send x-ms-blob-type",
    ];
    shows(&site.run("plan", &[]).await.ends(0), &words);
    site.provisioned().await.tells(&words);
    shows(&site.run("plan", &[]).await.ends(0), &words);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_rule_that_azure_spells_in_another_way_is_not_written_twice() {
    let site = account().await;
    site.provisioned().await;
    let spelled = json!({"allowedOrigins": ["https://WANDB.acme.com"], "allowedMethods": ["PUT", "GET", "HEAD"],
        "allowedHeaders": ["*"], "exposedHeaders": ["*"], "maxAgeInSeconds": 3000});
    site.double().plant_cors(site.account(), &[spelled]).await.unwrap();
    site.run("plan", &["--exit-code"]).await.ends(0);
}
