//! `--offline`: the place that an online run would use, without a request.

use std::fs;

use serde_json::Value;

use crate::support::{Ran, is_refused, wbstore_with};

const HOST: &str = "--host=https://wandb.acme.com";
const ACCOUNT: &str = "--account-id=123456789012";
const SUBSCRIPTION: &str = "0b1f6471-1bf0-4dda-aec3-cb9272f09590";
const OTHER: &str = "0b1f6471-1bf0-4dda-aec3-cb9272f09599";

/// Runs it offline, which must succeed without a request.
#[track_caller]
fn offline(variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let ran = wbstore_with(variables, &[arguments, &["--offline"]].concat());
    assert_eq!(ran.code, Some(0), "{arguments:?} with {variables:?}: {}", ran.stderr);
    assert!(!ran.connected, "{arguments:?} sent a request");
    ran
}

/// The plan without the endpoint, which each run has to itself, and the digest that follows from it.
#[track_caller]
fn plan(variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    let arguments = [&["plan"], arguments, &[HOST, "--format=json"]].concat();
    let mut plan: Value = serde_json::from_str(&offline(variables, &arguments).stdout).expect("JSON");
    let scope = plan["scope"].as_str().expect("text").split(", custom endpoint").next().map(str::to_owned);
    plan["scope"] = scope.into();
    plan.as_object_mut().expect("an object").remove("digest");
    plan
}

fn output<'a>(plan: &'a Value, name: &str) -> &'a str {
    let outputs = plan["outputs"].as_array().expect("a list");
    let line = outputs.iter().find(|line| line["name"] == name).expect("an output");
    line["value"].as_str().expect("text")
}

#[test]
fn the_region_is_that_of_the_aws_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config");
    let profiles = "[default]\nregion = eu-central-1\n[profile base]\nregion = eu-north-1\n\
                    [profile acme]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\n";
    fs::write(&path, profiles).expect("a file");
    let config = ("AWS_CONFIG_FILE", path.to_str().expect("text"));
    let acme = ("AWS_PROFILE", "acme");
    for (variables, more, region) in [
        (&[("AWS_REGION", "eu-west-1"), config][..], &[][..], "eu-west-1"),
        (&[("AWS_DEFAULT_REGION", "eu-west-2")], &[], "eu-west-2"),
        (&[("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-west-2")], &[], "eu-west-1"),
        (&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "eu-west-2")], &[], "eu-west-2"),
        (&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", ""), config], &[], "eu-central-1"),
        (&[config], &[], "eu-central-1"),
        (&[config, acme], &[], "eu-north-1"),
        (&[config, acme, ("AWS_REGION", "eu-west-1")], &["--region=sa-east-1"], "sa-east-1"),
    ] {
        let plan = plan(variables, &[&["aws", ACCOUNT], more].concat());
        assert_eq!(output(&plan, "AWS_REGION"), region, "{variables:?}");
        assert!(!plan["notes"].to_string().contains("no region is configured"), "{plan:#}");
        let bucket = output(&plan, "BUCKET").trim_start_matches("s3://");
        let policy =
            offline(variables, &[&["policy", "aws", HOST, ACCOUNT, "--for=operator"], more].concat()).stdout;
        assert!(policy.contains(&format!("arn:aws:s3:::{bucket}")), "{variables:?}: {policy}");
        assert!(policy.contains(&format!("arn:aws:sqs:{region}:123456789012:")), "{variables:?}: {policy}");
    }
}

#[test]
fn a_region_that_nothing_names_is_assumed_and_the_machine_is_not_asked() {
    const NOTE: &str = "no region is configured, so us-east-1 is used";
    let endpoint = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    endpoint.set_nonblocking(true).expect("a socket that does not block");
    let url = format!("http://{}", endpoint.local_addr().expect("its address"));
    let machine =
        [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str())];
    let plan = plan(&machine, &["aws", ACCOUNT]);
    assert_eq!(output(&plan, "AWS_REGION"), "us-east-1");
    assert!(plan["notes"].to_string().contains(NOTE), "{plan:#}");
    let policy = offline(&machine, &["policy", "aws", HOST, ACCOUNT, "--for=node"]);
    assert!(policy.stderr.contains(NOTE), "{}", policy.stderr);
    assert!(endpoint.accept().is_err(), "the instance metadata service was asked");
}

