//! `doctor`: credentials, clock and permissions, and that nothing is changed.

use serde_json::json;
use wbstore_sandbox::fault::{Fault, When};
use wbstore_sandbox::ran::Ran;

use crate::support::{Site, finish};

async fn doctor(site: &Site, more: &[&str]) -> Ran {
    site.run("doctor", &[&["--format", "json"], more].concat()).await
}

#[tokio::test]
async fn who_may_do_all_is_told_so_and_nothing_is_written() {
    let site = Site::provisioned().await;
    let printed = site.run("policy", &["--for", "operator", "--format", "json"]).await.ends(0).json();
    let printed: Vec<_> = printed["includedPermissions"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one.as_str())
        .collect();
    let account = format!("ci@{}.iam.gserviceaccount.com", site.gcp.project());
    site.gcp.control().account(&account, &printed);
    site.gcp.proxy().clear_journal();
    let mut command = site.command("doctor", &["--format", "json"]);
    command.envs(site.gcp.env_as(&account));
    let project = format!("{} (GOOGLE_CLOUD_PROJECT)", site.gcp.project());
    finish(command)
        .await
        .ends(0)
        .finds(
            "gcp credentials",
            "passed",
            &["the key of a service account", "(GOOGLE_APPLICATION_CREDENTIALS)"],
        )
        .finds("gcp identity", "passed", &[&account])
        .finds("gcp project", "passed", &[&project, &site.gcp.double().agent()])
        .finds("gcp location", "passed", &["US (the default)"])
        .finds("gcp endpoint", "passed", &["custom endpoint http://127.0.0.1", "STORAGE_EMULATOR_HOST"])
        .finds("gcp clock", "passed", &[])
        .finds("gcp permissions", "passed", &["`wbstore policy gcp --for operator`"])
        .finds("gcp reads", "passed", &["resources of wandb-acme-com can be read"]);
    site.is_untouched();
    let tested = site.gcp.proxy().journal();
    let tests = |operation: &str| tested.iter().any(|exchange| exchange.operation == operation);
    assert!(tests("cloudresourcemanager.projects.testIamPermissions"));
    assert!(site.gcp.control().lacked_by(&account).is_empty());
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() {
    let site = Site::provisioned().await;
    let on = format!("on the project {}", site.gcp.project());
    site.gcp.control().deny("pubsub.topics.setIamPolicy");
    let ran = doctor(&site, &[]).await.ends(6);
    ran.finds("gcp permissions", "failed", &["1 of ", "pubsub.topics.setIamPolicy", &on]).finds(
        "gcp reads",
        "passed",
        &[],
    );
    site.gcp.control().deny("pubsub.topics.getIamPolicy");
    let ran = doctor(&site, &[]).await.ends(6);
    ran.finds("gcp reads", "failed", &["pubsub.topics.getIamPolicy"]);
    site.gcp.control().allow_all();
    site.gcp.control().deny("storage.buckets.delete");
    doctor(&site, &[]).await.ends(0).finds("gcp permissions", "warned", &["teardown is not allowed"]);
}

#[tokio::test]
async fn an_api_that_is_disabled_leaves_the_permissions_open() {
    let site = Site::open().await;
    site.gcp.control().disable("cloudresourcemanager.googleapis.com");
    let ran = doctor(&site, &[]).await.ends(0);
    ran.finds("gcp permissions", "inconclusive", &["cloudresourcemanager.googleapis.com is not enabled"])
        .finds("gcp project", "passed", &[]);
}

#[tokio::test]
async fn a_user_is_named_by_the_service_that_issued_the_token() {
    let site = Site::open().await;
    let file = site.gcp.double().folder().join("user.json");
    let user = json!({
        "type": "authorized_user", "client_id": "i", "client_secret": "hunter2",
        "refresh_token": site.gcp.double().operator(), "quota_project_id": "acme-quota",
        "token_uri": format!("{}/token", site.gcp.proxy().url()),
    });
    std::fs::write(&file, user.to_string()).expect("a file");
    let named = file.display().to_string();
    let user = [("GOOGLE_APPLICATION_CREDENTIALS", named.as_str())];
    let ran = site.run_with(&user, "doctor", &["--format", "json"]).await.ends(0);
    assert!(!ran.to_string().contains("hunter2"), "{ran}");
    ran.finds(
        "gcp credentials",
        "passed",
        &["gcloud auth application-default login", "quota project acme-quota"],
    )
    .finds("gcp identity", "passed", &[&site.gcp.double().operator()]);
}

#[tokio::test]
async fn credentials_that_cannot_be_used_are_a_failure_and_the_rest_is_reported() {
    let site = Site::open().await;
    let gone = [("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")];
    site.run_with(&gone, "doctor", &["--format", "json"])
        .await
        .ends(6)
        .finds("gcp credentials", "failed", &["/nowhere/key.json", "hint"])
        .finds("gcp identity", "inconclusive", &["not checked"])
        .finds("gcp location", "passed", &[]);
}

#[tokio::test]
async fn a_clock_that_is_off_is_a_failure() {
    let site = Site::open().await;
    site.gcp.proxy().arm(When::every("*"), Fault::Skew(-1200));
    let ran = doctor(&site, &[]).await.ends(6);
    ran.finds("gcp clock", "failed", &["minutes ahead of that of http://127.0.0.1", "more than 15 minutes"]);
}
