//! `cargo sandbox live`, on emulated accounts that it takes for real ones: it has the environment and the
//! options of a user and no more.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::azure::Azure;
use wbstore_sandbox::cloud::Cloud;
use wbstore_sandbox::gcp::Gcp;
use wbstore_sandbox::ran::finish;

fn live<C: Cloud>(cloud: &C, folder: &Path, yes: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wbstore-sandbox"));
    command.args(["live", C::CLOUD]).args(yes).arg("--report").arg(folder);
    command.arg("--").args(cloud.place("provision")).envs(cloud.env()).stdin(Stdio::null());
    command
}

fn report(folder: &TempDir, cloud: &str) -> Value {
    let read = |ending: &str| {
        let path = folder.path().join(format!("wbstore-live-{cloud}.{ending}"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    assert!(read("md").starts_with("# wbstore on "));
    serde_json::from_str(&read("json")).expect("JSON")
}

async fn every_law_holds<C: Cloud>() {
    let (cloud, folder) = (C::fresh().await, tempfile::tempdir().expect("a folder"));
    cloud.neighbours().await;
    let before = cloud.snapshot().await;
    let ran = finish(live(&cloud, folder.path(), &["--yes"])).await.ends(0);
    let report = report(&folder, C::CLOUD);
    let laws = report["laws"].as_array().expect("a list");
    assert!(laws.len() > 8, "{ran}");
    assert!(laws.iter().all(|law| law["outcome"] == "passed"), "{report:#}");
    let text = report.to_string();
    assert!(!text.contains(&cloud.account_id()), "{text}");
    for secret in cloud.secrets() {
        assert!(!text.contains(&secret) && !ran.stderr.contains(&secret), "{secret}");
    }
    let differences = cloud.snapshot().await.differences(&before);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn every_law_holds_on_aws() {
    every_law_holds::<Aws>().await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn every_law_holds_on_google_cloud() {
    every_law_holds::<Gcp>().await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn every_law_holds_on_azure() {
    every_law_holds::<Azure>().await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn nothing_is_made_before_somebody_agrees() {
    let (cloud, folder) = (Gcp::fresh().await, tempfile::tempdir().expect("a folder"));
    cloud.proxy().clear_journal();
    let ran = finish(live(&cloud, folder.path(), &[])).await.ends(1);
    ran.tells(&["gcp/bucket/", "nothing was made", "--yes"]);
    assert!(cloud.proxy().journal().iter().all(|exchange| !exchange.mutating));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_interrupt_leaves_nothing() {
    let (cloud, folder) = (Gcp::fresh().await, tempfile::tempdir().expect("a folder"));
    let before = cloud.snapshot().await;
    let mut command = live(&cloud, folder.path(), &["--yes"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let begun = Instant::now();
    while cloud.snapshot().await.differences(&before).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it makes nothing");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("no panic");
    assert_eq!(output.expect("it ends").status.code(), Some(130));
    let differences = cloud.snapshot().await.differences(&before);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(report(&folder, "gcp")["ended_early"], "interrupted");
}
