//! Input that looks odd and is fine, and commands that ask nobody.

use crate::support::{Ran, wbstore};

/// The origins that an offline plan for `host` lets in.
fn origin(host: &str, more: &[&str]) -> String {
    let offline = ["--offline", "--account-id", "123456789012", "--format", "json"];
    let Ran { code, stdout, stderr, connected } =
        wbstore(&[&["plan", "aws", "--host", host], &offline[..], more].concat());
    assert_eq!(code, Some(0), "{host}: {stderr}");
    assert!(!connected, "{host}");
    let plan: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    let steps = plan["steps"].as_array().expect("a list");
    let changes = steps.iter().flat_map(|step| step["changes"].as_array().expect("a list"));
    let origins = changes.filter(|change| change["field"] == "allowed_origins");
    let origins: Vec<_> = origins.map(|change| change["new"][0].as_str().expect("text").to_owned()).collect();
    assert_eq!(origins.len(), 1, "{host}");
    origins.concat()
}

#[test]
fn hosts_become_what_browsers_send() {
    for (host, sent) in [
        ("https://wandb.acme.com", "https://wandb.acme.com"),
        ("https://wandb.acme.com/", "https://wandb.acme.com"),
        ("HTTPS://WandB.Acme.COM", "https://wandb.acme.com"),
        ("https://wandb.acme.com:443", "https://wandb.acme.com"),
        ("https://wandb.acme.com:8443", "https://wandb.acme.com:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://[2001:DB8::1]:8080", "https://[2001:db8::1]:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1", "http://127.0.0.1"),
    ] {
        assert_eq!(origin(host, &[]), sent);
    }
}

#[test]
fn a_host_without_tls_is_accepted_when_asked_for() {
    assert_eq!(origin("http://wandb.acme.com", &["--allow-http"]), "http://wandb.acme.com");
}

#[test]
fn completions_and_the_manual_need_nothing() {
    for arguments in [&["completions", "bash"][..], &["completions", "zsh"], &["man"]] {
        let ran = wbstore(arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stdout.contains("wbstore"), "{arguments:?}");
        assert!(!ran.connected);
    }
}

/// The outputs of an offline plan on `cloud`.
fn outputs(cloud: &str, account: &str, more: &[&str]) -> Vec<(String, String)> {
    let shared =
        ["--host", "https://wandb.acme.com", "--offline", "--account-id", account, "--format", "json"];
    let ran = wbstore(&[&["plan", cloud], &shared[..], more].concat());
    assert_eq!(ran.code, Some(0), "{more:?}: {}", ran.stderr);
    assert!(!ran.connected, "{more:?}");
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let lines = plan["outputs"].as_array().expect("a list");
    lines.iter().map(|line| (text(&line["name"]), text(&line["value"]))).collect()
}

#[test]
fn a_plan_for_google_cloud_needs_nobody() {
    let plan = |more: &[&str]| outputs("gcp", "123456789012", &[&["--project", "acme-prod"], more].concat());
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let named =
        ["--bucket=acme_wandb", "--topic=up.loads~1", "--subscription=Wandb+1", "--location=europe-west10"];
    assert_eq!(
        plan(&named),
        [line("BUCKET", "gs://acme_wandb"), line("BUCKET_QUEUE", "pubsub:/acme-prod/up.loads~1/Wandb+1")]
    );
    let internal = plan(&["--queue=internal", "--soft-delete=0", "--location=nam4"]);
    assert_eq!(internal[1], line("BUCKET_QUEUE", "internal://"));
    assert_eq!(plan(&["--location=us"]), plan(&[]));
}

#[test]
fn a_plan_for_azure_needs_nobody_and_names_no_key() {
    let id = "0B1F6471-1bf0-4dda-aec3-cb9272f09590";
    let plan = |more: &[&str]| outputs("azure", id, &[&["--resource-group", "Acme_(prod)"], more].concat());
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let named = [
        "--account=acme1",
        "--container=files",
        "--queue=uploads",
        "--location=West Europe",
        "--dead-letter",
    ];
    assert_eq!(
        plan(&named),
        [line("BUCKET", "az://acme1/files"), line("BUCKET_QUEUE", "az://acme1/uploads")]
    );
    let internal = plan(&["--account=acme1", "--queue=internal"]);
    assert_eq!(internal[1], line("BUCKET_QUEUE", "internal://"));
    assert_eq!(plan(&["--message-ttl=168h"]), plan(&["--message-ttl=7d"]));
}

#[test]
fn permissions_are_printed_without_asking() {
    for (cloud, place) in [
        ("aws", &["--account-id", "123456789012"][..]),
        ("gcp", &["--account-id", "123456789012", "--project", "acme-prod"]),
        ("azure", &["--account-id", "0b1f6471-1bf0-4dda-aec3-cb9272f09590", "--resource-group", "acme"]),
    ] {
        for whom in [
            &["--for", "node", "--name", "acme"][..],
            &["--for", "operator", "--name", "acme"],
            &["--for", "operator", "--expired"],
        ] {
            let ran = wbstore(&[&["policy", cloud, "--offline"], whom, place].concat());
            assert_eq!(ran.code, Some(0), "{cloud} {whom:?}: {}", ran.stderr);
            assert!(!ran.stdout.is_empty() && !ran.connected, "{cloud} {whom:?}");
        }
    }
}

#[test]
fn every_command_has_help() {
    for (cloud, option) in [("aws", "--region"), ("gcp", "--project"), ("azure", "--subscription")] {
        for command in ["plan", "provision", "verify", "teardown", "list", "policy", "config"] {
            let ran = wbstore(&[command, cloud, "--help"]);
            assert_eq!(ran.code, Some(0), "{command} {cloud}");
            assert!(ran.stdout.contains(option), "{command} {cloud}");
        }
    }
}
