//! Several deployments on one service account, and one deployment on several in turn: whoever still lives on a
//! grant keeps it, and nobody else does.

use serde_json::{Value, json};
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::gcp::double::LostRace;

use crate::support::Site;

const SIGNS: &str = "roles/iam.serviceAccountTokenCreator";

/// Two deployments, `one` and `two`, for the same account.
async fn two() -> (Site, String) {
    let site = Site::open().await;
    let server = account(&site, "wandb");
    for name in ["one", "two"] {
        site.provision(&["--name", name, "--service-account", &server]).await.ends(0);
    }
    site.gcp.proxy().clear_journal();
    (site, server)
}

fn account(site: &Site, name: &str) -> String {
    let email = format!("{name}@{}.iam.gserviceaccount.com", site.gcp.project());
    site.gcp.control().account(&email, &[]);
    email
}

/// Whether the account may sign as itself.
async fn signs(site: &Site, email: &str) -> bool {
    let path = format!("/v1/projects/-/serviceAccounts/{email}:getIamPolicy");
    has(&site.ask("POST", &path, json!({})).await, SIGNS, email)
}

fn has(policy: &Value, role: &str, email: &str) -> bool {
    let member = json!(format!("serviceAccount:{email}"));
    let mut bindings = policy["bindings"].as_array().into_iter().flatten();
    bindings
        .any(|one| one["role"] == role && one["members"].as_array().is_some_and(|all| all.contains(&member)))
}

async fn tear_down(site: &Site, name: &str, server: &str) -> wbstore_sandbox::ran::Ran {
    site.run("teardown", &["--name", name, "--confirm", name, "--service-account", server]).await
}

#[tokio::test]
async fn the_right_to_sign_goes_with_the_last_deployment_that_lives_on_it() {
    let (site, server) = two().await;
    site.run("plan", &["--name", "two", "--service-account", &server, "--exit-code"]).await.ends(0);
    let ran = tear_down(&site, "one", &server).await.ends(0);
    ran.tells(&["as long as the deployments `two` use it"]);
    assert!(signs(&site, &server).await, "the other still signs");
    site.run("plan", &["--name", "two", "--service-account", &server, "--exit-code"]).await.ends(0);
    tear_down(&site, "two", &server).await.ends(0);
    assert!(!signs(&site, &server).await, "nobody lives on it");
    assert_eq!(site.left().await, json!([[], [], []]));
}

#[tokio::test]
async fn of_two_teardowns_at_the_same_time_one_revokes_it() {
    let (site, server) = two().await;
    let (one, two) = futures::join!(tear_down(&site, "one", &server), tear_down(&site, "two", &server));
    one.ends(0);
    two.ends(0);
    assert!(!signs(&site, &server).await);
}

#[tokio::test]
async fn expired_deployments_of_one_account_leave_nothing_of_it() {
    let site = Site::open().await;
    let server = account(&site, "wandb");
    for name in ["one", "two"] {
        site.provision(&["--name", name, "--service-account", &server, "--expires", "7d"]).await.ends(0);
    }
    let buckets = site.left().await[0].clone();
    let now = jiff::Timestamp::now().as_second().to_string();
    for bucket in buckets.as_array().expect("a list") {
        let over = json!({ "labels": { "wbstore-expires": now } });
        site.ask("PATCH", &format!("/storage/v1/b/{}", bucket.as_str().expect("a name")), over).await;
    }
    site.run("teardown", &["--expired", "--confirm", "expired"]).await.ends(0);
    assert!(!signs(&site, &server).await);
    assert_eq!(site.left().await, json!([[], [], []]));
}

#[tokio::test]
async fn a_right_that_was_there_before_stays() {
    let site = Site::open().await;
    let server = account(&site, "wandb");
    let binding = json!({ "role": SIGNS, "members": [format!("serviceAccount:{server}")] });
    let path = format!("/v1/projects/-/serviceAccounts/{server}:setIamPolicy");
    site.ask("POST", &path, json!({ "policy": { "bindings": [binding] } })).await;
    for name in ["one", "two"] {
        site.provision(&["--name", name, "--service-account", &server]).await.ends(0);
    }
    for name in ["one", "two"] {
        tear_down(&site, name, &server).await.ends(0);
    }
    assert!(signs(&site, &server).await);
}

#[tokio::test]
async fn who_else_lives_on_it_must_be_known_before_it_is_revoked() {
    let (site, server) = two().await;
    site.gcp.control().deny("storage.buckets.list");
    tear_down(&site, "one", &server).await.ends(3).tells(&["storage.buckets.list", "hint:"]);
    site.is_untouched();
}

