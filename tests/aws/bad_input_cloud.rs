//! What the cloud may say no to, and the one clear message it becomes.

use wbstore_sandbox::fault::{Failure, Fault, When};

use crate::support::{NAME, Site};

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn without_credentials_the_ways_to_get_some_are_named() {
    let site = Site::open().await;
    let nobody = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let ran = site.run_with(&nobody, "plan", &[]).await.ends(1);
    ran.tells(&["no usable AWS credentials", "hint:", "AWS_PROFILE", "aws sso login", "--offline"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn expired_credentials_are_told_as_such() {
    let site = Site::open().await;
    site.aws.proxy().arm(When::every("sts:GetCallerIdentity"), Fault::fail(Failure::ExpiredToken));
    let ran = site.run("plan", &[]).await.ends(1);
    ran.tells(&["expired", "hint:", "aws sso login"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn credentials_that_expire_in_the_middle_leave_what_a_rerun_completes() {
    let site = Site::open().await;
    site.aws.proxy().arm(When::every("s3:PutBucketCors"), Fault::fail(Failure::ExpiredToken));
    site.provision(&[]).await.ends(4).tells(&["expired", "hint:", "run the same"]);
    site.aws.proxy().disarm();
    site.provisioned().await;
    site.run("plan", &["--exit-code"]).await.ends(0);
}

/// Every call that `plan` makes, with the IAM action that it takes.
const READS: [(&str, &str); 11] = [
    ("s3:HeadBucket", "s3:ListBucket"),
    ("s3:GetBucketTagging", "s3:GetBucketTagging"),
    ("s3:GetBucketOwnershipControls", "s3:GetBucketOwnershipControls"),
    ("s3:GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
    ("s3:GetBucketEncryption", "s3:GetEncryptionConfiguration"),
    ("s3:GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
    ("s3:GetBucketPolicy", "s3:GetBucketPolicy"),
    ("s3:GetBucketCors", "s3:GetBucketCORS"),
    ("s3:GetBucketNotificationConfiguration", "s3:GetBucketNotification"),
    ("sqs:GetQueueAttributes", "sqs:GetQueueAttributes"),
    ("sqs:ListQueueTags", "sqs:ListQueueTags"),
];

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn each_read_that_is_denied_refuses_the_whole_and_names_the_action() {
    let site = Site::open().await;
    site.provisioned().await;
    site.aws.proxy().clear_journal();
    for (call, action) in READS {
        let denied = site.aws.proxy().arm(When::every(call), Fault::fail(Failure::AccessDenied));
        let ran = site.provision(&[]).await.ends(3).tells(&[action, "hint:"]);
        assert!(denied.hits() > 0, "{call} was not made");
        assert_eq!(ran.stdout, "", "{call}");
        site.aws.proxy().disarm();
    }
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn plan_makes_no_read_that_is_not_in_the_list() {
    let site = Site::open().await;
    site.provisioned().await;
    site.aws.proxy().clear_journal();
    site.run("plan", &[]).await.ends(0);
    for sent in site.aws.proxy().journal() {
        let known = READS.iter().any(|(call, _)| *call == sent.operation)
            || ADVICE.contains(&sent.operation.as_str());
        assert!(known || sent.operation == "sts:GetCallerIdentity", "{}", sent.operation);
    }
}

/// Reads without which a plan is as safe, so that a denied one is a finding.
const ADVICE: [&str; 3] =
    ["s3:GetBucketRequestPayment", "s3:GetBucketVersioning", "s3:GetObjectLockConfiguration"];

/// Every call that changes something, with the IAM action that it takes.
const WRITES: [(&str, &str); 7] = [
    ("s3:CreateBucket", "s3:CreateBucket"),
    ("s3:PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    ("s3:PutBucketEncryption", "s3:PutEncryptionConfiguration"),
    ("s3:PutBucketPolicy", "s3:PutBucketPolicy"),
    ("s3:PutBucketCors", "s3:PutBucketCORS"),
    ("s3:PutBucketNotificationConfiguration", "s3:PutBucketNotification"),
    ("sqs:CreateQueue", "sqs:CreateQueue"),
];

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn each_write_that_is_denied_is_told_and_a_rerun_completes_it() {
    for (call, action) in WRITES {
        let site = Site::open().await;
        let denied = site.aws.proxy().arm(When::every(call), Fault::fail(Failure::AccessDenied));
        let ran = site.provision(&[]).await.ends(4).tells(&[action, "AccessDenied", "hint: grant"]);
        assert!(denied.hits() > 0, "{call} was not made");
        assert_eq!(ran.stdout, "", "{call}");
        site.aws.proxy().disarm();
        site.provisioned().await;
        site.run("plan", &["--exit-code"]).await.ends(0);
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_only_write_that_is_denied_leaves_nothing_changed() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto("s3.delete_bucket_cors(Bucket=bucket)").await;
    site.aws.proxy().arm(When::every("s3:PutBucketCors"), Fault::fail(Failure::AccessDenied));
    site.provision(&[]).await.ends(3).tells(&["s3:PutBucketCORS", "hint: grant"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn each_delete_that_is_denied_is_told_and_a_rerun_completes_it() {
    for call in ["s3:DeleteBucket", "sqs:DeleteQueue", "s3:ListObjectVersions"] {
        let site = Site::open().await;
        site.provisioned().await;
        let denied = site.aws.proxy().arm(When::every(call), Fault::fail(Failure::AccessDenied));
        let ran = site.teardown(&[]).await;
        // A listing that is denied refuses the plan; a deletion fails on the way.
        let code = if call == "s3:ListObjectVersions" { 3 } else { 4 };
        ran.ends(code).tells(&["AccessDenied", "hint: grant"]);
        assert!(denied.hits() > 0, "{call} was not made");
        site.aws.proxy().disarm();
        site.teardown(&[]).await.ends(0);
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_endpoint_that_is_down_is_told() {
    let site = Site::open().await;
    // The port of a listener that is gone again.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let url = format!("http://{free}");
    let ran = site.run_with(&[("AWS_ENDPOINT_URL", &url)], "plan", &[]).await.ends(1);
    ran.tells(&["cannot reach the endpoint", "hint:", "AWS_ENDPOINT_URL"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_web_page_in_place_of_an_answer_is_told() {
    let site = Site::open().await;
    site.aws.proxy().arm(When::every("sts:GetCallerIdentity"), Fault::Html);
    site.run("plan", &[]).await.ends(1).tells(&["web page", "hint:", "proxy"]);
    site.aws.proxy().disarm();
    site.aws.proxy().arm(When::every("s3:GetBucketCors"), Fault::Html);
    site.run("plan", &[]).await.ends(1).tells(&["web page", "hint:"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_error_inside_a_success_is_an_error() {
    let site = Site::open().await;
    site.provisioned().await;
    site.aws.proxy().arm(When::every("s3:GetBucketCors"), Fault::OkWithError(Failure::Internal));
    let ran = site.run("plan", &["--exit-code"]).await;
    assert_eq!(ran.code, Some(1), "it must not pass for an empty document: {ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_plain_http_endpoint_elsewhere_gets_no_credentials() {
    let site = Site::open().await;
    let ran = site.run_with(&[("AWS_ENDPOINT_URL", "http://s3.example.com")], "plan", &[]).await.ends(2);
    ran.tells(&["unencrypted", "hint:", "https"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_plea_to_slow_down_is_heeded() {
    let site = Site::open().await;
    let slow = site
        .aws
        .proxy()
        .arm(When::operation("s3:PutBucketCors", 0).times(4), Fault::fail(Failure::Throttled));
    site.provision(&[]).await.ends(0).tells(&["retrying for up to", "SlowDown"]);
    assert_eq!(slow.hits(), 4);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_queue_deleted_a_moment_ago_is_waited_for_in_sight() {
    let site = Site::open().await;
    site.provisioned().await;
    site.teardown(&[]).await.ends(0);
    site.provision(&[]).await.ends(0).tells(&["retrying for up to", "keeps its name for 60 s"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_destination_that_is_not_ready_is_waited_for() {
    let site = Site::open().await;
    let call = "s3:PutBucketNotificationConfiguration";
    site.aws.proxy().arm(When::operation(call, 0).times(2), Fault::fail(Failure::DestinationNotReady));
    site.provision(&[]).await.ends(0).tells(&["retrying for up to", "not allowed to send"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_wait_that_is_cut_short_fails_with_its_reason() {
    let site = Site::open().await;
    let call = "s3:PutBucketNotificationConfiguration";
    site.aws.proxy().arm(When::every(call), Fault::fail(Failure::DestinationNotReady));
    site.provision(&["--wait", "1s"]).await.ends(4).tells(&[
        "not allowed to send",
        "hint:",
        "queue's policy",
    ]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_clock_that_is_wrong_is_told_with_how_much() {
    let site = Site::open().await;
    for service in ["s3:*", "sqs:*", "sts:*"] {
        site.aws.proxy().arm(When::every(service), Fault::Skew(3600));
    }
    site.aws.proxy().clear_journal();
    site.provision(&[]).await.ends(1).tells(&[
        "clock of this machine",
        "minutes behind",
        "hint: set the clock",
    ]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_region_that_does_not_exist_is_explained_with_a_suggestion() {
    let site = Site::open().await;
    site.aws.proxy().clear_journal();
    // No host of AWS has this region in its name.
    let real = [("AWS_ENDPOINT_URL", ""), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
    let ran = site.run_with(&real, "plan", &["--region", "us-esat-1"]).await.ends(1);
    ran.tells(&["sts:GetCallerIdentity", "us-esat-1", "hint:", "did you mean `us-east-1`?"]);
    assert!(site.aws.proxy().journal().is_empty());
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn two_queues_of_one_name_are_refused() {
    let site = Site::open().await;
    let ran = site.provision(&["--queue", NAME, "--notifications-queue", NAME]).await.ends(2);
    ran.tells(&["name the same queue", "hint:"]);
}
