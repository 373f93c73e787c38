//! A plan as text, as JSON and as a pull-request comment; the events of a run.

use std::collections::BTreeSet;

use jsonschema::validator_for;
use serde_json::{Map, Value, json};
use wbstore_sandbox::cloud::{Cloud, HOST, NAME, PROVISION, TEARDOWN};
use wbstore_sandbox::person::Person;

use crate::support::{changes, plan, provision, provisioned, steps, teardown};

fn satisfies_the_schema(plan: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../docs/plan.schema.json")).expect("JSON");
    let validator = validator_for(&schema).expect("the schema is one");
    let errors: Vec<_> = validator.iter_errors(plan).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{plan:#}");
}

/// How many steps of a plan do this.
fn count(plan: &Value, action: &str) -> usize {
    steps(plan).iter().filter(|step| step["action"] == action).count()
}

pub async fn plans_of_every_kind_satisfy_the_schema<C: Person>() {
    let cloud = C::fresh().await;
    let first = plan(&cloud, &["--expires", "7d"]).await;
    satisfies_the_schema(&first);
    assert_eq!(first["counts"]["create"], count(&first, "create"), "{first:#}");
    provision(&cloud, &[]).await;
    satisfies_the_schema(&plan(&cloud, &[]).await);
    cloud.set(C::SETTING[1]).await.expect("it is there");
    let drifted = plan(&cloud, &[]).await;
    satisfies_the_schema(&drifted);
    assert_eq!((&drifted["counts"]["update"], count(&drifted, "update")), (&json!(1), 1), "{drifted:#}");
    cloud.remark(&C::MARKS[0]).await.expect("it is there");
    let refused = plan(&cloud, &[]).await;
    satisfies_the_schema(&refused);
    assert_ne!(count(&refused, "refuse"), 0, "{refused:#}");
    assert_eq!(refused["counts"]["refuse"], count(&refused, "refuse"), "{refused:#}");
    let ran = provisioned::<C>().await.run("teardown", &["--dry-run", "--format", "json"]).await.ends(0);
    satisfies_the_schema(&ran.planned());
}

/// The variables that have credentials.
const CREDENTIALS: [&str; 4] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "GOOGLE_APPLICATION_CREDENTIALS"];

pub async fn an_offline_plan_needs_no_credentials_and_is_what_the_first_online_plan_shows<C: Cloud>() {
    let cloud = C::fresh().await;
    cloud.proxy().clear_journal();
    let account = cloud.account_id();
    let arguments = ["--offline", "--account-id", &account, "--format", "json"];
    let mut command = cloud.command("plan", &arguments);
    for variable in CREDENTIALS {
        command.env_remove(variable);
    }
    let offline = wbstore_sandbox::ran::finish(command).await.ends(0).json();
    satisfies_the_schema(&offline);
    assert!(cloud.proxy().journal().is_empty());
    let online = plan(&cloud, &[]).await;
    // A plan that assumes something has no digest, as on Azure.
    if C::CLOUD == "azure" {
        assert_eq!(offline.get("digest"), None);
    } else {
        assert_eq!(offline["steps"], online["steps"]);
        assert_eq!(offline["digest"], online["digest"]);
    }
}

pub async fn markdown_has_a_graph_and_every_step<C: Cloud>() {
    let cloud = C::fresh().await;
    let ran = cloud.run("plan", &["--format", "markdown"]).await.ends(0);
    assert!(ran.stdout.contains("```mermaid\n"), "{ran}");
    let plan = plan(&cloud, &[]).await;
    for step in steps(&plan) {
        assert!(ran.stdout.contains(step["address"].as_str().expect("text")), "{step} in\n{ran}");
    }
    assert!(ran.stdout.contains(plan["digest"].as_str().expect("text")));
}

pub async fn text_shows_what_waits_for_what_and_the_fields_of_a_change<C: Person>() {
    let cloud = C::fresh().await;
    let first = cloud.run("plan", &["--verbose"]).await.ends(0);
    let plan = plan(&cloud, &[]).await;
    let parents = steps(&plan).iter().flat_map(|step| step["waits_for"].as_array().expect("a list"));
    let parents: Vec<_> = parents.map(|parent| parent.as_str().expect("an address")).collect();
    assert!(!parents.is_empty(), "{plan:#}");
    for parent in parents {
        let waits = |line: &str| line.contains("waits for") && line.contains(parent);
        assert!(first.stdout.lines().any(waits), "{parent}: {first}");
    }
    provision(&cloud, &[]).await;
    cloud.set(C::SETTING[1]).await.expect("it is there");
    let drifted = cloud.run("plan", &[]).await.ends(0);
    let plan = self::plan(&cloud, &[]).await;
    let [change] = changes(&plan)[..] else { panic!("{plan:#}") };
    let [ours, others, _] = C::SETTING;
    assert_eq!([&change["old"], &change["new"]].map(text), [others, ours]);
    let line = format!(" {} -> {}", change["old"], change["new"]);
    let field = format!("{}:", text(&change["field"]));
    let shown = |text: &str| text.contains(&field) && text.ends_with(&line);
    assert!(drifted.stdout.lines().any(shown), "{drifted}");
    assert!(drifted.stdout.contains("0 to create, 1 to update, 0 to delete"), "{drifted}");
}