#[tokio::test]
async fn another_account_takes_the_roles_of_the_one_before() {
    let site = Site::open().await;
    let (old, new) = (account(&site, "old"), account(&site, "new"));
    site.provision(&["--service-account", &old]).await.ends(0);
    let plan = site.run("plan", &["--service-account", &new]).await.ends(0);
    assert!(plan.stdout.contains("granted before is revoked"), "the plan names the former account\n{plan}");
    // Interrupted after the notes, and completed by the next run.
    for call in ["storage.buckets", "pubsub.subscriptions", "iam.serviceAccounts"] {
        let set = When::every(&format!("{call}.setIamPolicy"));
        site.gcp.proxy().arm(set, Fault::fail(Failure::ExpiredToken));
    }
    site.provision(&["--service-account", &new]).await.ends(4);
    site.gcp.proxy().disarm();
    site.provision(&["--service-account", &new]).await.ends(0);
    let bucket = site.get(&format!("/storage/v1/b/{}/iam", site.bucket)).await;
    let subscription = site.get(&format!("{}:getIamPolicy", site.subscription())).await;
    for (policy, role) in [
        (&bucket, "roles/storage.objectAdmin"),
        (&bucket, "roles/storage.legacyBucketReader"),
        (&subscription, "roles/pubsub.subscriber"),
        (&subscription, "roles/pubsub.viewer"),
    ] {
        assert!(has(policy, role, &new) && !has(policy, role, &old), "{role}: {policy}");
    }
    assert!(signs(&site, &new).await && !signs(&site, &old).await);
    site.run("plan", &["--service-account", &new, "--exit-code"]).await.ends(0);
    let labels = site.bucket().await["labels"].clone();
    assert!(!labels.to_string().contains("former"), "{labels}");
}

#[tokio::test]
async fn another_account_leaves_to_others_what_they_live_on() {
    let (site, server) = two().await;
    let new = account(&site, "new");
    site.provision(&["--name", "one", "--service-account", &new]).await.ends(0);
    assert!(signs(&site, &server).await && signs(&site, &new).await);
    site.run("plan", &["--name", "two", "--service-account", &server, "--exit-code"]).await.ends(0);
    tear_down(&site, "one", &new).await.ends(0);
    assert!(signs(&site, &server).await && !signs(&site, &new).await);
}

#[tokio::test]
async fn an_account_that_is_no_longer_named_is_said_to_keep_its_access() {
    let site = Site::open().await;
    let server = account(&site, "wandb");
    site.provision(&["--service-account", &server]).await.ends(0);
    let plan = site.run("plan", &["--exit-code"]).await.ends(0);
    assert!(plan.stdout.contains("which keeps its access"), "{plan}");
}

/// The subscription is somebody's, who had already given the server a part of the roles.
#[tokio::test]
async fn only_the_roles_that_we_added_are_taken_again() {
    let site = Site::open().await;
    let server = account(&site, "wandb");
    let topic = site.topic();
    site.ask("PUT", &topic, json!({})).await;
    site.ask("PUT", &site.subscription(), json!({ "topic": topic.trim_start_matches("/v1/") })).await;
    let binding =
        json!({ "role": "roles/pubsub.subscriber", "members": [format!("serviceAccount:{server}")] });
    let set = format!("{}:setIamPolicy", site.subscription());
    site.ask("POST", &set, json!({ "policy": { "bindings": [binding] } })).await;
    let with = ["--adopt", "--service-account", server.as_str()];
    site.provision(&with).await.ends(0);
    site.run("plan", &[&with[..], &["--exit-code"]].concat()).await.ends(0);
    let read = format!("{}:getIamPolicy", site.subscription());
    assert!(has(&site.get(&read).await, "roles/pubsub.viewer", &server));
    site.teardown(&["--service-account", &server]).await.ends(0);
    let policy = site.get(&read).await;
    assert!(has(&policy, "roles/pubsub.subscriber", &server), "{policy}");
    assert!(!has(&policy, "roles/pubsub.viewer", &server), "{policy}");
    assert_eq!(site.get(&site.subscription()).await["labels"], Value::Null);
}

#[tokio::test]
async fn a_race_for_a_policy_is_run_again_however_its_loss_is_spelled() {
    for spelling in [LostRace::Usual, LostRace::Precondition, LostRace::FailedPrecondition] {
        let site = Site::open().await;
        let server = account(&site, "wandb");
        site.gcp.control().spell_races(spelling);
        site.gcp.control().race_policies(4);
        site.provision(&["--service-account", &server]).await.ends(0);
        assert!(signs(&site, &server).await, "{spelling:?}");
    }
}
