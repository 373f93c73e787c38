//! A plan as text, as JSON and as a pull-request comment.

use jsonschema::validator_for;
use serde_json::Value;

use crate::support::{Ends, HOST, Site, finish};

fn satisfies_the_schema(plan: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../docs/plan.schema.json")).expect("JSON");
    let validator = validator_for(&schema).expect("the schema is one");
    let errors: Vec<_> = validator.iter_errors(plan).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{plan:#}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn plans_of_every_kind_satisfy_the_schema() {
    let site = Site::open().await;
    let first = site.plan(&["--notifications-queue", "--expires", "7d"]).await;
    satisfies_the_schema(&first);
    assert_eq!(first["counts"]["create"], 8);
    site.provisioned().await;
    satisfies_the_schema(&site.plan(&[]).await);
    site.boto("s3.delete_bucket_cors(Bucket=bucket)").await;
    let drifted = site.plan(&[]).await;
    satisfies_the_schema(&drifted);
    assert_eq!(drifted["counts"]["create"], 1);
    let refused = site.plan(&["--name", "other", "--bucket", &site.bucket]).await;
    satisfies_the_schema(&refused);
    assert_eq!(refused["counts"]["refuse"], 2, "the bucket, and an entry for the same events");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_plan_of_a_teardown_on_stderr_satisfies_the_schema() {
    let site = Site::open().await;
    site.provisioned().await;
    let ran = site.run("teardown", &["--dry-run", "--format", "json"]).await.ends(0);
    satisfies_the_schema(&serde_json::from_str(&ran.stderr).expect("stderr is one JSON document"));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_offline_plan_needs_no_credentials_and_sends_nothing() {
    let site = Site::open().await;
    site.aws.proxy().clear_journal();
    let nobody = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let offline = ["--offline", "--account-id", "123456789012", "--format", "json"];
    let plan = site.run_with(&nobody, "plan", &offline).await.ends(0).json();
    satisfies_the_schema(&plan);
    assert_eq!(plan["counts"]["create"], 7);
    assert!(plan.to_string().contains("arn:aws:sqs:us-east-1:123456789012:"), "{plan:#}");
    assert!(site.aws.proxy().journal().is_empty());
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_offline_plan_is_what_the_first_online_plan_shows() {
    let site = Site::open().await;
    let account = site.account();
    let offline = site.plan(&["--offline", "--account-id", account]).await;
    let online = site.plan(&[]).await;
    assert_eq!(offline["steps"], online["steps"]);
    assert_eq!(offline["digest"], online["digest"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn online_and_offline_take_the_region_from_the_same_variables() {
    let site = Site::open().await;
    let plan = async |variables: [(&str, &str); 2], more: &[&str]| {
        let mut process = site.aws.wbstore();
        process.args(["plan", "aws", "--host", HOST, "--format", "json"]).args(more).envs(variables);
        finish(process).await.ends(0).json()
    };
    for (variables, region) in [
        ([("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-west-2")], "eu-west-1"),
        ([("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "eu-west-2")], "eu-west-2"),
        ([("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "")], "us-east-1"),
    ] {
        let online = plan(variables, &[]).await;
        let offline = plan(variables, &["--offline", "--account-id", site.account()]).await;
        let place = format!(", {region}, custom endpoint ");
        assert!(online["scope"].as_str().is_some_and(|scope| scope.contains(&place)), "{online:#}");
        assert_eq!(offline["scope"], online["scope"]);
        assert_eq!(offline["outputs"], online["outputs"]);
        let configured = region != "us-east-1";
        assert_eq!(offline["digest"] == online["digest"], configured, "an assumed region makes no digest");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn other_partitions_have_their_own_arns() {
    let site = Site::open().await;
    for (region, partition) in [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")] {
        let offline = ["--offline", "--account-id", "123456789012", "--region", region];
        let plan = site.plan(&offline).await.to_string();
        assert!(plan.contains(&format!("arn:{partition}:sqs:{region}:123456789012:")), "{plan}");
        assert!(plan.contains(&format!("arn:{partition}:s3:::")), "{plan}");
        assert!(!plan.contains("arn:aws:"), "{plan}");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn credentials_of_another_partition_are_refused() {
    let site = Site::open().await;
    let ran = site.run("plan", &["--region", "cn-north-1"]).await.ends(2);
    ran.tells(&["`aws-cn`", "`aws`", "hint:"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
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
#[ignore = "needs the emulators: cargo sandbox test"]
async fn text_shows_what_waits_for_what_and_the_fields_of_a_change() {
    let site = Site::open().await;
    let first = site.run("plan", &[]).await.ends(0);
    assert!(first.stdout.contains(&format!("waits for aws/bucket/{}", site.bucket)), "{first}");
    site.provisioned().await;
    site.boto("sqs.set_queue_attributes(QueueUrl=url(queue), Attributes={'MessageRetentionPeriod': '60'})")
        .await;
    let drifted = site.run("plan", &[]).await.ends(0);
    let change = |line: &str| line.contains("retention_seconds:") && line.ends_with(" 60 → 1209600");
    assert!(drifted.stdout.lines().any(change), "{drifted}");
    assert!(drifted.stdout.contains("0 to create, 1 to change, 0 to delete"), "{drifted}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn json_on_the_way_is_a_line_an_event_on_stderr() {
    let site = Site::open().await;
    let ran = site.provision(&["--format", "json"]).await.ends(0);
    let events: Vec<Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    satisfies_the_schema(&events[0]);
    let done = events.iter().filter(|event| event["event"] == "done").count();
    assert_eq!(done, 7, "{ran}");
    let last = events.last().expect("there are some");
    assert_eq!((&last["event"], &last["created"]), (&"finished".into(), &7.into()));
    let outputs = ran.json();
    assert_eq!(outputs.as_object().map(serde_json::Map::len), Some(3), "stdout has the outputs: {ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_host_decides_the_name_and_the_name_the_digest() {
    let site = Site::open().await;
    let one = site.plan(&[]).await;
    let other = site.plan(&["--host", "https://wandb.acme.org"]).await;
    assert_ne!(one["digest"], other["digest"], "{HOST}");
    assert_eq!(other["deployment"], "wandb-acme-org");
}
