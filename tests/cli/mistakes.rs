//! Command lines that are nearly right: the error names what is wrong, and the hint is the command that was meant.

use std::fs;

use crate::support::{Ran, is_refused, run, wbstore};

const HOST: &str = "--host=https://wandb.acme.com";

/// Checks what is said of a command line, as words without spaces.
#[track_caller]
fn is_explained(line: &str, error: &str, hint: &str) {
    let arguments: Vec<_> = line.split_whitespace().collect();
    assert_eq!(is_refused(&arguments), format!("error: {error}\nhint: {hint}\n"), "{line}");
}

#[test]
fn the_cloud_before_the_command() {
    let said = "the cloud precedes the command";
    is_explained("aws plan", said, "use `wbstore plan aws`");
    is_explained("azure destroy --name=prod", said, "use `wbstore teardown azure --name=prod`");
    is_explained("google list --project acme", said, "use `wbstore list gcp --project acme`");
    is_explained("aws --region eu-west-1 plan", said, "use `wbstore plan aws --region eu-west-1`");
    is_explained("aws", "the command is missing", "use `wbstore plan aws`");
    is_explained(&format!("AWS {HOST}"), "the command is missing", &format!("use `wbstore plan aws {HOST}`"));
    is_explained(HOST, "the command is missing", &format!("use `wbstore plan aws {HOST}`"));
}

#[test]
fn clouds_by_other_names() {
    for (typed, cloud) in [
        ("AWS", "aws"),
        ("amazon", "aws"),
        ("awss", "aws"),
        ("google", "gcp"),
        ("GCS", "gcp"),
        ("google_cloud", "gcp"),
        ("microsoft", "azure"),
        ("Azure", "azure"),
        ("azrue", "azure"),
        ("minio", "s3"),
        ("S3", "s3"),
    ] {
        for command in ["plan", "provision", "verify", "teardown", "list", "policy", "config", "doctor"] {
            is_explained(
                &format!("{command} {typed}"),
                &format!("there is no cloud `{typed}`"),
                &format!("did you mean `wbstore {command} {cloud}`?"),
            );
        }
    }
    is_explained(
        &format!("plan google {HOST} --location EU"),
        "there is no cloud `google`",
        &format!("did you mean `wbstore plan gcp {HOST} --location EU`?"),
    );
    is_explained("plan mars", "unknown cloud after `wbstore plan`", "use one of aws, gcp, azure, s3");
}

#[test]
fn commands_by_other_names() {
    for (typed, command) in [
        ("delete", "teardown"),
        ("remove", "teardown"),
        ("down", "teardown"),
        ("create", "provision"),
        ("up", "provision"),
        ("deploy", "provision"),
        ("init", "plan"),
        ("diff", "plan"),
        ("preview", "plan"),
        ("PLAN", "plan"),
        ("pln", "plan"),
        ("aplly", "apply"),
        ("status", "verify"),
        ("ls", "list"),
        ("output", "config"),
        ("permissions", "policy"),
        ("whoami", "doctor"),
    ] {
        let meant = if command == "apply" { "provision" } else { command };
        is_explained(
            &format!("{typed} aws"),
            &format!("there is no command `{typed}`"),
            &format!("did you mean `wbstore {meant} aws`?"),
        );
    }
    is_explained(
        "delete amazon --name prod --yes",
        "there is no command `delete`",
        "did you mean `wbstore teardown aws --name prod --yes`?",
    );
    let said = is_refused(&["frobnicate"]);
    assert!(said.starts_with("error: unknown command\nhint: use one of plan, "), "{said}");
}

#[test]
fn a_missing_cloud_is_one_that_has_the_options() {
    for (line, command, meant) in [
        ("list --region eu-west-1", "list", "`wbstore list aws --region eu-west-1` (or s3)"),
        ("teardown --name prod", "teardown", "`wbstore teardown aws --name prod` (or gcp, azure, s3)"),
        ("plan --resource-group=acme", "plan", "`wbstore plan azure --resource-group=acme`"),
        ("verify --project acme", "verify", "`wbstore verify gcp --project acme`"),
    ] {
        is_explained(
            line,
            &format!("`wbstore {command}` names no cloud"),
            &format!("name the cloud: {meant}"),
        );
    }
    is_explained("check aws", "`wbstore check` is for no cloud", "use `wbstore check`");
    is_explained("aws check", "`wbstore check` is for no cloud", "use `wbstore check`");
}

#[test]
fn options_that_there_are_elsewhere() {
    let remove = |start: &str| format!("remove it; `{start} --help` lists the options");
    for (line, error, hint) in [
        ("plan aws --resource-group a", "`--resource-group` is an option of azure, not of aws", None),
        ("plan gcp --region a", "`--region` is an option of aws, s3, not of gcp", Some("--location")),
        ("plan aws --location a", "`--location` is an option of gcp, azure, not of aws", Some("--region")),
        ("verify aws --confirm a", "`--confirm` is an option of teardown, not of verify", None),
    ] {
        let start = format!("wbstore {}", line.split(" --").next().expect("there is a first"));
        let hint = hint.map_or_else(|| remove(&start), |option| format!("did you mean `{option}`?"));
        is_explained(line, error, &hint);
    }
    let said = "--host precedes the command";
    is_explained(
        &format!("{HOST} plan aws"),
        said,
        &format!("add options after the command: `wbstore plan aws {HOST}`"),
    );
    is_explained(
        "plan --region eu-west-1 aws",
        "--region precedes the cloud",
        "add options after the cloud: `wbstore plan aws --region eu-west-1`",
    );
}

