//! `--renew`: what it takes, before the first request.

use crate::support::{is_refused, wbstore, wbstore_with};

const HOST: &str = "--host=https://wandb.acme.com";
const CLOUDS: [&[&str]; 3] = [
    &["aws"],
    &["gcp", "--project=acme-prod"],
    &["azure", "--subscription=0b1f6471-1bf0-4dda-aec3-cb9272f09590", "--resource-group=acme"],
];

#[test]
fn only_time_spans_are_renewed() {
    let date = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48)).to_string();
    for (lease, said) in [("never", "the lease never ends"), (date.as_str(), "the lease ends on a date")] {
        for cloud in CLOUDS {
            for command in ["plan", "provision"] {
                let lease = format!("--expires={lease}");
                let refused = is_refused(&[&[command], cloud, &[HOST, "--renew", &lease]].concat());
                assert!(refused.contains(said), "{refused}");
            }
        }
    }
}

#[test]
fn an_offline_plan_needs_the_span() {
    for cloud in CLOUDS {
        let offline = [&["plan"], cloud, &[HOST, "--offline"]].concat();
        let account: &[&str] = if cloud[0] == "azure" { &[] } else { &["--account-id=123456789012"] };
        let refused = is_refused(&[&offline[..], account, &["--renew"]].concat());
        assert!(refused.contains("cannot read the lease") && refused.contains("--expires"), "{refused}");
        let ran = wbstore(&[&offline[..], account, &["--renew", "--expires=7d"]].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stdout.contains("expires"), "{}", ran.stdout);
    }
}

#[test]
fn it_is_asked_for_on_the_command_line_alone() {
    let plan = ["plan", "aws", HOST, "--offline", "--account-id=123456789012", "--expires=7d"];
    let ran = wbstore_with(&[("WBSTORE_RENEW", "true")], &plan);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stdout.contains("wbstore:lease") && !ran.stdout.contains("wbstore:expires"),
        "{}",
        ran.stdout
    );
    for command in ["verify", "config", "teardown"] {
        let ran = wbstore(&[command, "aws", HOST, "--renew"]);
        assert_eq!(ran.code, Some(2), "{command}");
        let said = format!("`--renew` is an option of plan, provision, not of {command}");
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    }
}

#[test]
fn help_says_what_repeating_a_lease_does() {
    for command in ["plan", "provision"] {
        let help = wbstore(&[command, "aws", "--help"]).stdout;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains("repeating it changes nothing") && help.contains("--renew"), "{help}");
    }
}