/// A value as people read it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub async fn the_host_decides_the_name_and_the_name_the_digest<C: Cloud>() {
    let cloud = C::fresh().await;
    let one = plan(&cloud, &[]).await;
    let arguments = ["--host", "https://wandb.acme.org", "--format", "json"];
    let other = cloud.run_on("plan", &arguments).await.ends(0).json();
    assert_ne!(one["digest"], other["digest"], "{HOST}");
    assert_eq!((&one["deployment"], &other["deployment"]), (&json!(NAME), &json!("wandb-acme-org")));
}

pub async fn json_on_the_way_is_a_line_an_event_on_stderr<C: Cloud>() {
    let cloud = C::fresh().await;
    let ran = provision(&cloud, &["--format", "json"]).await;
    let events: Vec<Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let plan = ran.planned();
    satisfies_the_schema(&plan);
    let planned = &plan["counts"]["create"];
    assert_ne!(*planned, 0);
    let done = events.iter().filter(|event| event["event"] == "done").count();
    assert_eq!(*planned, done, "{ran}");
    let last = events.last().expect("there are some");
    assert_eq!((&last["event"], &last["created"]), (&"finished".into(), planned));
    let outputs = ran.json();
    let all = cloud.run("config", &["--output", "env"]).await.ends(0);
    let all = all.outputs().len();
    assert_eq!(outputs.as_object().map(Map::len), Some(all), "stdout has the outputs: {ran}");
}

/// Runs it with `--format json` and returns all objects of both streams.
async fn objects<C: Cloud>(cloud: &C, verb: &str, more: &[&str], code: i32) -> Vec<Map<String, Value>> {
    cloud.run(verb, &[&["--format", "json"], more].concat()).await.ends(code).objects()
}

/// The last object, which must be an error that ends with `code`; its text and its hint.
#[track_caller]
fn error(objects: &[Map<String, Value>], code: i32) -> String {
    let last = objects.last().expect("something is said");
    assert_eq!((&last["event"], &last["exit_code"]), (&json!("error"), &json!(code)), "{last:?}");
    format!("{} {}", last["error"], last["hint"])
}

/// With `--format json` every line of either stream is JSON.
pub async fn the_whole_life_of_a_deployment_is_told_in_objects<C: Cloud>() {
    let cloud = C::fresh().await;
    let plan = objects(&cloud, "plan", &["-v"], 0).await;
    assert!(plan[0]["steps"].is_array(), "the plan is one line");
    let is_known = |record: &Map<String, Value>| match record["event"].as_str() {
        Some("request") => record["status"].is_u64(),
        // What takes longer than a second says so.
        event => event == Some("waiting"),
    };
    assert!(plan[1..].iter().all(is_known), "{plan:?}");

    let made = objects(&cloud, "provision", &[PROVISION, &["-v"]].concat(), 0).await;
    assert!(
        made[0]["BUCKET"].is_string(),
        "the settings are one line of JSON unless another form is asked for"
    );
    let planned = made.iter().find(|object| object.contains_key("steps")).expect("the plan");
    let finished =
        made.iter().find(|object| object.get("event") == Some(&json!("finished"))).expect("the end");
    assert_eq!(finished["created"], planned["counts"]["create"]);

    objects(&cloud, "verify", &["-v"], 0).await;
    let listed = cloud.run_on("list", &["--format", "json", "-v"]).await.ends(0).objects();
    assert_eq!(listed[0]["deployments"][0]["name"], NAME);
    let settings = objects(&cloud, "config", &[], 0).await;
    assert_eq!(settings[0]["BUCKET"], made[0]["BUCKET"]);

    let gone = objects(&cloud, "teardown", TEARDOWN, 0).await;
    let planned = gone.iter().find(|object| object.contains_key("steps")).expect("the plan");
    let finished = gone.last().expect("the end");
    assert_eq!(finished["deleted"], planned["counts"]["delete"], "what goes along counts too");
    let done = gone.iter().filter(|object| object.get("event") == Some(&json!("done"))).count();
    assert_eq!(finished["deleted"], done);
    let again = objects(&cloud, "teardown", TEARDOWN, 0).await;
    assert_eq!(again.last().expect("a note")["event"], "note");
}

