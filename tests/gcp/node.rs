//! `verify --as node`: what the server may do, by the server's own credentials.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wbstore_sandbox::ran::Ran;

use crate::support::{EVENTS, Site, finish, record};

/// A deployment whose server has the role that `policy --for node` prints, without the permission `less`, bound as
/// its commands bind it.
async fn served(less: &str) -> (Site, String, BTreeSet<String>) {
    let site = Site::provisioned().await;
    let server = format!("wandb@{}.iam.gserviceaccount.com", site.gcp.project());
    site.gcp.control().account(&server, &[]);
    let printed = site.run("policy", &["--for", "node", "--format", "json"]).await.ends(0).json();
    let printed = printed["includedPermissions"].as_array().cloned().unwrap_or_default();
    let printed: BTreeSet<String> = printed.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let permissions: Vec<_> = printed.iter().map(String::as_str).filter(|one| *one != less).collect();
    let role = site.gcp.control().role("wbstore_node", &permissions);
    let binding = |role: &str| json!({ "role": role, "members": [format!("serviceAccount:{server}")] });
    let policy = json!({ "bindings": [binding(&role)] });
    site.ask("PUT", &format!("/storage/v1/b/{}/iam", site.bucket), policy.clone()).await;
    site.ask("POST", &format!("{}:setIamPolicy", site.subscription()), json!({ "policy": policy })).await;
    if less != "signBlob" {
        let signs = json!({ "policy": { "bindings": [binding("roles/iam.serviceAccountTokenCreator")] } });
        site.ask("POST", &format!("/v1/projects/-/serviceAccounts/{server}:setIamPolicy"), signs).await;
    }
    site.gcp.proxy().clear_journal();
    (site, server, printed)
}

async fn as_node(site: &Site, server: &str) -> Ran {
    let mut process = site.command("verify", &["--as", "node", "--within", "20s", "--format", "json"]);
    process.envs(site.gcp.env_as(server));
    finish(process).await
}

const CHECKS: [&str; 8] =
    ["identity", "presigned PUT", "presigned GET", "HEAD", "list", "multipart upload", "receive", "delete"];

#[tokio::test]
async fn the_printed_role_is_enough_for_the_server_and_nothing_else_is_asked_for() {
    let (site, server, printed) = served("").await;
    let ran = as_node(&site, &server).await.ends(0);
    for name in CHECKS {
        assert_eq!(ran.check(name)["verdict"], "passed", "{name}\n{ran}");
    }
    assert!(ran.check("identity")["detail"].as_str().is_some_and(|who| who == server), "{ran}");
    let calls = site.gcp.proxy().journal().len();
    let (used, lacked) = (site.gcp.control().used_by(&server), site.gcp.control().lacked_by(&server));
    let unused: Vec<_> = printed.difference(&used).collect();
    record(format!("node: {calls} calls, denied {}, granted and never used: {unused:?}", lacked.len()));
    assert!(lacked.is_empty(), "{lacked:?}");
    assert!(used.is_subset(&printed), "{used:?}");
    assert_eq!(site.objects().await, Vec::<String>::new());
    assert_eq!(site.subscriptions().await, [EVENTS]);
}

#[tokio::test]
async fn an_impersonated_server_signs_through_iam() {
    let (site, server, _) = served("").await;
    let with =
        ["--as", "node", "--impersonate-service-account", &server, "--within", "20s", "--format", "json"];
    let ran = site.run("verify", &with).await.ends(0);
    for name in CHECKS {
        assert_eq!(ran.check(name)["verdict"], "passed", "{name}\n{ran}");
    }
    let signed =
        site.gcp.proxy().journal().iter().filter(|call| call.operation.ends_with("signBlob")).count();
    assert_eq!(signed, 2, "the upload and the download");
}

#[tokio::test]
async fn a_server_that_may_not_sign_is_said_to_lack_just_that() {
    let (site, server, _) = served("signBlob").await;
    let with =
        ["--as", "node", "--impersonate-service-account", &server, "--within", "5s", "--format", "json"];
    let ran = site.run("verify", &with).await.ends(6);
    let put = ran.check("presigned PUT");
    assert_eq!(put["verdict"], "failed", "{put}");
    let hint = put["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("roles/iam.serviceAccountTokenCreator on itself"), "{put}");
}

#[tokio::test]
async fn whoever_may_not_impersonate_the_server_is_told_the_role() {
    let (site, server, _) = served("").await;
    site.gcp.control().deny("iam.serviceAccounts.getAccessToken");
    let with = ["--as", "node", "--impersonate-service-account", &server];
    let ran = site.run("verify", &with).await;
    let hint = format!("grant roles/iam.serviceAccountTokenCreator on {server} to whoever runs this");
    assert!(ran.code != Some(0) && ran.stdout.contains(&hint), "{ran}");
    assert_eq!(site.objects().await, Vec::<String>::new());
}

#[tokio::test]
async fn each_permission_that_lacks_is_named_with_the_call_it_is_for() {
    for (less, name, word) in [
        ("storage.objects.get", "HEAD", "storage.objects.get"),
        ("storage.objects.list", "list", "storage.objects.list"),
        ("storage.multipartUploads.create", "multipart upload", "storage.multipartUploads.create"),
        ("pubsub.subscriptions.consume", "receive", "pubsub.subscriptions.consume"),
    ] {
        let (site, server, _) = served(less).await;
        let ran = as_node(&site, &server).await.ends(6);
        let failed = ran.check(name);
        assert_eq!(failed["verdict"], "failed", "{less}: {failed}");
        assert!(failed["hint"].as_str().is_some_and(|hint| hint.contains(word)), "{failed}");
        assert_eq!(site.objects().await, Vec::<String>::new(), "{less}");
    }
}

/// Google's own roles, which `provision --service-account` grants, do the same as the printed one.
#[tokio::test]
async fn the_granted_roles_are_enough_too() {
    let site = Site::open().await;
    let server = format!("wandb@{}.iam.gserviceaccount.com", site.gcp.project());
    site.gcp.control().account(&server, &[]);
    site.provision(&["--service-account", &server]).await.ends(0);
    let printed = site.run("policy", &["--for", "node", "--format", "json"]).await.ends(0).json();
    as_node(&site, &server).await.ends(0);
    assert!(site.gcp.control().lacked_by(&server).is_empty());
    for permission in printed["includedPermissions"].as_array().into_iter().flatten() {
        let permission = permission.as_str().expect("text");
        assert!(site.gcp.double().grants(&server, permission), "{permission}");
    }
}

/// The messages of others are received, and returned.
#[tokio::test]
async fn the_messages_of_others_are_left_to_the_server() {
    for backlog in [0, 31, 33, 500] {
        let (site, server, _) = served("").await;
        site.publish(backlog).await;
        let begun = std::time::Instant::now();
        as_node(&site, &server).await.ends(0);
        record(format!(
            "{backlog} unread messages of others, as node: {:.1} s",
            begun.elapsed().as_secs_f64()
        ));
        assert_eq!(site.pull_all().await, (backlog, 0));
    }
}