#[test]
fn options_that_are_mistyped() {
    for (typed, option) in [
        ("--hots", "--host"),
        ("--HOST", "--host"),
        ("--url", "--host"),
        ("--bukcet", "--bucket"),
        ("--kms_key", "--kms-key"),
        ("--notification-queue", "--notifications-queue"),
    ] {
        is_explained(
            &format!("plan aws {typed} a"),
            &format!("there is no option `{typed}`"),
            &format!("did you mean `wbstore plan aws {option} a`?"),
        );
    }
    is_explained("plan aws --profile dev", "there is no option `--profile`", "set AWS_PROFILE");
    is_explained(
        "plan aws --license eyJ0",
        "LICENSE is a setting of the server, and no option",
        "write it to a file, which `wbstore config --settings FILE` reads; docs/settings.md describes it",
    );
    is_explained(
        "plan aws --frobnicate",
        "there is no option `--frobnicate`",
        "`wbstore plan aws --help` lists the options",
    );
}

#[test]
fn values_that_are_mistyped_or_missing() {
    is_explained(
        "plan aws --format JSON",
        "--format: not one of the possible values",
        "did you mean `json`?",
    );
    is_explained(
        "config aws --output hlm",
        "--output: not one of the possible values",
        "did you mean `helm`?",
    );
    is_explained(
        "plan aws --format x",
        "--format: not one of the possible values",
        "use one of `human`, `json`, `markdown`",
    );
    is_explained("completions bahs", "SHELL: not one of the possible values", "did you mean `bash`?");
    is_explained(
        "plan aws --region",
        "--region: the value is missing",
        "add it after a space: `--region <REGION>`",
    );
    is_explained(
        "plan aws --format",
        "--format: the value is missing",
        "use one of `human`, `json`, `markdown`",
    );
    is_explained(
        "plan aws gcp",
        "a word after `wbstore plan aws` is neither an option nor the value of one",
        "one command is for one cloud; a file is for several, as docs/file.md shows",
    );
}

#[test]
fn help_for_what_was_meant() {
    is_explained("help plan azur", "there is no cloud `azur`", "did you mean `wbstore help plan azure`?");
    is_explained("help aws plan", "the cloud precedes the command", "use `wbstore help plan aws`");
    is_explained("help delete", "there is no command `delete`", "did you mean `wbstore help teardown`?");
}

#[test]
fn what_may_be_a_secret_is_not_repeated() {
    for line in [
        "aws plan --host https://user:hunter2@wandb.acme.com",
        "aws plan --pasword hunter2",
        "plan aws --redis=redis://:hunter2@redis:6379",
        "plan aws --mysql mysql://root:hunter2@mysql",
        "plan aws hunter2",
        "plan hunter2",
        "hunter2",
        "plan aws --reveal hunter2",
        "plan aws --format hunter2",
        "completions hunter2",
        "plan aws --wrong=hunter2",
    ] {
        let said = is_refused(&line.split_whitespace().collect::<Vec<_>>());
        assert!(!said.contains("hunter2"), "{line}: {said}");
    }
}

#[test]
fn what_a_terminal_would_obey_is_not_repeated() {
    for arguments in [
        &["plan\u{1b}[31m", "aws"][..],
        &["plan", "aws\u{1b}[31m"],
        &["plan", "aws", "--host\u{1b}[31m=a"],
        &["plan", "AWS", "--name", "\u{1b}[31m"],
        &["plan", "AWS", "--name", "a`; reboot; `"],
        &["plan", "AWS", "--name", "a\n::error::evil"],
    ] {
        let said = is_refused(arguments);
        let obeyed = said.contains('\u{1b}') || said.contains("reboot") || said.contains("\n::");
        assert!(!obeyed, "{arguments:?}: {said:?}");
    }
}

#[test]
fn json_has_the_same_hint() {
    let Ran { code, stdout, stderr, .. } = wbstore(&["plan", "AWS", HOST, "--format=json"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    let line: serde_json::Value = serde_json::from_str(&stderr).expect("one line of JSON");
    assert_eq!(line["error"], "there is no cloud `AWS`");
    assert_eq!(line["hint"], format!("did you mean `wbstore plan aws {HOST} --format=json`?"));
}

#[test]
fn a_file_of_deployments_changes_nothing_about_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = "[deployment.prod]\ncloud = \"aws\"\nhost = \"https://wandb.acme.com\"\n";
    fs::write(folder.path().join("wbstore.toml"), file).expect("a file");
    for (line, said) in [
        ("plan AWS", "error: there is no cloud `AWS`\nhint: did you mean `wbstore plan aws`?\n"),
        (
            "plan --region eu-west-1",
            "error: `wbstore plan` names no cloud\nhint: name the cloud: `wbstore plan aws --region eu-west-1` (or s3)\n",
        ),
    ] {
        let ran = run(|process| {
            process.current_dir(folder.path()).args(line.split(' '));
        });
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), said));
        assert!(!ran.connected);
    }
}
