//! Options from environment variables: the command line comes first.

use crate::support::{Ran, wbstore_with};

const HOST: (&str, &str) = ("WBSTORE_HOST", "https://wandb.acme.com");
const NAME: (&str, &str) = ("WBSTORE_NAME", "prod");
const ACCOUNT: [&str; 2] = ["--offline", "--account-id=123456789012"];

/// What credentials that cannot be used make of a command that got as far as looking for them: the
/// variables, and what is said.
const UNUSABLE: [(&str, (&str, &str), &str); 3] = [
    ("aws", ("AWS_PROFILE", "nobody"), "the profile `nobody`, which does not exist or has no credentials"),
    ("gcp", ("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere"), "no usable Google credentials"),
    ("azure", ("AZURE_TENANT_ID", ""), "AZURE_TENANT_ID is not"),
];

const PLACES: [(&str, &str); 2] = [
    ("GOOGLE_CLOUD_PROJECT", "acme-prod"),
    ("AZURE_SUBSCRIPTION_ID", "0b1f6471-1bf0-4dda-aec3-cb9272f09590"),
];

/// Runs `command` on every cloud, up to where it looks for credentials, with `variables` set.
#[track_caller]
fn gets_to_the_credentials(command: &[&str], variables: &[(&str, &str)]) {
    for (cloud, broken, said) in UNUSABLE {
        let arguments = [&command[..1], &[cloud], &command[1..]].concat();
        let credentials = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""), broken];
        let ran = wbstore_with(&[&credentials[..], &PLACES, variables].concat(), &arguments);
        assert!(ran.stderr.contains(said), "{arguments:?} with {variables:?}: {}", ran.stderr);
        assert!(!ran.connected, "{arguments:?}");
    }
}

#[test]
fn what_has_expired_is_looked_for_whichever_deployment_the_environment_names() {
    let teardown = ["teardown", "--expired", "--dry-run"];
    gets_to_the_credentials(&teardown, &[HOST]);
    gets_to_the_credentials(&teardown, &[NAME]);
    gets_to_the_credentials(&teardown, &[HOST, NAME]);
    gets_to_the_credentials(&teardown, &[("WBSTORE_HOST", "no url"), ("WBSTORE_NAME", "No Name")]);
    gets_to_the_credentials(&["list"], &[("WBSTORE_HOST", "no url"), ("WBSTORE_NAME", "No Name")]);
    let offline = ["policy", "aws", "--for=operator", "--expired", "--offline", "--account-id=123456789012"];
    let ran = wbstore_with(&[HOST, NAME], &offline);
    assert_eq!((ran.code, ran.connected), (Some(0), false), "{}", ran.stderr);
}

#[test]
fn an_empty_variable_is_not_set() {
    let none = [("WBSTORE_HOST", ""), ("WBSTORE_NAME", "")];
    gets_to_the_credentials(&["teardown", "--expired", "--dry-run"], &none);
    for arguments in [&["plan", "aws"][..], &["plan", "gcp"], &["plan", "azure"]] {
        let ran = wbstore_with(&none, arguments);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains("address of the W&B server is missing"), "{}", ran.stderr);
    }
    let ran = wbstore_with(&none, &["teardown", "aws"]);
    assert!(ran.stderr.contains("--host <URL>|--name <NAME>|--expired"), "{}", ran.stderr);
    for (variable, cloud) in [("GOOGLE_CLOUD_PROJECT", "gcp"), ("AZURE_SUBSCRIPTION_ID", "azure")] {
        let ran = wbstore_with(&[(variable, "")], &["list", cloud]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("set {variable}")), "{}", ran.stderr);
    }
}

#[test]
fn options_on_the_command_line_still_contradict_each_other() {
    for option in ["--host=https://wandb.acme.com", "--name=prod"] {
        for variables in [&[][..], &[HOST, NAME]] {
            for command in [&["teardown", "aws"][..], &["policy", "aws", "--for=operator"]] {
                let ran = wbstore_with(variables, &[command, &["--expired", option]].concat());
                assert_eq!(ran.code, Some(2), "{}", ran.stderr);
                assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
            }
        }
    }
}

