//! Input that cannot be on Azure, refused with one message and a hint.

use crate::support::{is_refused, wbstore};

const HOST: [&str; 2] = ["--host", "https://wandb.acme.com"];
const SUBSCRIPTION: [&str; 2] = ["--subscription", "0b1f6471-1bf0-4dda-aec3-cb9272f09590"];
const GROUP: [&str; 2] = ["--resource-group", "acme"];

/// That `command` refuses the options `more` in a place that is fine.
#[track_caller]
fn refused(command: &str, more: &[&str]) -> String {
    is_refused(&[&[command, "azure"], &HOST[..], &SUBSCRIPTION, &GROUP, more].concat())
}

/// That `plan` refuses `option` with each of `values`.
fn refuses(option: &str, values: &[&str]) {
    for value in values {
        refused("plan", &[&format!("{option}={value}")]);
    }
}

#[test]
fn places_that_are_none() {
    for subscription in
        ["", "Acme Production", "0b1f6471", "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590"]
    {
        is_refused(&["list", "azure", &format!("--subscription={subscription}")]);
    }
    for group in ["", "acme prod", "acme/prod", "acme.", &"g".repeat(91)] {
        let group = format!("--resource-group={group}");
        is_refused(&[&["plan", "azure"], &HOST[..], &SUBSCRIPTION, &[&group]].concat());
    }
    refuses("--location", &["", "west-europe", "../westeurope", "1west"]);
}

#[test]
fn a_missing_place_is_asked_for() {
    for command in ["plan", "provision", "verify", "config", "teardown"] {
        let said = is_refused(&[&[command, "azure"], &HOST[..]].concat());
        assert!(said.contains("AZURE_SUBSCRIPTION_ID"), "{command}: {said}");
        let said = is_refused(&[&[command, "azure"], &HOST[..], &SUBSCRIPTION].concat());
        assert!(said.contains("--resource-group"), "{command}: {said}");
    }
    assert!(is_refused(&["list", "azure"]).contains("--subscription"));
}

#[test]
fn names_that_azure_does_not_take() {
    let long = "a".repeat(64);
    refuses("--account", &["", "ab", &long, "Acme", "acme-wandb", "acme_wandb", "bücket"]);
    refuses("--account", &["https://acme.blob.core.windows.net", "az://acme/wandb"]);
    for option in ["--container", "--queue"] {
        refuses(
            option,
            &["", "ab", &long, "Acme", "acme_wandb", "acme.wandb", "-acme", "acme-", "acme--wandb"],
        );
        refuses(option, &["$root", "$web", "az://acme/wandb", "acme wandb", "\u{1b}[31m"]);
    }
    refuses("--message-ttl", &["", "7", "0s", "-2", "soon", "100000d"]);
}

#[test]
fn endpoints_to_which_no_token_goes() {
    for option in ["--arm-endpoint", "--blob-endpoint", "--queue-endpoint"] {
        for endpoint in
            ["", "management.azure.com", "http://example.com", "ftp://127.0.0.1", "http://127.0.0.1.evil.com"]
        {
            refused("plan", &[&format!("{option}={endpoint}")]);
        }
        let said = refused("plan", &[&format!("{option}=https://me:hunter2@example.com?sig=hunter2")]);
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn options_that_contradict_each_other() {
    for option in ["--dead-letter", "--message-ttl=1d"] {
        assert!(refused("plan", &["--queue=internal", option]).contains("--queue internal"));
    }
    assert!(
        refused("teardown", &["--delete-objects", "--empty-by=lifecycle"]).contains("--empty-by lifecycle")
    );
}

#[test]
fn a_file_for_the_key_that_cannot_be_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let there = folder.path().join("there");
    std::fs::write(&there, "mine").expect("a file");
    let nowhere = folder.path().join("none").join("key");
    for path in [&there, &nowhere, &folder.path().to_owned()] {
        for command in ["provision", "config"] {
            refused(command, &["--secret-file", path.to_str().expect("text")]);
        }
    }
    assert_eq!(std::fs::read_to_string(&there).expect("it is there"), "mine");
}

#[cfg(unix)]
#[test]
fn a_file_for_the_key_behind_a_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    std::os::unix::fs::symlink(&target, &link).expect("a link");
    refused("provision", &["--secret-file", link.to_str().expect("text")]);
    assert!(!target.exists());
}

#[test]
fn the_key_is_shown_or_written_by_what_prints_outputs_and_not_both() {
    for arguments in [
        &["provision", "azure", "--reveal", "--secret-file", "key"][..],
        &["plan", "azure", "--reveal"],
        &["teardown", "azure", "--reveal"],
        &["provision", "aws", "--reveal"],
        &["provision", "gcp", "--secret-file", "key"],
    ] {
        let ran = wbstore(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("--reveal") || ran.stderr.contains("--secret-file"), "{}", ran.stderr);
        assert!(!ran.connected, "{arguments:?}");
    }
}
