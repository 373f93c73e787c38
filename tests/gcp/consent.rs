//! Nothing is changed before somebody has agreed to it. What a terminal asks is the same for every cloud
//! and tested with AWS.

use serde_json::json;

use crate::support::{Ends, NAME, Site};

async fn digest(site: &Site) -> String {
    site.plan(&[]).await["digest"].as_str().expect("it has one").to_owned()
}

#[tokio::test]
async fn without_a_terminal_nothing_is_changed_unless_yes_is_said() {
    let site = Site::open().await;
    site.run("provision", &[]).await.ends(2).tells(&["no terminal to ask on", "hint:", "--yes"]);
    site.is_untouched();
}

#[tokio::test]
async fn an_empty_plan_asks_nothing() {
    let site = Site::provisioned().await;
    let ran = site.run("provision", &[]).await.ends(0);
    assert_eq!(ran.outputs()["BUCKET"], format!("gs://{}", site.bucket));
    site.is_untouched();
}

#[tokio::test]
async fn the_digest_of_the_reviewed_plan_lets_it_through() {
    let site = Site::open().await;
    let digest = digest(&site).await;
    site.run("provision", &["--expect", &digest]).await.ends(2).tells(&["--yes"]);
    site.is_untouched();
    site.provision(&["--expect", &digest]).await.ends(0);
}

#[tokio::test]
async fn a_cloud_that_moved_since_the_review_is_refused() {
    let site = Site::open().await;
    let digest = digest(&site).await;
    site.provision(&[]).await.ends(0);
    site.patch_bucket(json!({ "cors": [] })).await;
    site.gcp.proxy().clear_journal();
    site.provision(&["--expect", &digest]).await.ends(3).tells(&["digest is", &digest, "hint:"]);
    site.is_untouched();
}

#[tokio::test]
async fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let site = Site::open().await;
    let dry = site.run("provision", &["--dry-run"]).await.ends(0);
    let plan = site.run("plan", &[]).await.ends(0);
    assert_eq!(dry.stdout, plan.stdout);
    assert!(dry.stdout.contains("5 to create"), "{dry}");
    site.is_untouched();
}

#[tokio::test]
async fn a_teardown_without_a_terminal_wants_the_name_as_an_argument() {
    let site = Site::provisioned().await;
    site.run("teardown", &[]).await.ends(2).tells(&["no terminal", &format!("--confirm {NAME}")]);
    site.run("teardown", &["--confirm", "acme"]).await.ends(2).tells(&["nothing was deleted"]);
    site.teardown(&["--expect", "0123456789abcdef0123456789abcdef"])
        .await
        .ends(3)
        .tells(&["digest is", "hint:"]);
    site.is_untouched();
}

#[tokio::test]
async fn an_adoption_is_shown_as_one_with_what_it_changes() {
    let site = Site::open().await;
    let bucket = json!({ "name": site.bucket, "labels": { "team": "vision" } });
    site.ask("POST", &format!("/storage/v1/b?project={}", site.gcp.project()), bucket).await;
    let plan = site.plan(&["--adopt"]).await;
    assert_eq!((&plan["counts"]["adopt"], &plan["counts"]["create"]), (&json!(1), &json!(4)), "{plan:#}");
    let shown = site.run("plan", &["--adopt"]).await.ends(0);
    for field in ["uniform_access: false → true", "public_access_prevention: inherited → enforced"] {
        let squeezed = shown.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains(field), "{field} is not in\n{shown}");
    }
    site.is_untouched();
}
