//! What is there, for how long, and what goes when its time is up.

use serde_json::{Value, json};
use wbstore_sandbox::azure::double::control::Planted;

use crate::support::{HOST, NAME, QUEUE, Site, finish};

fn part(kind: &str, name: &str) -> Value {
    json!({"kind": kind, "name": name})
}

/// What `list` tells, of the whole resource group.
async fn listed(site: &Site) -> Value {
    site.run("list", &["--format", "json"]).await.ends(0).json()
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_deployment_is_listed_with_its_parts() {
    let site = Site::open().await;
    site.provision(&["--dead-letter"]).await.ends(0);
    let listed = listed(&site).await;
    let only = &listed["deployments"][0];
    assert_eq!((&only["name"], &only["region"]), (&NAME.into(), &"westeurope".into()));
    let kinds: Vec<_> = only["parts"].as_array().unwrap().iter().map(|part| part["kind"].clone()).collect();
    assert_eq!(kinds, ["account", "container", "dead-letter", "event-subscription", "queue"]);
    assert_eq!(only["refers_to"], json!([part("resource-group", "acme")]));
    assert_eq!((&only["missing"], &only["expires"]), (&json!([]), &json!(null)));
    let table = site.run("list", &[]).await.ends(0).stdout;
    let row = table.lines().nth(1).expect("a header and a row");
    assert!(row.starts_with(NAME) && row.contains("westeurope") && row.contains("never"), "{table}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_deployment_inside_an_account_of_others_is_listed_and_strangers_are_not() {
    let site = Site::open().await;
    let (double, account) = (site.double(), site.account());
    double.plant(Planted::new(account)).await.unwrap();
    double.plant_container(account, "theirs", &json!({"team": "ml"})).await.unwrap();
    site.provision(&["--queue", "internal"]).await.ends(0);
    let listed = listed(&site).await;
    assert_eq!(listed["deployments"].as_array().unwrap().len(), 1, "{listed:#}");
    let only = &listed["deployments"][0];
    assert_eq!((&only["parts"], &only["missing"]), (&json!([part("container", QUEUE)]), &json!([])));
    assert_eq!(only["refers_to"], json!([part("resource-group", "acme"), part("account", account)]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_missing_queue_is_told() {
    let site = Site::open().await;
    let (double, account) = (site.double(), site.account());
    double.plant(Planted::new(account)).await.unwrap();
    let mark = json!({"wbstore_deployment": NAME, "wbstore_queue": "gone", "wbstore_role": "files"});
    double.plant_container(account, "wandb", &mark).await.unwrap();
    let listed = listed(&site).await;
    let missing = json!([part("event-subscription", QUEUE), part("queue", "gone")]);
    assert_eq!(listed["deployments"][0]["missing"], missing, "{listed:#}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_may_not_be_read_is_told_and_nothing_is_called_missing() {
    let site = Site::open().await;
    site.provisioned().await;
    let action = "Microsoft.Storage/storageAccounts/queueServices/queues/read";
    site.double().deny(&site.double().principal(), action);
    let listed = site.run("list", &["--format", "json"]).await.ends(1).json();
    assert_eq!(listed["deployments"][0]["missing"], json!([]), "{listed:#}");
    assert!(listed["unread"][0].as_str().unwrap().contains(action), "{listed:#}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_has_expired_goes_with_its_own_names() {
    let site = Site::open().await;
    let before = site.snapshot().await;
    let names = ["--container", "mine", "--queue", "mine-too"];
    site.provision(&[&names[..], &["--expires", "1m"]].concat()).await.ends(0);
    let now = jiff::Timestamp::now().to_string();
    site.double().set_lease_end(site.account(), NAME, &now).await.unwrap();
    let table = site.run("list", &[]).await.ends(0).stdout;
    assert!(table.lines().any(|row| row.starts_with(NAME) && row.contains("expired")), "{table}");
    site.run("teardown", &["--expired", "--dry-run"]).await.ends(0).tells(&["mine-too"]);
    // The environment names the deployment that other commands are for.
    let mut teardown = site.azure.wbstore();
    teardown.args(site.arguments("teardown", &["--expired", "--confirm", "expired"]));
    teardown.env("WBSTORE_HOST", HOST);
    finish(teardown).await.ends(0);
    assert_eq!(site.snapshot().await, before);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_mark_alone_has_no_container_deleted() {
    let site = Site::open().await;
    let (double, account) = (site.double(), site.account());
    double.plant(Planted::new(account)).await.unwrap();
    let mark = json!({"wbstore_deployment": "old", "wbstore_queue": "internal", "wbstore_role": "files",
        "wbstore_lease": "7d", "wbstore_expires": "2020-01-01T00:00:00Z"});
    double.plant_container(account, "payroll", &mark).await.unwrap();
    site.azure.proxy().clear_journal();
    let ran = site.run("teardown", &["--expired", "--delete-objects", "--confirm", "expired"]).await.ends(3);
    ran.tells(&["azure/container/payroll", "only its mark assigns it to this deployment", "hint:"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_lease_that_is_older_than_the_account_has_nothing_deleted() {
    let site = Site::open().await;
    site.provision(&["--expires", "1m"]).await.ends(0);
    site.double().set_lease_end(site.account(), NAME, "2020-01-01T00:00:00Z").await.unwrap();
    site.azure.proxy().clear_journal();
    let ran = site.run("teardown", &["--expired", "--confirm", "expired"]).await.ends(3);
    ran.tells(&["its lease ended at 2020-01-01T00:00:00Z, before it was created at", "hint:"]);
    site.is_untouched();
}
