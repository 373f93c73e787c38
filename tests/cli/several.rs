//! Options of which there may be several: tags and hosts.

use serde_json::Value;

use crate::support::{is_refused, wbstore, wbstore_with};

const HOST: &str = "--host=https://wandb.acme.com";

const AWS: &[&str] = &["plan", "aws", HOST];
const GCP: &[&str] = &["plan", "gcp", HOST, "--project=acme-prod"];
const AZURE: &[&str] =
    &["plan", "azure", HOST, "--subscription=0b1f6471-1bf0-4dda-aec3-cb9272f09590", "--resource-group=acme"];
const S3: &[&str] = &["plan", "s3", HOST, "--endpoint=https://minio.acme.com:9000"];

/// What `plan` refuses with, of these tags.
#[track_caller]
fn refused(plan: &[&str], tags: &[&str]) -> String {
    let tags: Vec<_> = tags.iter().map(|tag| format!("--tag={tag}")).collect();
    let tags: Vec<_> = tags.iter().map(String::as_str).collect();
    is_refused(&[plan, &tags].concat())
}

#[test]
fn what_is_no_tag_on_any_cloud() {
    for plan in [AWS, GCP, AZURE, S3] {
        for tags in [
            &["team"][..],
            &["=ml"],
            &[""],
            &["a=1", "a=1"],
            &["wbstore:deployment=acme"],
            &["wbstore-team=ml"],
        ] {
            refused(plan, tags);
        }
        assert!(refused(plan, &["WBSTORE_lease=7d"]).contains("wbstore's own mark"));
        let said = refused(plan, &["a\u{1b}[31m=x"]);
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
}

#[test]
fn tags_that_aws_does_not_take() {
    let (key, value) = (format!("{}=x", "k".repeat(129)), format!("x={}", "v".repeat(257)));
    for plan in [AWS, S3] {
        for tag in ["aws:team=ml", "AWS:team=ml", "team=a,b", "te&am=x", "team=a\nb", &key, &value] {
            refused(plan, &[tag]);
        }
    }
    let many = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>();
    for (plan, most) in [(AWS, 42), (S3, 5)] {
        let many = many(most + 1);
        let said = refused(plan, &many.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(said.contains(&format!("{} tags are given; {most} fit", most + 1)), "{said}");
    }
}

#[test]
fn labels_that_google_cloud_does_not_take() {
    let (key, value) = (format!("{}=x", "k".repeat(64)), format!("x={}", "v".repeat(64)));
    let wide = format!("x={}", "ß".repeat(63));
    for tag in ["1team=ml", "_team=ml", "goog-team=ml", "team=a.b", &key, &value] {
        refused(GCP, &[tag]);
    }
    assert!(
        !wbstore(&[GCP, &[&format!("--tag={wide}")]].concat()).stderr.contains("bytes"),
        "126 of 128 bytes"
    );
    assert!(
        refused(GCP, &["CostCentre=Machine Learning"]).contains("use `--tag costcentre=machine-learning`")
    );
}

#[test]
fn tags_that_azure_does_not_take() {
    let (key, value) = (format!("{}=x", "k".repeat(129)), format!("x={}", "v".repeat(257)));
    for tag in
        ["a/b=x", "a?b=x", "a%b=x", "Microsoft.x=1", "azureTeam=ml", "windows=x", "a\u{7}=x", &key, &value]
    {
        refused(AZURE, &[tag]);
    }
    assert!(refused(AZURE, &["Team=ml", "team=ml"]).contains("`team` is given twice"));
}

/// The plan of an offline run.
#[track_caller]
fn planned(variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    let ran = wbstore_with(variables, &[arguments, &["--offline", "--format=json"]].concat());
    assert_eq!((ran.code, ran.connected), (Some(0), false), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

/// The new value of the first field that ends like that.
fn field(plan: &Value, name: &str) -> Value {
    let steps = plan["steps"].as_array().expect("a list").iter();
    let mut changes = steps.flat_map(|step| step["changes"].as_array().expect("a list"));
    let is = |change: &&Value| change["field"].as_str().is_some_and(|field| field.ends_with(name));
    changes.find(is).map(|change| change["new"].clone()).unwrap_or_default()
}

#[test]
fn variables_list_what_the_command_line_repeats() {
    let account = &[AWS, &["--account-id=123456789012"]].concat();
    for (variable, value) in
        [("WBSTORE_TAG", "team=ml, cost centre=42"), ("WBSTORE_TAG", "team=ml\ncost centre=42\n")]
    {
        let plan = planned(&[(variable, value)], account);
        assert_eq!((field(&plan, "tags.team"), field(&plan, "tags.cost centre")), ("ml".into(), "42".into()));
    }
    let plan = planned(&[("WBSTORE_TAG", "team=ml")], &[&account[..], &["--tag=a=b"]].concat());
    assert_eq!((field(&plan, "tags.a"), field(&plan, "tags.team")), ("b".into(), Value::Null));
    let without_host = [&account[..2], &account[3..]].concat();
    for hosts in
        ["https://b.example,https://a.example", " https://b.example  https://a.example/ https://b.example"]
    {
        let plan = planned(&[("WBSTORE_HOST", hosts)], &without_host);
        assert_eq!(plan["deployment"], "b-example");
        assert_eq!(
            field(&plan, "allowed_origins"),
            serde_json::json!(["https://a.example", "https://b.example"])
        );
    }
    let bad = wbstore_with(&[("WBSTORE_HOST", "https://a.example,b.example")], &without_host);
    assert_eq!((bad.code, bad.connected), (Some(2), false));
    assert!(bad.stderr.contains("WBSTORE_HOST: the host `b.example` has no scheme"), "{}", bad.stderr);
    let bad = wbstore_with(&[("WBSTORE_TAG", "team=ml,cost")], account);
    assert!(bad.stderr.contains("WBSTORE_TAG: the tag `cost` has no `=`"), "{}", bad.stderr);
}

#[test]
fn each_host_is_checked() {
    for host in
        ["http://wandb.internal.acme.com", "https://a.example,https://b.example", "https://b.example/app"]
    {
        let host = format!("--host={host}");
        for plan in [AWS, GCP, AZURE, S3] {
            is_refused(&[plan, &[&host]].concat());
        }
    }
    let said = is_refused(&[AWS, &["--host=https://a.example,https://b.example"]].concat());
    assert!(said.contains("`--host` may be repeated"), "{said}");
}

#[test]
fn more_hosts_than_a_rule_of_azure_holds() {
    let hosts = |count: usize, length: usize| {
        (0..count).map(|n| format!("--host=https://w{n}{}.example", "x".repeat(length))).collect::<Vec<_>>()
    };
    for (hosts, says) in [
        (hosts(64, 0), "65 hosts are given, and a CORS rule of Azure has at most 64 origins"),
        (hosts(40, 40), "bytes, and Azure allows 2048 for an account"),
    ] {
        let hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
        let said = is_refused(&[AZURE, &hosts].concat());
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn an_offline_plan_shows_tags_and_versions() {
    for (plan, account, tag, versions) in [
        (AWS, &["--account-id=123456789012"][..], "tags.team", "status"),
        (GCP, &["--account-id=123456789012"], "labels.team", "versioning"),
        (AZURE, &[], "tags.team", "days"),
        (S3, &[], "tags.team", "status"),
    ] {
        let plan = planned(&[], &[plan, account, &["--tag=team=ml", "--artifact-gc"]].concat());
        assert_eq!(field(&plan, tag), "ml", "{plan:#}");
        assert_ne!(field(&plan, versions), Value::Null, "{plan:#}");
        let outputs = plan["outputs"].as_array().expect("a list");
        let collects = outputs.iter().find(|output| output["name"] == "GORILLA_ARTIFACT_GC_ENABLED");
        assert_eq!(collects.map(|output| &output["value"]), Some(&"true".into()), "{plan:#}");
    }
}
