//! Nothing is changed before somebody has agreed to it.

use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::terminal::Terminal;

use crate::support::{Ends, NAME, Site};

/// Runs `command` for somebody who types `answer` when the screen shows `question`.
async fn answered(site: &Site, command: &str, question: &str, answer: &str) -> Ran {
    let mut terminal = Terminal::start(&site.command(command, &[]));
    terminal.shows(question).await;
    terminal.types(answer).await;
    terminal.ended().await
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn without_a_terminal_nothing_is_changed_unless_yes_is_said() {
    let site = Site::open().await;
    site.run("provision", &[]).await.ends(2).tells(&["no terminal to ask on", "hint:", "--yes"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_no_changes_nothing() {
    let site = Site::open().await;
    let ran = answered(&site, "provision", "Make these changes?", "n\r").await;
    ran.ends(1).tells(&["nothing was changed"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn enter_alone_is_a_no() {
    let site = Site::open().await;
    let ran = answered(&site, "provision", "[y/N]", "\r").await;
    ran.ends(1).tells(&["nothing was changed"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_yes_makes_the_changes_and_prints_the_outputs_alone() {
    let site = Site::open().await;
    let ran = answered(&site, "provision", "Make these changes?", "y\r").await.ends(0);
    assert_eq!(ran.outputs()["BUCKET"], format!("s3://{}", site.bucket));
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn ctrl_c_at_the_question_changes_nothing() {
    let site = Site::open().await;
    let ran = answered(&site, "provision", "Make these changes?", "\x03").await;
    ran.ends(130);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_empty_plan_asks_nothing() {
    let site = Site::open().await;
    site.provisioned().await;
    let ran = site.run("provision", &[]).await.ends(0);
    assert_eq!(ran.outputs()["BUCKET"], format!("s3://{}", site.bucket));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_digest_of_the_reviewed_plan_lets_it_through() {
    let site = Site::open().await;
    let plan = site.plan(&[]).await;
    let digest = plan["digest"].as_str().expect("it has one");
    site.provision(&["--expect", digest]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_cloud_that_moved_since_the_review_is_refused() {
    let site = Site::open().await;
    let plan = site.plan(&[]).await;
    let digest = plan["digest"].as_str().expect("it has one");
    site.provisioned().await;
    site.boto("s3.delete_bucket_cors(Bucket=bucket)").await;
    site.aws.proxy().clear_journal();
    let ran = site.provision(&["--expect", digest]).await.ends(3);
    ran.tells(&["digest is", digest, "hint:"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_digest_is_no_consent_of_its_own() {
    let site = Site::open().await;
    let plan = site.plan(&[]).await;
    let digest = plan["digest"].as_str().expect("it has one");
    site.run("provision", &["--expect", digest]).await.ends(2).tells(&["--yes"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let site = Site::open().await;
    let dry = site.run("provision", &["--dry-run"]).await.ends(0);
    let plan = site.run("plan", &[]).await.ends(0);
    assert_eq!(dry.stdout, plan.stdout);
    assert!(dry.stdout.contains("7 to create"), "{dry}");
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_teardown_wants_the_name_typed() {
    let site = Site::open().await;
    site.provisioned().await;
    site.aws.proxy().clear_journal();
    let wrong = answered(&site, "teardown", "to delete it", "wandb\r").await;
    wrong.ends(2).tells(&["nothing was deleted"]);
    site.is_untouched();
    let right = answered(&site, "teardown", "to delete it", &format!("{NAME}\r")).await;
    right.ends(0);
    let left = site.boto("[bucket['Name'] for bucket in s3.list_buckets()['Buckets']]").await;
    assert_eq!(left, serde_json::json!([]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_digest_of_another_teardown_deletes_nothing() {
    let site = Site::open().await;
    site.provisioned().await;
    site.aws.proxy().clear_journal();
    site.teardown(&["--expect", "0123456789abcdef0123456789abcdef"])
        .await
        .ends(3)
        .tells(&["digest is", "hint:"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn ctrl_c_at_the_name_deletes_nothing() {
    let site = Site::open().await;
    site.provisioned().await;
    site.aws.proxy().clear_journal();
    answered(&site, "teardown", "to delete it", "\x03").await.ends(130);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_teardown_without_a_terminal_wants_the_name_as_an_argument() {
    let site = Site::open().await;
    site.provisioned().await;
    site.aws.proxy().clear_journal();
    site.run("teardown", &[]).await.ends(2).tells(&["no terminal", &format!("--confirm {NAME}")]);
    site.run("teardown", &["--confirm", "acme"]).await.ends(2).tells(&["nothing was deleted"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn colours_are_for_terminals_that_want_them() {
    let site = Site::open().await;
    let escape = '\u{1b}';
    let piped = site.run("provision", &[]).await;
    assert!(!format!("{piped}").contains(escape), "{piped:?}");
    let colourful = Terminal::start(&site.command("provision", &["--yes"])).ended().await.ends(0);
    assert!(colourful.stderr.contains("\u{1b}[3") || colourful.stderr.contains("\u{1b}[1"), "{colourful:?}");
    assert!(!colourful.stdout.contains(escape), "data is never coloured: {colourful:?}");
    let mut command = site.command("provision", &["--yes"]);
    command.env("NO_COLOR", "1");
    let plain = Terminal::start(&command).ended().await.ends(0);
    assert!(!plain.stderr.contains("\u{1b}[3") && !plain.stderr.contains("\u{1b}[1m"), "{plain:?}");
}
