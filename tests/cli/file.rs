//! Options from variables and from a file: what has them, what comes first, and what is refused.

use std::path::Path;

use serde_json::Value;

use crate::support::{Ran, run};

const ACCOUNT: [&str; 2] = ["--offline", "--account-id=123456789012"];

/// Two deployments and a team on AWS, and one on Google Cloud.
const FILE: &str = r#"
[defaults]
region = "eu-west-1"

[deployment.prod]
cloud = "aws"
host = "https://wandb.acme.com"
queue = "internal"
expires = "30d"

[deployment.prod.team.vision]
node-role = "arn:aws:iam::123456789012:role/wandb"
bucket = "acme-vision"

[deployment.dev]
cloud = "aws"
host = "https://dev.acme.com"
region = "us-east-2"
notifications-queue = true

[deployment.lab]
cloud = "gcp"
host = "https://lab.acme.com"
project = "acme-lab"
"#;

/// Runs `wbstore` in a directory with this file, and these variables.
fn beside(file: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("wbstore.toml"), file).expect("a file can be written");
    within(folder.path(), variables, arguments)
}

fn within(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    run(|process| {
        process.current_dir(folder).args(arguments).envs(variables.iter().copied());
    })
}

/// The plan as JSON.
#[track_caller]
fn plan(file: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    let all = [&["plan", "--format=json"], arguments].concat();
    let all = match arguments.first() {
        Some(cloud) if !cloud.starts_with('-') => {
            [&["plan", cloud, "--format=json"], &arguments[1..]].concat()
        }
        _ => all,
    };
    let Ran { code, stdout, stderr, .. } = beside(file, variables, &[&all[..], &ACCOUNT].concat());
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).expect("JSON")
}

#[track_caller]
fn output(plan: &Value, name: &str) -> String {
    let outputs = plan["outputs"].as_array().expect("a list");
    let found = outputs.iter().find(|output| output["name"] == name).unwrap_or_else(|| panic!("{plan:#}"));
    found["value"].as_str().expect("text").to_owned()
}

/// Checks that this is refused as bad input before the first request, and returns what is said.
#[track_caller]
fn is_refused(file: &str, variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let Ran { code, stdout, stderr, connected } = beside(file, variables, arguments);
    assert_eq!((code, connected), (Some(2), false), "{stderr}");
    assert_eq!(stdout, "", "{arguments:?}");
    assert!(stderr.starts_with("error: ") && stderr.contains("\nhint: "), "{stderr}");
    stderr
}

#[test]
fn every_option_but_consent_has_a_variable_in_help_and_manual() {
    for command in ["plan", "provision", "verify", "teardown", "list", "policy", "config"] {
        for cloud in ["aws", "gcp", "azure", "s3"] {
            let help = run(|process| {
                process.args([command, cloud, "--help"]).env("WBSTORE_REGION", "secret-value");
            });
            assert!(!help.stdout.contains("secret-value"), "no value is shown: {}", help.stdout);
            assert_eq!(help.code, Some(0), "{}", help.stderr);
            let (options, _) = help.stdout.split_once("\nExamples:").expect("examples follow the options");
            let entries = options.split("\n      --").flat_map(|entry| entry.split("\n  -"));
            for entry in entries.skip(1) {
                let option =
                    entry.split([' ', '\n', '[', '=']).next().expect("a name").trim_start_matches('-');
                let is_typed = [
                    "adopt",
                    "allow-http",
                    "confirm",
                    "delete-objects",
                    "dry-run",
                    "expect",
                    "expired",
                    "help",
                    "only",
                    "renew",
                    "reveal",
                    "use-my-key",
                    "version",
                    "yes",
                ]
                .contains(&option);
                if option.len() > 1 && !option.ends_with(',') {
                    assert_eq!(entry.contains("[env: "), !is_typed, "{command} {cloud} --{option}: {entry}");
                }
            }
        }
    }
    let man = run(|process| {
        process.arg("man").env("WBSTORE_FILE", "");
    });
    assert!(man.stdout.contains("WBSTORE"), "{}", man.stdout);
}

