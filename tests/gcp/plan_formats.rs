//! A plan as text, as JSON and as a pull-request comment.

use jsonschema::validator_for;
use serde_json::{Value, json};

use crate::support::{EVENTS, Ends, NAME, Site};

fn satisfies_the_schema(plan: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../docs/plan.schema.json")).expect("JSON");
    let validator = validator_for(&schema).expect("the schema is one");
    let errors: Vec<_> = validator.iter_errors(plan).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{plan:#}");
}

#[tokio::test]
async fn plans_of_every_kind_satisfy_the_schema() {
    let site = Site::open().await;
    let server = format!("wandb@{}.iam.gserviceaccount.com", site.gcp.project());
    site.gcp.control().account(&server, &[]);
    let first = site.plan(&["--service-account", &server, "--expires", "7d"]).await;
    satisfies_the_schema(&first);
    let addresses: Vec<_> =
        first["steps"].as_array().expect("a list").iter().map(|step| &step["address"]).collect();
    assert_eq!(first["counts"]["create"], 8, "{addresses:?}");
    for address in [format!("gcp/publisher/{EVENTS}"), format!("gcp/signer/{server}")] {
        assert!(addresses.contains(&&json!(address)), "{address} is not in {addresses:?}");
    }
    site.provision(&[]).await.ends(0);
    satisfies_the_schema(&site.plan(&[]).await);
    site.patch_bucket(json!({ "cors": [], "storageClass": "NEARLINE" })).await;
    let drifted = site.plan(&[]).await;
    satisfies_the_schema(&drifted);
    assert_eq!(drifted["counts"]["update"], 1, "{drifted:#}");
    let refused = site.plan(&["--name", "other", "--bucket", &site.bucket]).await;
    satisfies_the_schema(&refused);
    assert_eq!(refused["counts"]["refuse"], 1, "{refused:#}");
    let ran = site.run("teardown", &["--dry-run", "--format", "json"]).await.ends(0);
    satisfies_the_schema(&serde_json::from_str(&ran.stderr).expect("stderr is one JSON document"));
}

#[tokio::test]
async fn an_offline_plan_needs_no_credentials_and_is_what_the_first_online_plan_shows() {
    let site = Site::open().await;
    let number = site.gcp.double().number();
    site.gcp.proxy().clear_journal();
    let nobody = [("GOOGLE_APPLICATION_CREDENTIALS", "")];
    let offline = ["--offline", "--account-id", &number, "--format", "json"];
    let offline = site.run_with(&nobody, "plan", &offline).await.ends(0).json();
    satisfies_the_schema(&offline);
    assert!(site.gcp.proxy().journal().is_empty());
    let online = site.plan(&[]).await;
    assert_eq!(offline["steps"], online["steps"]);
    assert_eq!(offline["digest"], online["digest"]);
    assert!(offline.to_string().contains(&format!("service-{number}@gs-project-accounts")), "{offline:#}");
}

#[tokio::test]
async fn markdown_has_a_graph_and_every_step() {
    let site = Site::open().await;
    let ran = site.run("plan", &["--format", "markdown"]).await.ends(0);
    assert!(ran.stdout.contains("```mermaid\n"), "{ran}");
    let plan = site.plan(&[]).await;
    for step in plan["steps"].as_array().expect("a list") {
        assert!(ran.stdout.contains(step["address"].as_str().expect("text")), "{step} in\n{ran}");
    }
    assert!(ran.stdout.contains(plan["digest"].as_str().expect("text")));
}

#[tokio::test]
async fn text_shows_what_waits_for_what_and_the_fields_of_a_change() {
    let site = Site::open().await;
    let first = site.run("plan", &[]).await.ends(0);
    for parent in [format!("gcp/topic/{EVENTS}"), format!("gcp/bucket/{}", site.bucket)] {
        let waits = |line: &str| line.contains("waits for") && line.contains(&parent);
        assert!(first.stdout.lines().any(waits), "{parent}: {first}");
    }
    site.provision(&[]).await.ends(0);
    site.patch_subscription("ackDeadlineSeconds", json!({ "ackDeadlineSeconds": 10 })).await;
    let drifted = site.run("plan", &[]).await.ends(0);
    let change = |line: &str| line.contains("ack_deadline_seconds:") && line.ends_with(" 10 → 60");
    assert!(drifted.stdout.lines().any(change), "{drifted}");
    assert!(drifted.stdout.contains("0 to create, 1 to change, 0 to delete"), "{drifted}");
}

#[tokio::test]
async fn where_we_differ_from_the_published_guide_the_plan_says_so() {
    let site = Site::open().await;
    let plan = site.run("plan", &[]).await.ends(0).to_string();
    for words in
        ["the guide sets no CORS", "never expires", "--all-events", "--queue internal", "--service-account"]
    {
        assert!(plan.contains(words), "{words:?} is not in\n{plan}");
    }
}

#[tokio::test]
async fn json_on_the_way_is_a_line_an_event_on_stderr() {
    let site = Site::open().await;
    let ran = site.provision(&["--format", "json"]).await.ends(0);
    let events: Vec<Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    satisfies_the_schema(&events[0]);
    let done = events.iter().filter(|event| event["event"] == "done").count();
    assert_eq!(done, 5, "{ran}");
    let last = events.last().expect("there are some");
    assert_eq!((&last["event"], &last["created"]), (&"finished".into(), &5.into()));
    let outputs = ran.json();
    assert_eq!(outputs.as_object().map(serde_json::Map::len), Some(2), "stdout has the outputs: {ran}");
}

#[tokio::test]
async fn the_host_decides_the_name_and_the_name_the_digest() {
    let site = Site::open().await;
    let one = site.plan(&[]).await;
    let other = site.plan(&["--host", "https://wandb.acme.org"]).await;
    assert_ne!(one["digest"], other["digest"]);
    assert_eq!((&one["deployment"], &other["deployment"]), (&json!(NAME), &json!("wandb-acme-org")));
}
