//! With `--format json` every line of either stream is JSON, whatever goes wrong first.

use serde_json::{Value, json};

use crate::support::{Ran, wbstore};

const HOST: [&str; 2] = ["--host", "https://wandb.acme.com"];

/// The lines of both streams, which must be objects.
#[track_caller]
fn objects(ran: &Ran) -> Vec<Value> {
    let lines = ran.stdout.lines().chain(ran.stderr.lines());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"))).collect()
}

/// That it is refused as bad input, in one object; its text and its hint.
#[track_caller]
fn refusal(arguments: &[&str]) -> [String; 2] {
    let ran = wbstore(arguments);
    let objects = objects(&ran);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), objects.len()),
        (Some(2), "", 1),
        "{arguments:?}: {}",
        ran.stderr
    );
    let said = &objects[0];
    assert_eq!((&said["event"], &said["exit_code"]), (&json!("error"), &json!(2)), "{said}");
    ["error", "hint"]
        .map(|field| said[field].as_str().unwrap_or_else(|| panic!("no {field} in {said}")).to_owned())
}

#[test]
fn what_the_command_line_refuses() {
    for format in [&["--format", "json"][..], &["--format=json"]] {
        let refusal = |arguments: &[&str]| refusal(&[arguments, format].concat());
        let [error, hint] = refusal(&["plan", "aws", "--hots", "https://wandb.acme.com"]);
        assert_eq!(error, "there is no option `--hots`");
        assert!(hint.starts_with("did you mean `wbstore plan aws --host https://wandb.acme.com "), "{hint}");
        let [error, _] = refusal(&["teardown", "aws", "--confirm", "acme"]);
        assert!(error.contains("--host <URL>"), "{error}");
        let [error, hint] = refusal(&["verify", "gcp", "--host", "https://user:hunter2@acme.com"]);
        assert!(error.starts_with("--host: ") && !error.contains("hunter2") && !hint.is_empty(), "{error}");
        refusal(&["provision", "azure", "--name", "a\u{1b}[31m\u{9b}\u{202e}"]);
        refusal(&["config", "azure", "--reveal", "--secret-file", "key"]);
        refusal(&["list", "moon"]);
        refusal(&["policy", "aws", "--name", "acme"]);
        refusal(&[]);
    }
    let ran = wbstore(&["plan", "aws", "--hots", "x", "--format", "human"]);
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
}

#[test]
fn what_is_refused_before_the_first_request() {
    for (command, more) in [
        ("plan", &[][..]),
        ("provision", &["--yes"]),
        ("verify", &[]),
        ("config", &[]),
        ("teardown", &["--name", "acme"]),
        ("list", &[]),
        ("policy", &["--for", "node", "--name", "acme"]),
    ] {
        for cloud in ["gcp", "azure"] {
            let [error, hint] = refusal(&[&[command, cloud, "--format", "json"], more].concat());
            assert!(!error.is_empty() && hint.contains("--"), "{error}: {hint}");
        }
    }
    assert!(refusal(&["plan", "aws", "--format", "json"])[1].contains("--host"));
}

#[test]
fn a_plan_is_one_line() {
    let place = ["--offline", "--account-id", "123456789012", "--format", "json"];
    let ran = wbstore(&[&["plan", "aws"], &HOST[..], &place].concat());
    let objects = objects(&ran);
    assert_eq!((ran.code, objects.len()), (Some(0), 1), "{}", ran.stderr);
    assert_eq!(objects[0]["format"], 1);
}

#[test]
fn a_policy_keeps_its_own_form_and_its_notes_are_objects() {
    let place = ["--offline", "--account-id", "123456789012", "--format", "json"];
    let ran = wbstore(&[&["policy", "aws", "--for", "node"], &HOST[..], &place].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("{\n  \""), "{}", ran.stdout);
    assert!(ran.stderr.lines().count() > 0, "it has notes");
    for line in ran.stderr.lines() {
        let said: Value = serde_json::from_str(line).expect(line);
        assert!(said["event"] == "note" && said["note"].is_string(), "{line}");
    }
}
