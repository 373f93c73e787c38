//! The permissions that `policy` prints.

use serde_json::Value;
use yaml_rust2::YamlLoader;

use crate::support::{Ends, NAME, Site};

/// The permissions of a role that is written as JSON.
async fn included(site: &Site, audience: &str, arguments: &[&str]) -> Vec<String> {
    let arguments = [&["--for", audience, "--format", "json"], arguments].concat();
    let role = site.run("policy", &arguments).await.ends(0).tells(&["W&B's guide"]).json();
    let list = role["includedPermissions"].as_array().cloned().unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[tokio::test]
async fn it_is_a_role_that_gcloud_reads() {
    let site = Site::open().await;
    let ran = site.run("policy", &["--for", "node"]).await.ends(0);
    let document = &YamlLoader::load_from_str(&ran.stdout).expect("YAML")[0];
    assert_eq!(document["stage"].as_str(), Some("GA"));
    assert!(document["title"].as_str().is_some_and(|title| title.contains(NAME)), "{ran}");
    let permissions = document["includedPermissions"].as_vec().expect("a list");
    assert!(permissions.iter().any(|one| one.as_str() == Some("storage.objects.create")), "{ran}");
}

#[tokio::test]
async fn the_node_may_only_use_what_is_there() {
    let site = Site::open().await;
    let permissions = included(&site, "node", &[]).await;
    assert!(permissions.contains(&"pubsub.subscriptions.consume".to_owned()));
    for permission in &permissions {
        let writes = ["buckets.create", "buckets.update", "buckets.delete", "setIamPolicy", "topics."];
        assert!(!writes.iter().any(|word| permission.contains(word)), "{permission}");
    }
    assert!(!included(&site, "node", &["--queue", "internal"]).await.concat().contains("pubsub"));
}

#[tokio::test]
async fn the_commands_bind_the_role_to_the_very_things() {
    let site = Site::open().await;
    let account = format!("wandb@{}.iam.gserviceaccount.com", site.gcp.project());
    let arguments = ["--for", "node", "--format", "commands", "--service-account", &account];
    let ran = site.run("policy", &arguments).await.ends(0);
    for command in [
        "gcloud iam roles create wbstore_wandb_acme_com_node",
        &format!("gcloud storage buckets add-iam-policy-binding gs://{}", site.bucket),
        "gcloud pubsub subscriptions add-iam-policy-binding wbstore-wandb-acme-com",
        &format!("gcloud iam service-accounts add-iam-policy-binding {account}"),
    ] {
        assert!(ran.stdout.lines().any(|line| line.starts_with(command)), "{command}\n{ran}");
    }
    assert!(ran.stdout.lines().all(|line| line.starts_with("# ") || line.starts_with("gcloud ")), "{ran}");
}

#[tokio::test]
async fn no_cloud_is_needed() {
    let site = Site::open().await;
    site.gcp.proxy().clear_journal();
    let offline = ["--for", "operator", "--offline", "--account-id", "123456789012"];
    site.run("policy", &offline).await.ends(0);
    assert!(site.gcp.proxy().journal().is_empty());
}

/// With the permissions that are printed and no others, everything works; each of them is needed is
/// what the sweeps of `tests/faults` would tell.
#[tokio::test]
async fn the_operators_permissions_are_enough() {
    let site = Site::open().await;
    let server = format!("wandb@{}.iam.gserviceaccount.com", site.gcp.project());
    let account = format!("ci@{}.iam.gserviceaccount.com", site.gcp.project());
    let with = ["--service-account", server.as_str()];
    let permissions = included(&site, "operator", &with).await;
    let permissions: Vec<&str> = permissions.iter().map(String::as_str).collect();
    site.gcp.control().account(&server, &[]);
    site.gcp.control().account(&account, &permissions);
    let env = site.gcp.env_as(&account);
    for (command, more) in [
        ("provision", &["--yes"][..]),
        ("plan", &["--exit-code"]),
        ("verify", &["--within", "60s"]),
        ("teardown", &["--confirm", NAME, "--delete-objects"]),
    ] {
        let mut process = site.command(command, &[&with[..], more].concat());
        process.envs(env.iter().cloned());
        crate::support::finish(process).await.ends(0);
    }
    let mut list = site.command("list", &[]);
    list.envs(env);
    crate::support::finish(list).await.ends(0);
}
