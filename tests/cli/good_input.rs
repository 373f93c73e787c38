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
        assert!(ran.stdout.contains("wbstore") && ran.stdout.contains("teardown"), "{arguments:?}");
        assert!(!ran.connected);
    }
}

#[test]
fn every_command_has_help() {
    for command in ["plan", "provision", "verify", "teardown", "list", "policy", "config"] {
        let ran = wbstore(&[command, "aws", "--help"]);
        assert_eq!(ran.code, Some(0), "{command}");
        assert!(ran.stdout.contains("--region"), "{command}");
    }
}