pub async fn every_refusal_is_an_object_with_its_exit_code<C: Cloud>() {
    let cloud = C::fresh().await;
    assert!(error(&objects(&cloud, "config", &[], 1).await, 1).contains("wbstore provision"));
    // There is nobody to ask, even at a terminal.
    let unasked = error(&objects(&cloud, "provision", &[], 2).await, 2);
    assert!(unasked.contains("does not ask for confirmation") && unasked.contains("--yes"), "{unasked}");
    let other = ["--yes", "--expect", "0123456789abcdef0123456789abcdef"];
    assert!(error(&objects(&cloud, "provision", &other, 3).await, 3).contains("digest"));
    provision(&cloud, &[]).await;
    assert!(error(&objects(&cloud, "teardown", &["--confirm", "beta"], 2).await, 2).contains("--confirm"));
    let expired = ["--expired", "--confirm", "expired", "--format", "json"];
    let none = cloud.run_on("teardown", &expired).await.ends(0).objects();
    assert!(none.iter().any(|object| object["event"] == "note"), "{none:?}");
}

/// A reviewed plan is recognised by its digest for as long as it would do the same.
pub async fn uploads_into_a_bucket_that_is_not_empty_leave_the_digest_as_it_is<C: Cloud>() {
    let cloud = provisioned::<C>().await;
    let reviewed = async || {
        let dry = ["--dry-run", "--delete-objects", "--format", "json"];
        let ran = cloud.run("teardown", &dry).await.ends(0);
        ran.planned()["digest"].as_str().expect("it has one").to_owned()
    };
    let empty = reviewed().await;
    cloud.fill(1, 1).await;
    let digest = reviewed().await;
    assert_ne!(empty, digest, "deleting data is more than deleting an empty bucket");
    cloud.fill(2, 1).await;
    teardown(&cloud, &["--delete-objects", "--expect", &empty]).await.ends(3).tells(&["digest is"]);
    teardown(&cloud, &["--delete-objects", "--expect", &digest]).await.ends(0);
}

/// Each request that was sent is in the data with what it was sent for, and the chain of them is as long as the
/// longest that had to follow each other.
pub async fn the_times_of_a_run_have_each_of_its_requests<C: Cloud>() {
    let cloud = C::fresh().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.json");
    // What a former run has written goes.
    std::fs::write(&file, "x".repeat(1 << 20)).expect("it is written");
    let timings = ["--timings", file.to_str().expect("UTF-8")];
    cloud.proxy().clear_journal();
    cloud.run("provision", &[PROVISION, &timings].concat()).await.ends(0);
    let sent = cloud.proxy().counts().requests;
    let run: Value = serde_json::from_slice(&std::fs::read(&file).expect("it is there")).expect("JSON");
    let requests = run["requests"].as_array().expect("a list");
    let kept = requests.len();
    assert!(kept >= sent && run["exit_code"] == 0 && run["omitted"] == 0, "{kept} of {sent}: {run:#}");
    let phases: BTreeSet<_> = requests.iter().filter_map(|request| request["phase"].as_str()).collect();
    assert!(["plan", "apply"].iter().all(|phase| phases.contains(phase)), "{phases:?}");
    let number = |request: &Value, field: &str| request[field].as_u64().expect("a number");
    for request in requests {
        let Some(after) = request["after"].as_u64() else { continue };
        let after = &requests[usize::try_from(after).expect("a small number")];
        let end = number(after, "start_ms") + number(after, "took_ms");
        assert_eq!(number(request, "start_ms"), end + number(request, "wait_ms"), "{request:#}");
        assert_eq!(number(request, "trip"), number(after, "trip") + 1, "{request:#}");
    }
    let trips = requests.iter().map(|request| number(request, "trip")).max();
    assert_eq!(run["trips"].as_u64(), trips);
}

/// A file that cannot be written is found before the first request.
pub async fn times_that_cannot_be_kept_are_refused_at_once<C: Cloud>() {
    let cloud = C::fresh().await;
    cloud.proxy().clear_journal();
    for (file, words) in
        [("run.txt", ".html or .json"), ("/no/such/folder/run.html", "cannot write the timings")]
    {
        let ran = cloud.run("provision", &[PROVISION, &["--timings", file]].concat()).await.ends(2);
        assert!(ran.stderr.contains(words), "{ran}");
    }
    assert!(cloud.proxy().journal().is_empty());
}
