//! What an offline plan says of where it would be applied, and whether it has a digest.

use serde_json::Value;

use crate::support::{Ran, run, wbstore_with};

const HOST: [&str; 2] = ["--host", "https://wandb.acme.com"];
const AWS: [&str; 5] = ["--offline", "--account-id", "123456789012", "--region", "eu-west-1"];
const GCP: [&str; 5] = ["--offline", "--account-id", "123456789012", "--project", "acme-prod"];
const AZURE: [&str; 7] = [
    "--offline",
    "--account-id",
    "0b1f6471-1bf0-4dda-aec3-cb9272f09590",
    "--resource-group",
    "acme",
    "--location",
    "westeurope",
];
/// No endpoint but the vendors' own.
const VENDORS: [(&str, &str); 4] = [
    ("AWS_ENDPOINT_URL", ""),
    ("STORAGE_EMULATOR_HOST", ""),
    ("PUBSUB_EMULATOR_HOST", ""),
    ("AZURE_AUTHORITY_HOST", "login.microsoftonline.com"),
];

/// What an offline plan on `cloud` prints in `format`, with these variables or, where empty, without.
#[track_caller]
fn plan(env: &[(&str, &str)], cloud: &str, place: &[&str], format: &str) -> String {
    let arguments = [&["plan", cloud], &HOST[..], place, &["--format", format]].concat();
    let Ran { code, stdout, stderr, connected } = run(|process| {
        process.args(arguments);
        for (name, value) in env {
            match *value {
                "" => process.env_remove(name),
                value => process.env(name, value),
            };
        }
    });
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!connected, "it sent a request");
    stdout
}

#[track_caller]
fn json(env: &[(&str, &str)], cloud: &str, place: &[&str]) -> Value {
    serde_json::from_str(&plan(env, cloud, place, "json")).expect("JSON")
}

#[test]
fn a_custom_endpoint_is_in_the_head_of_the_plan_and_one_with_a_password_is_rejected() {
    const CUSTOM: &str = "https://storage.example/path";
    let blobs = ["--blob-endpoint", "https://storage.example/path"];
    for (cloud, variable, place) in [
        ("aws", "AWS_ENDPOINT_URL_S3", &AWS[..]),
        ("gcp", "STORAGE_EMULATOR_HOST", &GCP),
        ("azure", "", &[&AZURE[..], &blobs].concat()),
    ] {
        let custom = [("AWS_ENDPOINT_URL", ""), (variable, CUSTOM)];
        let env = if variable.is_empty() { &[][..] } else { &custom };
        for format in ["human", "markdown", "json"] {
            let text = plan(env, cloud, place, format);
            let mut lines = text.lines().filter(|line| line.contains(" in ") || line.contains("\"scope\""));
            let head = lines.next().expect("a head");
            // No link is made of it in Markdown.
            let head = head.replace("&#58;", ":");
            assert!(head.contains("custom endpoint https://storage.example/path"), "{text}");
        }
        assert!(!plan(&VENDORS, cloud, place, "human").contains("custom endpoint") || cloud == "azure");
    }
    for (cloud, variable) in [("aws", "AWS_ENDPOINT_URL"), ("gcp", "STORAGE_EMULATOR_HOST")] {
        for secret in ["https://me:hunter2@storage.example", "https://storage.example?sig=hunter2"] {
            let place = if cloud == "aws" { &AWS[..] } else { &GCP };
            let arguments = [&["plan", cloud, "--host=https://wandb.acme.com"], place].concat();
            let ran = wbstore_with(&[(variable, secret)], &arguments);
            assert_eq!(ran.code, Some(2), "{}", ran.stderr);
            assert!(ran.stderr.contains(variable) && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_custom_endpoint_makes_another_digest() {
    for (cloud, place, custom) in [
        ("aws", &AWS[..], ("AWS_ENDPOINT_URL_SQS", "https://queues.example")),
        ("gcp", &GCP, ("PUBSUB_EMULATOR_HOST", "https://queues.example")),
    ] {
        let vendors = json(&VENDORS, cloud, place);
        let elsewhere = json(&[&VENDORS[..], &[custom]].concat(), cloud, place);
        assert_eq!(vendors["steps"], elsewhere["steps"]);
        assert_ne!(vendors["digest"], elsewhere["digest"]);
        assert!(!vendors["scope"].as_str().expect("text").contains("custom"), "{vendors:#}");
    }
}

#[test]
fn a_plan_that_assumes_something_has_no_digest() {
    let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].map(|name| (name, ""));
    for (cloud, place, assumed) in [
        ("aws", &AWS[..3], "no region is configured"),
        ("azure", &AZURE[..], "registration of the resource providers"),
        ("azure", &AZURE[..5], "the account's location"),
    ] {
        let document = json(&region, cloud, place);
        assert_eq!(document.get("digest"), None, "{cloud}");
        let notes = document["notes"].as_array().expect("a list");
        assert!(
            notes.iter().any(|note| note.as_str().is_some_and(|note| note.contains(assumed))),
            "{notes:?}"
        );
        for format in ["human", "markdown"] {
            let text = plan(&region, cloud, place, format);
            assert!(text.contains("No digest") && !text.contains("--expect "), "{text}");
        }
    }
    for (cloud, place) in [("aws", &AWS[..]), ("gcp", &GCP)] {
        let digest = json(&region, cloud, place)["digest"].as_str().map(str::len);
        assert_eq!(digest, Some(32), "{cloud}");
    }
}
