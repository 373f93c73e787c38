//! The permissions that `policy` prints.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{NAME, QUEUE, Site, finish};

/// All strings of the list `field`.
fn listed(role: &Value, field: &str) -> Vec<String> {
    let all = role[field].as_array().unwrap_or_else(|| panic!("no {field}: {role:#}"));
    all.iter().map(|action| action.as_str().expect("text").to_owned()).collect()
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_server_may_use_blobs_and_take_messages_and_nothing_more() {
    let site = Site::open().await;
    site.azure.proxy().clear_journal();
    let ran = site.run("policy", &["--for", "node"]).await.ends(0);
    let node = ran.json();
    ran.tells(&["AZURE_STORAGE_KEY", "requires no role", "api://AzureADTokenExchange"]);
    let data = listed(&node, "DataActions");
    for action in ["blobs/read", "blobs/write", "messages/process/action"] {
        assert!(data.iter().any(|listed| listed.ends_with(action)), "{action}: {data:?}");
    }
    let text = node.to_string();
    assert!(!text.contains('*') && !text.contains("listkeys"), "{node:#}");
    let scope = format!("/subscriptions/{}/resourceGroups/acme", site.double().subscription());
    assert_eq!(listed(&node, "AssignableScopes"), [scope]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn commands_make_and_assign_it() {
    let site = Site::open().await;
    let ran = site.run("policy", &["--for", "node", "--format", "commands"]).await.ends(0);
    for command in
        ["az role definition create", "az identity federated-credential create", "az role assignment create"]
    {
        assert!(ran.stdout.lines().any(|line| line.starts_with(command)), "{ran}");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn offline_it_asks_nobody() {
    let site = Site::open().await;
    site.azure.proxy().clear_journal();
    let subscription = site.double().subscription();
    let offline = ["--for", "operator", "--offline", "--account-id", subscription.as_str()];
    let operator = site.run("policy", &offline).await.ends(0).json();
    assert!(!listed(&operator, "Actions").is_empty());
    assert!(site.azure.proxy().journal().is_empty());
}

/// The action of RBAC that a call takes; `None` for those that take none or are judged by a signature.
fn action(call: &str) -> Option<&'static str> {
    Some(match call {
        "arm.resourceGroups.GET" => "Microsoft.Resources/subscriptions/resourceGroups/read",
        "arm.providers.GET" => "Microsoft.Resources/subscriptions/providers/read",
        "arm.locks.LIST" => "Microsoft.Authorization/locks/read",
        "arm.storageAccounts.GET" | "arm.storageAccounts.LIST" => "Microsoft.Storage/storageAccounts/read",
        "arm.storageAccounts.PUT" | "arm.storageAccounts.PATCH" => "Microsoft.Storage/storageAccounts/write",
        "arm.storageAccounts.DELETE" => "Microsoft.Storage/storageAccounts/delete",
        "arm.storageAccounts.ListServiceSas" => "Microsoft.Storage/storageAccounts/listServiceSas/action",
        "arm.storageAccounts.ListAccountSas" => "Microsoft.Storage/storageAccounts/listAccountSas/action",
        "arm.checkNameAvailability.POST" => "Microsoft.Storage/checknameavailability/read",
        "arm.blobServices.GET" => "Microsoft.Storage/storageAccounts/blobServices/read",
        "arm.blobServices.PUT" => "Microsoft.Storage/storageAccounts/blobServices/write",
        "arm.containers.GET" | "arm.containers.LIST" => {
            "Microsoft.Storage/storageAccounts/blobServices/containers/read"
        }
        "arm.containers.PUT" | "arm.containers.PATCH" => {
            "Microsoft.Storage/storageAccounts/blobServices/containers/write"
        }
        "arm.containers.DELETE" => "Microsoft.Storage/storageAccounts/blobServices/containers/delete",
        "arm.queues.GET" | "arm.queues.LIST" => "Microsoft.Storage/storageAccounts/queueServices/queues/read",
        "arm.queues.PUT" | "arm.queues.PATCH" => {
            "Microsoft.Storage/storageAccounts/queueServices/queues/write"
        }
        "arm.queues.DELETE" => "Microsoft.Storage/storageAccounts/queueServices/queues/delete",
        "arm.tables.LIST" => "Microsoft.Storage/storageAccounts/tableServices/tables/read",
        "arm.shares.LIST" => "Microsoft.Storage/storageAccounts/fileServices/shares/read",
        "arm.eventSubscriptions.GET" | "arm.eventSubscriptions.LIST" => {
            "Microsoft.EventGrid/eventSubscriptions/read"
        }
        "arm.eventSubscriptions.PUT" | "arm.eventSubscriptions.PATCH" => {
            "Microsoft.EventGrid/eventSubscriptions/write"
        }
        "arm.eventSubscriptions.DELETE" => "Microsoft.EventGrid/eventSubscriptions/delete",
        // Whoever may begin an operation may ask after it.
        call if call.contains("peration") => return None,
        call if call.starts_with("arm.") => panic!("{call} takes a permission that this test does not know"),
        _ => return None,
    })
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_operator_may_make_every_call_that_a_whole_life_made() {
    let site = Site::open().await;
    let account = ["--dead-letter"];
    // Without --account, as with an account that wbstore makes.
    let subscription = site.double().subscription();
    let mut command = site.azure.wbstore();
    command.args(["policy", "azure", "--name", "acme", "--for", "operator", "--resource-group", "acme"]);
    command.args(["--offline", "--account-id", &subscription]);
    let operator = finish(command).await.ends(0).json();
    let allowed = listed(&operator, "Actions");
    site.azure.proxy().clear_journal();
    site.provision(&account).await.ends(0);
    site.run("verify", &[&account[..], &["--within", "60s"]].concat()).await.ends(0);
    site.run("list", &[]).await.ends(0);
    site.teardown(&[&account[..], &["--delete-objects"]].concat()).await.ends(0);
    let journal = site.azure.proxy().journal();
    for call in journal.iter().map(|sent| sent.operation.as_str()) {
        if let Some(action) = action(call) {
            assert!(allowed.contains(&action.to_owned()), "{call} takes {action}");
        }
    }
    assert!(journal.len() > 40, "it was a whole life");
}

/// What the policy of the job allows, in a place.
async fn job_policy(site: &Site, place: &[&str]) -> Value {
    let subscription = site.double().subscription();
    let mut command = site.azure.wbstore();
    command.args(["policy", "azure", "--for", "operator", "--expired"]);
    command.args(["--offline", "--account-id", &subscription]).args(place);
    finish(command).await.ends(0).json()
}

/// What the deployment `adopted` calls its parts.
const ADOPTED: &str = "wbstore-adopted";

/// Runs the job when all leases have ended; the actions of its calls.
async fn run_job(site: &Site) -> BTreeSet<&'static str> {
    let now = jiff::Timestamp::now().to_string();
    for name in [NAME, "adopted"] {
        site.double().set_lease_end(site.account(), name, &now).await.expect("there are leases");
    }
    site.azure.proxy().clear_journal();
    let job = ["--expired", "--confirm", "expired", "--delete-objects"];
    let ran = site.run("teardown", &job).await.ends(0);
    assert!(!ran.stderr.contains("cannot "), "it could look at everything: {ran}");
    site.azure.proxy().journal().iter().filter_map(|sent| action(&sent.operation)).collect()
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_job_may_do_what_the_end_of_every_deployment_takes_and_no_more() {
    let site = Site::open().await;
    let (double, account) = (site.double(), site.account());
    let expires = ["--expires", "1m"];
    // In an account of its own, which goes too.
    site.provision(&[&expires[..], &["--dead-letter"]].concat()).await.ends(0);
    double.plant_blob(account, QUEUE, "run", "four").await.unwrap();
    let mut used = run_job(&site).await;
    assert_eq!(double.account_id(account), "");
    // The account stays for what others put into it.
    site.provision(&expires).await.ends(0);
    double.plant_container(account, "theirs", &json!({})).await.unwrap();
    used.extend(run_job(&site).await);
    // All of it was there before.
    double.plant_container(account, ADOPTED, &json!({})).await.unwrap();
    double.plant_queue(account, ADOPTED, &json!({})).await.unwrap();
    let theirs = json!({
        "destination": {"endpointType": "StorageQueue", "properties":
            {"resourceId": double.account_id(account), "queueName": ADOPTED}},
        "filter": {"subjectBeginsWith": format!("/blobServices/default/containers/{ADOPTED}/blobs/")},
        "labels": ["team:ml"],
    });
    double.plant_event_subscription(account, ADOPTED, &theirs, false);
    site.provision(&[&expires[..], &["--adopt", "--name", "adopted"]].concat()).await.ends(0);
    used.extend(run_job(&site).await);
    let left = site.snapshot().await;
    for part in ["container", "queue"] {
        assert!(left.get(&format!("{part}/{account}/{ADOPTED}")).is_some(), "{left}");
    }

    let printed = listed(&job_policy(&site, &["--resource-group", "acme"]).await, "Actions");
    assert_eq!(used, printed.iter().map(String::as_str).collect());
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_job_is_for_a_resource_group_or_for_the_subscription() {
    let site = Site::open().await;
    let subscription = format!("/subscriptions/{}", site.double().subscription());
    let group = format!("{subscription}/resourceGroups/acme");
    for (place, scope) in [(&["--resource-group", "acme"][..], group), (&[], subscription)] {
        assert_eq!(listed(&job_policy(&site, place).await, "AssignableScopes"), [scope]);
    }
}
