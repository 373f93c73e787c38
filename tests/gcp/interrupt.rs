//! Ctrl-C in the middle: what is under way is brought to its end, and nothing is left lying about.

use wbstore_sandbox::fault::{Fault, Side, When};

use crate::support::{EVENTS, NAME, Running, Site};

#[tokio::test]
async fn a_verify_takes_its_probe_and_its_subscription_with_it() {
    let site = Site::provisioned().await;
    let pull = site.gcp.proxy().arm(When::every("pubsub.subscriptions.pull"), Fault::Hang(Side::Before));
    let running = Running::start(site.command("verify", &["--within", "60s"]));
    pull.reached().await;
    assert_eq!(site.subscriptions().await.len(), 2, "it has its own");
    running.interrupt();
    running.ended().await.ends(130);
    assert_eq!(site.subscriptions().await, [EVENTS]);
    assert_eq!(site.objects().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_emptying_that_is_interrupted_goes_on_later() {
    let site = Site::provisioned().await;
    for number in 0..300 {
        site.put(&format!("runs/{number}"), b"");
    }
    let deletion =
        site.gcp.proxy().arm(When::operation("storage.objects.delete", 50), Fault::Hang(Side::Before));
    let mut running = Running::start(site.command("teardown", &["--confirm", NAME, "--delete-objects"]));
    deletion.reached().await;
    running.interrupt();
    running.says("running steps finish").await;
    deletion.release();
    running.ended().await.ends(130).tells(&["hint:", "run the same"]);
    let left = site.objects().await.len();
    assert!((1..300).contains(&left), "{left}");
    site.teardown(&["--delete-objects"]).await.ends(0);
    assert_eq!(site.left().await, serde_json::json!([[], [], []]));
}
