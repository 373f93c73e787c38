//! The permissions that `policy` prints.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wbstore_sandbox::azure::double::control::Planted;
use wbstore_sandbox::azure::double::gives;
use wbstore_sandbox::journal::Exchange;

use crate::support::{NAME, QUEUE, Site, finish, shows};

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
    ran.tells(&["AZURE_STORAGE_KEY", "requires no role", "`--trust workload-identity`"]);
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
    let trust =
        ["--trust", "workload-identity", "--oidc-issuer", "https://oidc.acme.com/a", "--namespace", "wandb"];
    let ran =
        site.run("policy", &[&["--for", "node", "--format", "commands"], &trust[..]].concat()).await.ends(0);
    for command in [
        "az role definition create",
        "az identity create",
        "az identity federated-credential create",
        "az role assignment create",
    ] {
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
        "arm.managementPolicies.GET" => "Microsoft.Storage/storageAccounts/managementPolicies/read",
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

/// The operator's role in the resource group, with these arguments.
async fn operator_policy(site: &Site, arguments: &[&str]) -> Value {
    let subscription = site.double().subscription();
    let mut command = site.azure.wbstore();
    command.args(["policy", "azure", "--name", NAME, "--for", "operator", "--resource-group", "acme"]);
    command.args(["--offline", "--account-id", &subscription]).args(arguments);
    finish(command).await.ends(0).json()
}

/// A preflight from another origin is rejected with the same status.
fn is_denied(sent: &Exchange) -> bool {
    sent.status == Some(403) && sent.operation.starts_with("arm.")
}

/// As [`action`]; of a registration, the target tells of which provider.
fn action_of(sent: &Exchange) -> Option<&'static str> {
    match sent.operation.as_str() {
        "arm.providers.register" if sent.target.contains("EventGrid") => {
            Some("Microsoft.EventGrid/register/action")
        }
        "arm.providers.register" => Some("Microsoft.Storage/register/action"),
        operation => action(operation),
    }
}

/// How the calls of a journal fit a role: their number, how many were denied, and the actions that it allows and
/// nobody used.
fn evaluated(journal: &[Exchange], role: &Value) -> (usize, usize, Vec<String>) {
    let used: BTreeSet<_> = journal.iter().filter_map(action_of).collect();
    for action in &used {
        assert!(gives(role, action), "{action} is not in the role");
    }
    let denied = journal.iter().filter(|sent| is_denied(sent)).count();
    let mut unused = listed(role, "Actions");
    unused.retain(|action| !used.contains(action.as_str()));
    (journal.len(), denied, unused)
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
#[expect(clippy::print_stderr, reason = "the numbers are for people")]
async fn a_whole_life_needs_what_the_operators_role_gives_and_nothing_is_denied() {
    let site = Site::open().await;
    // Without --account, as with an account that wbstore creates.
    let role = operator_policy(&site, &["--register-provider"]).await;
    site.double().restrict(&site.double().principal(), &role);
    site.double().set_registered("Microsoft.Storage", false);
    site.double().set_registered("Microsoft.EventGrid", false);
    site.azure.proxy().clear_journal();
    let dead = ["--dead-letter"];
    let ran = site.provision(&[&dead[..], &["--register-provider"]].concat()).await.ends(0);
    assert!(!ran.stderr.contains("not checked") && !ran.stderr.contains("cannot check"), "{ran}");
    site.run("plan", &[&dead[..], &["--exit-code"]].concat()).await.ends(0);
    site.run("verify", &[&dead[..], &["--within", "60s"]].concat()).await.ends(0);
    site.run("list", &[]).await.ends(0);
    site.teardown(&[&dead[..], &["--delete-objects"]].concat()).await.ends(0);
    // An account that holds more is kept, and what is wbstore's in it goes by itself.
    site.provision(&dead).await.ends(0);
    site.double().plant_container(site.account(), "backup", &json!({})).await.unwrap();
    site.teardown(&dead).await.ends(0);
    let (calls, denied, unused) = evaluated(&site.azure.proxy().journal(), &role);
    eprintln!("operator: {calls} calls, {denied} denied, never used: {unused:?}");
    assert!(calls > 80, "it was a whole life: {calls}");
    assert_eq!((denied, unused), (0, vec![]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
#[expect(clippy::print_stderr, reason = "the numbers are for people")]
async fn in_an_account_of_others_less_is_enough() {
    let site = Site::open().await;
    site.double().plant(Planted::new(site.account())).await.unwrap();
    let in_it = ["--account", site.account()];
    let role = operator_policy(&site, &in_it).await;
    site.double().restrict(&site.double().principal(), &role);
    site.azure.proxy().clear_journal();
    site.provision(&in_it).await.ends(0);
    site.run("verify", &[&in_it[..], &["--within", "60s"]].concat()).await.ends(0);
    site.teardown(&in_it).await.ends(0);
    let (calls, denied, unused) = evaluated(&site.azure.proxy().journal(), &role);
    // Event Grid requires it of whoever writes the event subscription.
    let linked = "Microsoft.Storage/storageAccounts/write";
    eprintln!("operator in an account of others: {calls} calls, {denied} denied, never used: {unused:?}");
    assert_eq!((denied, unused), (0, vec![linked.to_owned()]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_role_without_an_action_is_refused_by_its_name() {
    let site = Site::open().await;
    site.double().plant(Planted::new(site.account())).await.unwrap();
    let mut role = operator_policy(&site, &["--account", site.account()]).await;
    role["NotActions"] = json!(["Microsoft.Storage/storageAccounts/write"]);
    site.double().restrict(&site.double().principal(), &role);
    let ran = site.provision(&[]).await.ends(4);
    ran.tells(&["LinkedAuthorizationFailed", "Microsoft.Storage/storageAccounts/write"]);
    role["NotActions"] = json!(["Microsoft.Storage/*/containers/read"]);
    site.double().allow_all();
    site.double().restrict(&site.double().principal(), &role);
    shows(&site.run("plan", &[]).await.ends(3), &["AuthorizationFailed", "blobServices/containers/read"]);
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
    let principal = site.double().principal();
    site.double().restrict(&principal, &job_policy(site, &["--resource-group", "acme"]).await);
    let job = ["--expired", "--confirm", "expired", "--delete-objects"];
    let ran = site.run("teardown", &job).await.ends(0);
    assert!(!ran.stderr.contains("cannot "), "it could look at everything: {ran}");
    site.double().allow_all();
    let denied = site.azure.proxy().journal().iter().filter(|sent| is_denied(sent)).count();
    assert_eq!(denied, 0);
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
