//! Time spans: one grammar for every option that takes one.

use crate::support::{is_refused, wbstore};

const HOST: &str = "--host=https://wandb.acme.com";
const AZURE: [&str; 2] = ["--subscription=0b1f6471-1bf0-4dda-aec3-cb9272f09590", "--resource-group=acme"];

/// Every option that takes a time span, with a command that takes the option.
fn options() -> [(Vec<&'static str>, &'static str); 6] {
    [
        (vec!["plan", "aws", HOST], "--expires"),
        (vec!["provision", "aws", HOST], "--wait"),
        (vec!["teardown", "aws", HOST], "--wait"),
        (vec!["verify", "aws", HOST], "--within"),
        (vec!["plan", "gcp", HOST, "--project=acme-prod"], "--soft-delete"),
        ([&["plan", "azure", HOST], &AZURE[..]].concat(), "--message-ttl"),
    ]
}

#[test]
fn whatever_could_be_misread_is_refused_by_every_option() {
    for (command, option) in options() {
        for span in
            ["1M", "7D", "2W", "1H30M", "1mo", "1y", "7", "1.5h", "30m1h", "1h1h", "1h 30m", "PT5M", "5min"]
        {
            let said = is_refused(&[&command[..], &[&format!("{option}={span}")]].concat());
            assert!(said.contains(&format!("error: {option}: invalid ")), "{said}");
        }
    }
}

#[test]
fn a_span_that_could_be_minutes_or_months_is_given_back_both_ways() {
    for (command, option) in options() {
        let said = is_refused(&[&command[..], &[&format!("{option}=1M")]].concat());
        assert!(said.contains("`M` could mean minutes or months"), "{said}");
        assert!(said.contains("hint: use `1m` for minutes, or days such as `30d` for months"), "{said}");
    }
}

/// What an offline plan says `field` will be.
fn planned(arguments: &[&str], field: &str) -> serde_json::Value {
    let ran = wbstore(&[&["plan"], arguments, &[HOST, "--offline", "--format=json"]].concat());
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.stderr);
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let steps = plan["steps"].as_array().expect("a list");
    let changes = steps.iter().flat_map(|step| step["changes"].as_array().expect("a list"));
    let mut values = changes.filter(|change| change["field"] == field).map(|change| change["new"].clone());
    values.next().unwrap_or_else(|| panic!("{arguments:?} plan no {field}"))
}

#[test]
fn compounds_mean_their_sum_to_every_option() {
    let aws = |lease: &str| planned(&["aws", "--account-id=123456789012", lease], "tags.wbstore:lease");
    assert_eq!(aws("--expires=1h30m"), aws("--expires=90m"));
    assert_eq!(aws("--expires=1w"), "7d");
    assert_eq!(aws("--expires=1d12h"), "36h");
    let gcp = ["gcp", "--account-id=123456789012", "--project=acme-prod", "--soft-delete=1w12h"];
    assert_eq!(planned(&gcp, "soft_delete"), "180h");
    let account = AZURE[0].replace("--subscription", "--account-id");
    let azure = ["azure", &account, AZURE[1], "--message-ttl=1d12h"];
    assert_eq!(planned(&azure, "message_ttl_seconds"), 129_600);
}