#[test]
fn what_names_a_part_of_one_deployment_is_refused_with_expired() {
    for (cloud, option) in [
        ("aws", "--bucket=acme"),
        ("aws", "--queue=internal"),
        ("aws", "--notifications-queue"),
        ("gcp", "--location=EU"),
        ("gcp", "--bucket=acme"),
        ("gcp", "--queue=internal"),
        ("gcp", "--topic=acme"),
        ("gcp", "--subscription=acme"),
        ("azure", "--container=acme"),
        ("azure", "--queue=internal"),
        ("azure", "--dead-letter"),
    ] {
        for command in [&["teardown", cloud][..], &["policy", cloud, "--for=operator"]] {
            let ran = wbstore_with(&PLACES, &[command, &["--expired", option]].concat());
            assert_eq!((ran.code, ran.connected), (Some(2), false), "{cloud} {option}: {}", ran.stderr);
            let named = option.split('=').next().expect("there is a first");
            let said = ran.stderr.contains("'--expired' cannot be used with") && ran.stderr.contains(named);
            assert!(said, "{}", ran.stderr);
        }
    }
}

#[test]
fn a_value_that_cannot_be_is_reported_under_its_variable() {
    let ran = wbstore_with(&[("WBSTORE_HOST", "wandb.acme.com")], &["plan", "aws"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.starts_with("error: WBSTORE_HOST: "), "{}", ran.stderr);
}

/// The plan's JSON for the deployment that `variables` and `more` name.
fn plan(variables: &[(&str, &str)], more: &[&str]) -> serde_json::Value {
    let arguments = [&["plan", "aws", "--format=json"], &ACCOUNT[..], more].concat();
    let Ran { code, stdout, stderr, .. } = wbstore_with(variables, &arguments);
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).expect("JSON")
}

#[test]
fn a_plan_tells_which_variable_names_its_deployment() {
    const HINT: &str =
        "WBSTORE_NAME names the deployment `prod`; --host alone would name it `pr-17-acme-com`";
    let other = ["--host=https://pr-17.acme.com"];
    let both = plan(&[NAME], &other);
    assert_eq!(both["deployment"], "prod");
    assert!(both["notes"].as_array().expect("a list").contains(&HINT.into()), "{both:#}");
    for plan in [
        plan(&[HOST, NAME], &[]),
        plan(&[HOST], &["--name=prod"]),
        plan(&[], &[&other[..], &["--name=prod"]].concat()),
    ] {
        assert_eq!(plan["deployment"], "prod");
        assert!(!plan.to_string().contains("WBSTORE_NAME"), "{plan:#}");
    }
    assert_eq!(plan(&[HOST], &other)["deployment"], "pr-17-acme-com");
}

#[test]
fn a_teardown_does_not_choose_between_two_names() {
    let host = ["teardown", "--host=https://pr-17.acme.com", "--confirm=prod"];
    for cloud in ["aws", "gcp", "azure"] {
        let arguments = [&host[..1], &[cloud], &host[1..]].concat();
        let ran = wbstore_with(&[&PLACES[..], &[NAME]].concat(), &arguments);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains("`pr-17-acme-com`") && ran.stderr.contains("`prod`"), "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: add `--name pr-17-acme-com` or `--name prod`"), "{}", ran.stderr);
        assert!(!ran.connected);
    }
    // With a name on the command line there is nothing to choose, whatever the environment says.
    let group = "--resource-group=acme";
    let unused = [("WBSTORE_HOST", "http://wandb.acme.com"), ("WBSTORE_HOST", "no url")];
    for variables in [&[NAME][..], &[HOST], &[HOST, NAME], &unused[..1], &unused[1..]] {
        for (cloud, broken, said) in UNUSABLE {
            let more: &[&str] = if cloud == "azure" { &[group] } else { &[] };
            let credentials = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""), broken];
            let ran = wbstore_with(
                &[&credentials[..], &PLACES, variables].concat(),
                &[&["teardown", cloud, "--name=pr-17"], more].concat(),
            );
            assert!(ran.stderr.contains(said), "{variables:?}: {}", ran.stderr);
        }
    }
}