#[test]
fn the_command_line_comes_before_the_variable_and_the_variable_before_the_file() {
    let bucket = |variables: &[(&str, &str)], arguments: &[&str]| {
        let arguments = [&["aws", "--name=prod", "--team=vision"], arguments].concat();
        let plan = plan(FILE, variables, &arguments);
        plan["steps"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|step| step["address"] == "aws/bucket/acme-vision")
            .then_some(plan)
    };
    assert!(bucket(&[], &[]).is_some());
    assert!(bucket(&[("WBSTORE_BUCKET", "acme-other")], &[]).is_none());
    assert!(bucket(&[("WBSTORE_BUCKET", "")], &[]).is_some());
    assert!(bucket(&[("WBSTORE_BUCKET", "acme-other")], &["--bucket=acme-vision"]).is_some());
    let flag = |value: &str| plan(FILE, &[("WBSTORE_NOTIFICATIONS_QUEUE", value)], &["aws", "--name=prod"]);
    for (value, there) in [("true", true), ("run-events", true), ("false", false), ("", false)] {
        let text = flag(value).to_string();
        assert_eq!(text.contains("-events") || text.contains("run-events"), there, "{value}: {text}");
    }
}

#[test]
fn a_cloud_with_a_file_needs_no_more_than_a_name() {
    let prod = plan(FILE, &[], &["aws", "--name=prod"]);
    assert_eq!(output(&prod, "BUCKET_QUEUE"), "internal://");
    assert_eq!(output(&prod, "AWS_REGION"), "eu-west-1");
    assert!(prod.to_string().contains("30d"), "{prod:#}");
    let dev = plan(FILE, &[], &["aws", "--host=https://dev.acme.com"]);
    assert_eq!((dev["deployment"].as_str(), output(&dev, "AWS_REGION").as_str()), (Some("dev"), "us-east-2"));
    assert!(!dev.to_string().contains("WBSTORE_NAME"), "{dev:#}");
    assert!(dev.to_string().contains("wbstore-dev-events"), "{dev:#}");
    let variable = plan(FILE, &[("WBSTORE_NAME", "dev")], &["aws"]);
    assert_eq!(variable["deployment"], "dev");
    // There is one of this cloud.
    assert_eq!(plan(FILE, &[], &["gcp"])["deployment"], "lab");
    let several = is_refused(FILE, &[], &["plan", "aws"]);
    assert!(several.contains("several deployments on aws: dev, prod"), "{several}");
    assert!(several.contains("`--name dev`"), "{several}");
    // A deployment that is not in the file is none of its business; the defaults are.
    let other = plan(FILE, &[], &["aws", "--host=https://pr-17.acme.com"]);
    assert_eq!(
        (other["deployment"].as_str(), output(&other, "AWS_REGION").as_str()),
        (Some("pr-17-acme-com"), "eu-west-1")
    );
    assert!(output(&other, "BUCKET_QUEUE").starts_with("sqs://"), "{other:#}");
}

#[test]
fn a_team_inherits_where_its_deployment_is_and_not_what_it_is_called() {
    let vision = plan(FILE, &[], &["aws", "--name=prod", "--team=vision"]);
    assert_eq!(vision["deployment"], "prod/vision");
    let text = vision.to_string();
    assert!(text.contains("eu-west-1") && text.contains("30d"), "{vision:#}");
    assert!(text.contains("https://wandb.acme.com"), "{vision:#}");
    let elsewhere = FILE.replace(
        "node-role = \"arn:aws:iam::123456789012:role/wandb\"\nbucket",
        "cloud = \"gcp\"\nproject = \"acme-ml\"\nreader = \"dedicated\"\nbucket",
    );
    let vision = plan(&elsewhere, &[], &["gcp", "--name=prod", "--team=vision"]);
    assert!(vision.to_string().contains("gcp/bucket/acme-vision"), "{vision:#}");
}