#[test]
fn a_place_that_is_not_listed_is_used_with_a_warning() {
    let azure = [&["azure", "--resource-group=acme", "--subscription"], &[SUBSCRIPTION][..]].concat();
    for (cloud, place, suggestion) in [
        (&["aws", ACCOUNT, "--region"][..], "us-esat-1", "did you mean `us-east-1`?"),
        (&["gcp", ACCOUNT, "--project=acme-prod", "--location"], "us-esat1", "did you mean `US-EAST1`?"),
        (&[&azure[..], &["--location"]].concat(), "westeurpoe", "did you mean `westeurope`?"),
    ] {
        let notes = plan(&[], &[cloud, &[place]].concat())["notes"].to_string();
        assert!(notes.contains(suggestion), "{place}: {notes}");
    }
}

#[test]
fn a_configured_region_that_cannot_be_is_rejected_with_its_source() {
    for (variable, region) in [("AWS_REGION", "mars"), ("AWS_DEFAULT_REGION", "eu-west")] {
        let ran = wbstore_with(&[(variable, region)], &["plan", "aws", HOST, "--offline", ACCOUNT]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(region) && ran.stderr.contains("hint:"), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("{variable}: ")), "{}", ran.stderr);
    }
}

#[test]
fn the_project_is_that_of_the_environment() {
    let plan = |variables: &[_], more: &[&str]| plan(variables, &[&["gcp", ACCOUNT], more].concat());
    let by_option = plan(&[], &["--project=acme-prod"]);
    let by_variable = plan(&[("GOOGLE_CLOUD_PROJECT", "acme-prod")], &[]);
    assert_eq!(by_option, by_variable);
    assert_eq!(plan(&[("GOOGLE_CLOUD_PROJECT", "acme-test")], &["--project=acme-prod"]), by_option);
    let project = [("GOOGLE_CLOUD_PROJECT", "acme-prod")];
    let policy = offline(&project, &["policy", "gcp", HOST, ACCOUNT, "--for=node"]);
    assert!(policy.stderr.contains("service agent"), "{}", policy.stderr);
}

#[test]
fn the_subscription_is_the_account_on_azure() {
    let variable = [("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)];
    let subscription = format!("--subscription={SUBSCRIPTION}");
    let account = format!("--account-id={}", SUBSCRIPTION.to_uppercase());
    let plan = |variables: &[_], more: &[&str]| {
        plan(variables, &[&["azure", "--resource-group=acme"], more].concat())
    };
    let by_account = plan(&[], &[&account]);
    assert!(by_account["scope"].to_string().contains(SUBSCRIPTION), "{by_account:#}");
    assert_eq!(plan(&[], &[&subscription]), by_account);
    assert_eq!(plan(&variable, &[]), by_account);
    assert_eq!(plan(&variable, &[&account, &subscription]), by_account);
    assert_eq!(plan(&[("AZURE_SUBSCRIPTION_ID", OTHER)], &[&subscription]), by_account);
}

#[test]
fn two_subscriptions_are_a_contradiction() {
    let azure = ["--resource-group=acme", "--offline", HOST];
    let account = format!("--account-id={OTHER}");
    let subscription = format!("--subscription={SUBSCRIPTION}");
    for command in [&["plan", "azure"][..], &["policy", "azure", "--for=node"]] {
        let said = is_refused(&[command, &azure, &[&account, &subscription]].concat());
        assert!(said.contains(SUBSCRIPTION) && said.contains(OTHER), "{said}");
        let variable = [("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)];
        let ran = wbstore_with(&variable, &[command, &azure, &[&account]].concat());
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains("AZURE_SUBSCRIPTION_ID"), "{}", ran.stderr);
        assert!(!ran.connected && ran.stdout.is_empty());
    }
}

#[test]
fn an_account_that_is_missing_is_asked_for() {
    let asked = is_refused(&["plan", "aws", HOST, "--offline"]);
    assert!(asked.contains("--account-id") && asked.contains("aws sts get-caller-identity"), "{asked}");
    let asked = is_refused(&["plan", "gcp", HOST, "--offline", "--project=acme-prod"]);
    assert!(asked.contains("--account-id") && asked.contains("gcloud projects describe"), "{asked}");
    let asked = is_refused(&["plan", "azure", HOST, "--offline", "--resource-group=acme"]);
    assert!(asked.contains("--subscription"), "{asked}");
}
