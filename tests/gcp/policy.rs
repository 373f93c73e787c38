//! The permissions that `policy` prints.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yaml_rust2::YamlLoader;

use crate::support::{NAME, Site, finish, record};

/// The permissions of a role that is written as JSON.
async fn included(site: &Site, audience: &str, arguments: &[&str]) -> Vec<String> {
    let arguments = [&["--for", audience, "--format", "json"], arguments].concat();
    let role = site.run("policy", &arguments).await.ends(0).json();
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

/// What the calls of an account came to, under the permissions that were printed for it.
fn evaluated(site: &Site, who: &str, account: &str, printed: &BTreeSet<&str>) {
    let calls = site.gcp.proxy().journal().len();
    let (used, lacked) = (site.gcp.control().used_by(account), site.gcp.control().lacked_by(account));
    let unused: Vec<_> = printed.iter().filter(|one| !used.contains(**one)).copied().collect();
    record(format!("{who}: {calls} calls, denied {}, granted and never used: {unused:?}", lacked.len()));
    assert!(lacked.is_empty(), "{who} lacks {lacked:?}");
    let expected: BTreeSet<&str> = NOT_ASKED_FOR.into_iter().filter(|one| printed.contains(one)).collect();
    assert_eq!(unused.into_iter().collect::<BTreeSet<_>>(), expected, "{who}");
}

/// With the permissions that are printed and no others, everything works, and each of them is needed: a whole life
/// of a deployment, and the adoption of a bucket whose settings differ.
#[tokio::test]
async fn the_operators_permissions_are_enough_and_no_more() {
    let site = Site::open().await;
    let server = format!("wandb@{}.iam.gserviceaccount.com", site.gcp.project());
    let account = format!("ci@{}.iam.gserviceaccount.com", site.gcp.project());
    let with = ["--service-account", server.as_str()];
    let printed = included(&site, "operator", &with).await;
    let printed: BTreeSet<&str> = printed.iter().map(String::as_str).collect();
    site.gcp.control().account(&server, &[]);
    site.gcp.control().account(&account, &printed.iter().copied().collect::<Vec<_>>());
    let env = site.gcp.env_as(&account);
    let theirs = json!({ "name": "theirs", "ipFilter": { "mode": "Disabled" } });
    site.ask("POST", &format!("/storage/v1/b?project={}", site.gcp.project()), theirs).await;
    site.ask("PATCH", "/storage/v1/b/theirs", json!({ "ipFilter": { "mode": "Disabled" } })).await;
    let topic = format!("projects/{}/topics/theirs", site.gcp.project());
    site.ask("PUT", &format!("/v1/{topic}"), json!({})).await;
    let subscription = format!("/v1/projects/{}/subscriptions/theirs", site.gcp.project());
    site.ask("PUT", &subscription, json!({ "topic": topic })).await;
    site.gcp.proxy().clear_journal();
    let names = ["--bucket", "theirs", "--topic", "theirs", "--subscription", "theirs"];
    let adopted = [&["--name", "theirs"], &names[..]].concat();
    for (command, more) in [
        ("provision", &["--yes"][..]),
        ("plan", &["--exit-code"]),
        ("verify", &["--within", "60s"]),
        ("provision", &[&adopted[..], &["--adopt", "--yes"]].concat()),
        ("teardown", &[&adopted[..], &["--confirm", "theirs"]].concat()),
        ("teardown", &["--confirm", NAME, "--delete-objects"]),
    ] {
        let mut process = site.command(command, &[&with[..], more].concat());
        process.envs(env.iter().cloned());
        finish(process).await.ends(0);
    }
    let mut list = site.command("list", &[]);
    list.envs(env);
    finish(list).await.ends(0);
    evaluated(&site, "operator", &account, &printed);
}

/// An existing bucket that is open is closed by the operator's role without `--service-account` too (B22).
#[tokio::test]
async fn the_operator_may_prevent_public_access() {
    let site = Site::provisioned().await;
    let account = format!("ci@{}.iam.gserviceaccount.com", site.gcp.project());
    let printed = included(&site, "operator", &[]).await;
    site.gcp.control().account(&account, &printed.iter().map(String::as_str).collect::<Vec<_>>());
    site.patch_bucket(json!({ "iamConfiguration": { "publicAccessPrevention": "inherited" } })).await;
    let run = async || {
        let mut process = site.command("provision", &["--yes"]);
        process.envs(site.gcp.env_as(&account));
        finish(process).await
    };
    run().await.ends(0);
    assert_eq!(site.bucket().await["iamConfiguration"]["publicAccessPrevention"], "enforced");
    site.patch_bucket(json!({ "iamConfiguration": { "publicAccessPrevention": "inherited" } })).await;
    let without: Vec<_> =
        printed.iter().map(String::as_str).filter(|one| *one != "storage.buckets.setIamPolicy").collect();
    site.gcp.control().account(&account, &without);
    run().await.tells(&["storage.buckets.setIamPolicy", "hint: grant"]);
}

/// Printed, and not asked for by the double: the quota project of user credentials, and folders, which no bucket
/// of it has.
const NOT_ASKED_FOR: [&str; 4] = [
    "serviceusage.services.use",
    "storage.folders.delete",
    "storage.folders.list",
    "storage.managedFolders.delete",
];

/// `teardown --expired`, by somebody who may do what `policy --for operator --expired` prints and nothing
/// else: of a deployment that wbstore created, and of one that it adopted and gave a server access to.
#[tokio::test]
async fn the_job_may_do_what_the_end_of_every_deployment_takes_and_no_more() {
    let site = Site::open().await;
    let project = site.gcp.project();
    let server = format!("wandb@{project}.iam.gserviceaccount.com");
    let account = format!("job@{project}.iam.gserviceaccount.com");
    let with = ["--service-account", server.as_str()];
    let printed = included(&site, "operator", &[&["--expired"], &with[..]].concat()).await;
    let printed: BTreeSet<&str> = printed.iter().map(String::as_str).collect();
    site.gcp.control().account(&server, &[]);
    site.gcp.control().account(&account, &printed.iter().copied().collect::<Vec<_>>());
    let topic = format!("projects/{project}/topics/theirs");
    site.ask("POST", &format!("/storage/v1/b?project={project}"), json!({ "name": "theirs" })).await;
    site.ask("PUT", &format!("/v1/{topic}"), json!({})).await;
    let subscription = format!("/v1/projects/{project}/subscriptions/theirs");
    site.ask("PUT", &subscription, json!({ "topic": topic })).await;
    let adopts = ["--adopt", "--bucket", "theirs", "--topic", "theirs", "--subscription", "theirs"];
    let theirs = [&["--name", "theirs", "--expires", "7d"], &adopts[..], &with].concat();
    site.provision(&theirs).await.ends(0);
    site.provision(&["--expires", "7d"]).await.ends(0);
    site.put("run", b"four");
    for bucket in ["theirs", &site.bucket] {
        let now = jiff::Timestamp::now().as_second().to_string();
        let over = json!({ "labels": { "wbstore-expires": now } });
        site.ask("PATCH", &format!("/storage/v1/b/{bucket}"), over).await;
    }
    let mut job = site.command("teardown", &["--expired", "--confirm", "expired", "--delete-objects"]);
    job.envs(site.gcp.env_as(&account));
    let ran = finish(job).await.ends(0);
    assert!(!ran.stderr.contains("cannot "), "it could look at everything: {ran}");
    assert_eq!(site.left().await, json!([["theirs"], ["theirs"], ["theirs"]]));

    evaluated(&site, "expiry job", &account, &printed);
}

#[tokio::test]
async fn the_job_has_no_say_about_access_unless_it_is_asked_for() {
    let site = Site::open().await;
    let printed = included(&site, "operator", &["--expired"]).await;
    let kinds: BTreeSet<&str> = printed.iter().filter_map(|one| one.strip_suffix(".setIamPolicy")).collect();
    assert_eq!(kinds, BTreeSet::from(["pubsub.topics"]), "a topic that was adopted keeps no grant of ours");
    assert!(!printed.iter().any(|one| one.starts_with("iam.") || one.ends_with(".create")), "{printed:?}");
}