#[test]
fn without_a_cloud_all_deployments_are_planned() {
    let all = plan(FILE, &[], &[]);
    let names: Vec<_> =
        all["plans"].as_array().expect("a list").iter().map(|plan| &plan["deployment"]).collect();
    assert_eq!(names, ["dev", "lab", "prod", "prod/vision"]);
    assert_eq!(all["digest"].as_str().map(str::len), Some(32));
    // What names one deployment names none of several.
    let named =
        [("WBSTORE_NAME", "stray"), ("WBSTORE_BUCKET", "stray"), ("WBSTORE_HOST", "https://stray.acme.com")];
    assert!(!plan(FILE, &named, &[])["plans"].to_string().contains("stray"));
    let some = plan(FILE, &[], &["--only=prod*"]);
    assert_eq!(some["plans"].as_array().map(Vec::len), Some(2));
    let none = is_refused(FILE, &[], &["plan", "--only=nothing"]);
    assert!(none.contains("no deployment in `wbstore.toml` matches --only"), "{none}");
    assert!(none.contains("dev, lab, prod, prod/vision"), "{none}");
    let page = beside(FILE, &[], &["plan", "--offline", "--account-id=123456789012"]);
    assert!(page.stdout.contains("4 deployments: 4 with changes."), "{}", page.stdout);
    let markdown =
        beside(FILE, &[("WBSTORE_FORMAT", "markdown")], &["plan", "--offline", "--account-id=123456789012"]);
    assert!(markdown.stdout.starts_with("### wbstore: provision `dev`"), "{}", markdown.stdout);
}

#[test]
fn without_a_file_the_cloud_is_asked_for_with_the_command_as_it_was_typed() {
    let folder = tempfile::tempdir().expect("a folder");
    for command in ["plan", "provision", "verify", "config"] {
        let ran = within(folder.path(), &[], &[command, "--host", "https://wandb.acme.com"]);
        assert_eq!((ran.code, ran.connected), (Some(2), false), "{}", ran.stderr);
        let typed = format!("hint: name the cloud: `wbstore {command} aws --host https://wandb.acme.com`");
        assert!(ran.stderr.contains(&typed), "{}", ran.stderr);
    }
    let ran = within(folder.path(), &[], &["plan"]);
    assert!(ran.stderr.contains("there is no wbstore.toml in this directory"), "{}", ran.stderr);
    let ran = within(folder.path(), &[], &["plan", "--host", "https://me:hunter2@acme.com"]);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    let early = is_refused(FILE, &[], &["plan", "--adopt", "aws", "--name", "prod"]);
    assert!(early.contains("`wbstore plan aws --adopt --name prod`"), "{early}");
}

#[test]
fn the_example_of_the_page_is_a_file() {
    let page = include_str!("../../docs/file.md");
    let example =
        page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let plan = plan(example, &[], &["--only=prod*"]);
    let names: Vec<_> =
        plan["plans"].as_array().expect("a list").iter().map(|plan| &plan["deployment"]).collect();
    assert_eq!(names, ["prod", "prod/speech", "prod/vision"]);
}

#[test]
fn a_file_can_be_anywhere_and_has_to_be_there_where_it_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deployments.toml");
    std::fs::write(&path, FILE).expect("a file can be written");
    let path = path.to_str().expect("text");
    let arguments = ["plan", "gcp", "--offline", "--account-id=123456789012"];
    let here = tempfile::tempdir().expect("a folder");
    assert_eq!(within(here.path(), &[], &arguments).code, Some(2), "there is no file");
    assert_eq!(within(here.path(), &[("WBSTORE_FILE", path)], &arguments).code, Some(0));
    assert_eq!(within(here.path(), &[], &[&arguments[..], &["--file", path]].concat()).code, Some(0));
    assert_eq!(within(here.path(), &[], &[&["--file", path], &arguments[..]].concat()).code, Some(0));
    let ran = within(here.path(), &[("WBSTORE_FILE", "nowhere.toml")], &["plan"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("cannot read deployments from `nowhere.toml`"), "{}", ran.stderr);
    // An empty file takes the place of one in the directory.
    assert_eq!(beside(FILE, &[], &["list", "aws", "--file=/dev/null", "--help"]).code, Some(0));
}

