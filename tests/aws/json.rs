//! With `--format json` every line of either stream is JSON; the same on every cloud.

use serde_json::{Map, Value, json};
use wbstore_sandbox::ran::Ran;

use crate::support::{Ends, NAME, Site};

/// Runs it with `--format json` and returns all objects of both streams.
async fn objects(site: &Site, command: &str, arguments: &[&str], code: i32) -> Vec<Map<String, Value>> {
    let ran: Ran = site.run(command, &[&["--format", "json"], arguments].concat()).await.ends(code);
    ran.objects()
}

/// The last object, which must be an error that ends with `code`; its text and its hint.
#[track_caller]
fn error(objects: &[Map<String, Value>], code: i32) -> String {
    let last = objects.last().expect("something is said");
    assert_eq!((&last["event"], &last["exit_code"]), (&json!("error"), &json!(code)), "{last:?}");
    format!("{} {}", last["error"], last["hint"])
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_whole_life_of_a_deployment_is_told_in_objects() {
    let site = Site::open().await;
    let plan = objects(&site, "plan", &["-v"], 0).await;
    assert!(plan[0]["steps"].is_array(), "the plan is one line");
    assert!(plan[1..].iter().all(|record| record["event"] == "request" && record["status"].is_u64()));

    let made = objects(&site, "provision", &["--yes", "-v"], 0).await;
    assert!(
        made[0]["BUCKET"].is_string(),
        "the settings are one line of JSON unless another form is asked for"
    );
    let planned = made.iter().find(|object| object.contains_key("steps")).expect("the plan");
    let finished =
        made.iter().find(|object| object.get("event") == Some(&json!("finished"))).expect("the end");
    assert_eq!(finished["created"], planned["counts"]["create"]);

    objects(&site, "verify", &["--within", "5s", "-v"], 0).await;
    let listed = objects(&site, "list", &["-v"], 0).await;
    assert_eq!(listed[0]["deployments"][0]["name"], NAME);
    let settings = objects(&site, "config", &[], 0).await;
    assert_eq!(settings[0]["BUCKET"], made[0]["BUCKET"]);

    let gone = objects(&site, "teardown", &["--confirm", NAME], 0).await;
    let (planned, finished) = (&gone[0], gone.last().expect("the end"));
    assert_eq!(finished["deleted"], planned["counts"]["delete"], "what goes along counts too");
    let done = gone.iter().filter(|object| object.get("event") == Some(&json!("done"))).count();
    assert_eq!(finished["deleted"], done);
    let again = objects(&site, "teardown", &["--confirm", NAME], 0).await;
    assert_eq!(again.last().expect("a note")["event"], "note");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn every_refusal_is_an_object_with_its_exit_code() {
    let site = Site::open().await;
    assert!(error(&objects(&site, "config", &[], 1).await, 1).contains("wbstore provision"));
    // There is nobody to ask, even at a terminal.
    let unasked = error(&objects(&site, "provision", &[], 2).await, 2);
    assert!(unasked.contains("nothing is asked") && unasked.contains("--yes"), "{unasked}");
    let other = ["--yes", "--expect", "0123456789abcdef0123456789abcdef"];
    assert!(error(&objects(&site, "provision", &other, 3).await, 3).contains("digest"));
    site.provision(&[]).await.ends(0);
    assert!(error(&objects(&site, "teardown", &["--confirm", "beta"], 2).await, 2).contains("--confirm"));
    let none = objects(&site, "teardown", &["--expired", "--confirm", "expired"], 0).await;
    assert_eq!(none[0]["event"], "note");
}
