//! `doctor`: credentials, clock and permissions, and that nothing is changed.

use serde_json::{Value, json};
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::ran::Ran;

use crate::support::{Site, finish};

const SIMULATE: &str = "iam:SimulatePrincipalPolicy";

/// The operator's policy, with leave to ask IAM about it.
async fn policy(site: &Site) -> Value {
    let mut policy = site.run("policy", &["--for", "operator"]).await.ends(0).json();
    let leave = json!({"Sid": "Doctor", "Effect": "Allow", "Action": [SIMULATE], "Resource": "*"});
    policy["Statement"].as_array_mut().expect("a list").push(leave);
    policy
}

/// `wbstore doctor aws` by a user with `policy`.
async fn doctor_of(site: &Site, policy: &str, more: &[&str]) -> Ran {
    let env = site.aws.env_of_user(policy).await.expect("the emulator has IAM");
    let mut command = site.command("doctor", &[&["--format", "json"], more].concat());
    command.envs(env);
    finish(command).await
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn who_may_do_all_is_told_so_and_nothing_is_written() {
    let site = Site::open_provisioned().await;
    let policy = policy(&site).await.to_string();
    site.aws.proxy().clear_journal();
    let ran = doctor_of(&site, &policy, &[]).await.ends(0);
    ran.finds("aws credentials", "passed", &["AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"])
        .finds("aws identity", "passed", &["user/sandbox", site.account()])
        .finds("aws region", "passed", &["us-east-1 (--region)"])
        .finds("aws endpoint", "passed", &["custom endpoint http://127.0.0.1", "AWS_ENDPOINT_URL"])
        .finds("aws clock", "passed", &[])
        .finds("aws permissions", "passed", &["`wbstore policy aws --for operator`"])
        .finds("aws reads", "passed", &["resources of wandb-acme-com can be read"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_permission_that_is_missing_is_named_with_its_resource() {
    let site = Site::open().await;
    let whole = policy(&site).await.to_string();
    let without = whole.replace("\"s3:PutBucketCORS\"", "\"s3:PutBucketLogging\"");
    let bucket = format!("s3:PutBucketCORS on arn:aws:s3:::{}", site.bucket);
    doctor_of(&site, &without, &[]).await.ends(6).finds("aws permissions", "failed", &[&bucket, "1 of "]);
    // Where no deployment is named, the policy of another is no failure.
    let site_policy = without.replace(&site.bucket, "acme-other");
    let env = site.aws.env_of_user(&site_policy).await.expect("the emulator has IAM");
    let mut unnamed = site.aws.wbstore();
    unnamed.args(["doctor", "aws", "--format", "json"]).envs(env);
    finish(unnamed).await.ends(0).finds("aws permissions", "inconclusive", &["add `--host` or `--name`"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_operator_that_may_not_tear_down_is_a_warning() {
    let site = Site::open().await;
    let mut policy = policy(&site).await;
    let statements = policy["Statement"].as_array_mut().expect("a list");
    statements.retain(|statement| !statement["Sid"].as_str().is_some_and(|id| id.starts_with("Teardown")));
    let ran = doctor_of(&site, &policy.to_string(), &[]).await.ends(0);
    ran.finds(
        "aws permissions",
        "warned",
        &["teardown is not allowed", "s3:DeleteBucket", "sqs:DeleteQueue"],
    );
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn without_leave_to_ask_the_reads_still_count() {
    let site = Site::open().await;
    let policy = site.run("policy", &["--for", "operator"]).await.ends(0).json().to_string();
    let ran = doctor_of(&site, &policy, &[]).await.ends(0);
    ran.finds("aws permissions", "inconclusive", &[SIMULATE, "AccessDenied"]).finds(
        "aws reads",
        "passed",
        &[],
    );
    let blind = policy.replace("\"s3:GetBucketTagging\"", "\"s3:GetBucketLogging\"");
    let ran = doctor_of(&site, &blind, &[]).await.ends(6);
    ran.finds("aws reads", "failed", &["s3:GetBucketTagging", "hint"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_iam_cannot_simulate_is_inconclusive() {
    let site = Site::open().await;
    let ran = site.run("doctor", &["--format", "json"]).await.ends(0);
    ran.finds("aws permissions", "inconclusive", &["root user"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_clock_that_is_off_is_a_failure() {
    let site = Site::open().await;
    site.aws.proxy().arm(When::every("*"), Fault::Skew(600));
    let ran = site.run("doctor", &["--format", "json"]).await.ends(6);
    ran.finds(
        "aws clock",
        "failed",
        &["minutes behind that of http://127.0.0.1", "more than 5 minutes", "timedatectl"],
    );
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn credentials_that_have_expired_are_named_once() {
    let site = Site::open().await;
    site.aws.proxy().arm(When::every("sts:GetCallerIdentity"), Fault::fail(Failure::ExpiredToken));
    let ran = site.run("doctor", &["--format", "json"]).await.ends(6);
    ran.finds("aws identity", "failed", &["ExpiredToken", "aws sso login"])
        .finds("aws permissions", "inconclusive", &["not checked"])
        .finds("aws clock", "passed", &[]);
}