#[test]
fn what_is_wrong_in_the_file_is_refused_with_its_line_before_the_first_request() {
    let aws = |line: &str| {
        format!("[deployment.prod]\ncloud = \"aws\"\nhost = \"https://wandb.acme.com\"\n{line}\n")
    };
    for (file, words, hint) in [
        (
            aws("bukcet = \"a\""),
            "wbstore.toml:4: deployment.prod.bukcet: there is no option",
            "did you mean `bucket`?",
        ),
        (aws("kms_key = \"a\""), "wbstore.toml:4: deployment.prod.kms_key: ", "did you mean `kms-key`?"),
        (aws("dead-letter = true"), "it is an option of azure, not of aws", "wbstore plan aws --help"),
        (aws("yes = true"), "wbstore.toml:4: deployment.prod.yes: consent", "add `--yes` to the command"),
        (aws("delete-objects = true"), "consent", "--delete-objects"),
        (aws("allow-http = true"), "consent", "--allow-http"),
        (aws("format = \"json\""), "it applies to a run as a whole", "move it to `[defaults]`"),
        (aws("name = \"x\""), "the tables name deployments", "[deployment.NAME.team.TEAM]"),
        (aws("MYSQL = \"mysql://me:hunter2@db/x\""), "there is no option", "settings = \"FILE\""),
        // A date needs no quotes.
        (aws("expires = 2099-12-31"), "the expiry 2099-12-31T00:00:00Z is more than 366 days away", "omit"),
        (aws("bucket = true"), "expected a text, not true or false", "in quotes"),
        (aws("bucket = 1.5"), "no option has a value of the type float", "a text in quotes"),
        (aws("bucket = [\"a\", \"b\"]"), "expected one value, not a list", "one value"),
        (
            aws("bucket = \"Acme\""),
            "wbstore.toml:4: deployment.prod.bucket: bucket name `Acme`",
            "use `acme`",
        ),
        (aws("bucket-namespace = \"hunter2\""), "not one of the possible values", "`account-regional`"),
        (aws("bucket = \"a\"\nbucket = \"b\""), "wbstore.toml:5: duplicate key", ""),
        (aws("bucket = "), "wbstore.toml:4: ", "docs/file.md"),
        (aws("[deployment.prod]"), "wbstore.toml:4: ", "docs/file.md"),
        (
            aws("[deployment.Prod]\ncloud = \"aws\""),
            "wbstore.toml:4: deployment.Prod: deployment name `Prod`",
            "use `prod`",
        ),
        (aws("[deployment.prod.team.a_b]"), "wbstore.toml:4: ", "use `a-b`"),
        (
            aws("[deployments.dev]"),
            "wbstore.toml:4: unknown table or key `deployments`",
            "did you mean `[deployment]`?",
        ),
        (
            "[deployment.prod]\nhost = \"https://wandb.acme.com\"\n".to_owned(),
            "deployment.prod names no cloud",
            "\"aws\"",
        ),
        (
            "[deployment.prod]\ncloud = \"azur\"\n".to_owned(),
            "wbstore.toml:2: unknown cloud `azur`",
            "did you mean \"azure\"?",
        ),
        ("deployment = 1\n".to_owned(), "deployment is of the type integer", "[deployment.NAME]"),
        (
            "[defaults]\nhost = \"https://wandb.acme.com\"\n".to_owned(),
            "each deployment has its own address",
            "[deployment.NAME]",
        ),
        ("[defaults]\nexpect = \"0\"\n".to_owned(), "wbstore.toml:2: defaults.expect: consent", "--expect"),
        (
            "[defaults]\nregoin = \"a\"\n".to_owned(),
            "wbstore.toml:2: defaults.regoin: ",
            "did you mean `region`?",
        ),
        (aws("\"a\\u001b[31m\" = 1"), r"a\u{1b}[31m", ""),
    ] {
        let said = is_refused(&file, &[], &["plan", "aws"]);
        assert!(said.contains(words) && said.contains(hint), "{file}\n{said}");
        assert!(!said.contains("hunter2") && !said.contains('\u{1b}'), "{file}\n{said}");
    }
    // The first request would be that of another deployment.
    let both = aws("") + "[deployment.lab]\ncloud = \"gcp\"\nhost = \"https://lab.acme.com\"\n";
    let said = is_refused(&both, &[], &["plan"]);
    assert!(said.contains("lab: no project is given"), "{said}");
}

#[test]
fn a_variable_for_another_cloud_or_command_breaks_none() {
    let host = "--host=https://wandb.acme.com";
    let offline = |variables: &[(&str, &str)], arguments: &[&str]| {
        let ran = beside("", variables, &[&["plan"], arguments, &[host], &ACCOUNT].concat());
        assert_eq!(ran.code, Some(0), "{variables:?}: {}", ran.stderr);
        ran.stderr
    };
    let gcp = ["gcp", "--project=acme-prod"];
    // A name of a queue is no kind of queue.
    let said = offline(&[("WBSTORE_QUEUE", "uploads")], &gcp);
    assert!(
        said.contains("note: WBSTORE_QUEUE is not used: --queue of this command has other values"),
        "{said}"
    );
    offline(
        &[("WBSTORE_RESOURCE_GROUP", "acme"), ("WBSTORE_DEAD_LETTER", "1"), ("WBSTORE_EXPECT", "x")],
        &gcp,
    );
    offline(&[("WBSTORE_FOR", "node"), ("WBSTORE_WITHIN", "5m"), ("WBSTORE_OUTPUT", "helm")], &["aws"]);
    // Only a team has a use for it, and only a deployment.
    offline(
        &[("WBSTORE_READER", "dedicated"), ("WBSTORE_NODE_ROLE", "arn:aws:iam::123456789012:role/wandb")],
        &["aws"],
    );
    offline(&[("WBSTORE_QUEUE", "uploads")], &["aws", "--team=vision", "--reader=dedicated"]);
    // What fits nowhere is reported under its own name, and not repeated.
    for (variable, value, cloud) in [
        ("WBSTORE_BUCKET", "Acme_1", "aws"),
        ("WBSTORE_ADDRESSING", "hunter2", "s3"),
        ("WBSTORE_DEAD_LETTER", "hunter2", "azure"),
    ] {
        let said = is_refused("", &[(variable, value)], &["plan", cloud, host]);
        assert!(said.starts_with(&format!("error: {variable}: ")) && !said.contains("hunter2"), "{said}");
    }
    // Consent has none.
    let said = beside(
        "",
        &[("WBSTORE_YES", "true"), ("WBSTORE_ALLOW_HTTP", "true")],
        &["plan", "aws", "--host=http://wandb.acme.com"],
    );
    assert_eq!(said.code, Some(2), "{}", said.stderr);
}

#[test]
fn two_values_that_exclude_each_other_are_settled_by_where_they_are() {
    let file = "[deployment.prod]\ncloud = \"azure\"\nhost = \"https://wandb.acme.com\"\nresource-group = \"acme\"\n\
                location = \"westeurope\"\n[deployment.prod.team.ml]\naccount-key = true\n";
    let azure = [
        "azure",
        "--name=prod",
        "--team=ml",
        "--offline",
        "--account-id=0b1f6471-1bf0-4dda-aec3-cb9272f09590",
    ];
    let plan = |file: &str, variables: &[(&str, &str)], more: &[&str]| {
        beside(file, variables, &[&["plan"], &azure[..], more].concat())
    };
    assert_eq!(plan(file, &[], &[]).code, Some(0));
    let id = "0b1f6471-1bf0-4dda-aec3-cb9272f09590";
    let identity = [("WBSTORE_MANAGED_IDENTITY", id), ("WBSTORE_IDENTITY_TENANT", id)];
    let ran = plan(file, &identity, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let both = format!("{file}managed-identity = \"{id}\"\n");
    let ran = plan(&both, &[], &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("exclude each other") && ran.stderr.contains("wbstore.toml:7: "),
        "{}",
        ran.stderr
    );
    assert_eq!(plan(&both, &[], &["--account-key"]).code, Some(0), "the command line settles it");
}
