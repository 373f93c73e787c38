//! What `teardown` removes, what it keeps, and when it will not begin.

use serde_json::json;
use wbstore_sandbox::fault::{Failure, Fault, Keys, When};

use crate::support::{NAME, QUEUE, Site};

/// The names of all buckets and queues of the account.
const LEFT: &str =
    "[bucket['Name'] for bucket in s3.list_buckets()['Buckets']] + sqs.list_queues().get('QueueUrls', [])";

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn everything_of_an_empty_deployment_goes() {
    let site = Site::open().await;
    site.provision(&["--notifications-queue"]).await.ends(0);
    site.teardown(&["--notifications-queue"]).await.ends(0);
    assert_eq!(site.boto(LEFT).await, json!([]));
}

/// The account, two looks, and two deletions: docs/performance.md has the bound.
#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_empty_deployment_goes_in_few_requests() {
    let site = Site::open().await;
    site.provisioned().await;
    site.aws.proxy().clear_journal();
    site.teardown(&[]).await.ends(0);
    let counts = site.aws.proxy().counts();
    assert_eq!((counts.requests, counts.mutating), (18, 2), "{counts:?}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_teardown_may_be_repeated() {
    let site = Site::open().await;
    site.provisioned().await;
    site.teardown(&[]).await.ends(0);
    site.aws.proxy().clear_journal();
    site.teardown(&[]).await.ends(0).tells(&["wbstore list aws"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_bucket_that_is_not_empty_is_refused_with_its_counts() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto("for n in range(3): s3.put_object(Bucket=bucket, Key=f'k{n}', Body=b'four')").await;
    site.aws.proxy().clear_journal();
    site.teardown(&[]).await.ends(3).tells(&["3 objects", "12 bytes", "hint:", "--delete-objects"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn messages_are_data_and_a_test_event_is_none() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto(&format!("for n in range(3): sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName='{QUEUE}')['QueueUrl'], MessageBody='x')")).await;
    site.aws.proxy().clear_journal();
    let refused = site.run("teardown", &["--yes"]).await.ends(3);
    refused.tells(&["messages, and `--yes` covers no data", &format!("--confirm {NAME}` deletes that too")]);
    site.is_untouched();
    site.run("teardown", &["--dry-run"]).await.ends(0).tells(&["- about ", "messages"]);
    site.teardown(&[]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_dry_run_counts_and_deletes_nothing() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto("s3.put_object(Bucket=bucket, Key='k', Body=b'four')").await;
    site.aws.proxy().clear_journal();
    let ran = site.run("teardown", &["--dry-run", "--delete-objects"]).await.ends(0);
    ran.tells(&["delete", &site.bucket, "objects"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn all_versions_markers_and_unfinished_uploads_are_deleted() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto(
        "s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={'Status': 'Enabled'})
for n in range(3): s3.put_object(Bucket=bucket, Key='twice', Body=b'x')
s3.put_object(Bucket=bucket, Key='gone', Body=b'x')
s3.delete_object(Bucket=bucket, Key='gone')
s3.create_multipart_upload(Bucket=bucket, Key='half')",
    )
    .await;
    site.teardown(&["--delete-objects"]).await.ends(0);
    assert_eq!(site.boto(LEFT).await, json!([]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn odd_keys_are_deleted_too() {
    let site = Site::open().await;
    site.provisioned().await;
    let put = site.boto(
        r"keys = ['a b', 'a+b', 'a%20b', '%', 'ü/本/🪣', 'a&<b>\'\x22', 'dir/', 'tab\there', ' ', 'a//b', '?q=1#f']
for key in keys: s3.put_object(Bucket=bucket, Key=key, Body=b'x')
len(s3.list_objects_v2(Bucket=bucket)['Contents'])",
    );
    assert_eq!(put.await, 11);
    site.teardown(&["--delete-objects"]).await.ends(0);
    assert_eq!(site.boto(LEFT).await, json!([]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn more_than_a_thousand_objects_are_deleted_in_batches() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto(
        "from concurrent.futures import ThreadPoolExecutor
list(ThreadPoolExecutor(8).map(lambda n: s3.put_object(Bucket=bucket, Key=f'{n:04}'), range(1001)))
None",
    )
    .await;
    site.aws.proxy().arm(When::operation("s3:DeleteObjects", 0), Fault::fail(Failure::Throttled));
    site.aws.proxy().clear_journal();
    site.teardown(&["--delete-objects"]).await.ends(0);
    let sent = site.mutations();
    assert!(sent.iter().filter(|sent| sent.operation == "s3:DeleteObjects").count() >= 3, "one was refused");
    assert!(sent.iter().all(|sent| sent.operation != "s3:DeleteObject"), "none went by itself");
    assert_eq!(site.boto(LEFT).await, json!([]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_bucket_that_s3_is_emptying_is_not_provisioned() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto("s3.put_object(Bucket=bucket, Key='run', Body=b'four')").await;
    let lifecycle = ["--delete-objects", "--empty-by", "lifecycle"];
    site.teardown(&lifecycle).await.ends(4).tells(&["next midnight", "hint:", "48 hours"]);
    site.run("provision", &["--yes"]).await.ends(3).tells(&[
        "lifecycle rules that empty it",
        "hint:",
        "lifecycle rules",
    ]);
    let verified = site.run("verify", &["--within", "1s"]).await.ends(6);
    assert!(verified.stdout.contains("lifecycle rules that empty it"), "{verified}");
    site.boto("s3.delete_object(Bucket=bucket, Key='run')").await;
    site.teardown(&lifecycle).await.ends(0);
    assert_eq!(site.boto(LEFT).await, json!([]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn data_that_is_gone_is_never_called_nothing() {
    let site = Site::open().await;
    site.run("provision", &["--queue", "internal", "--yes"]).await.ends(0);
    site.boto("for n in range(1001): s3.put_object(Bucket=bucket, Key=f'k{n:04}', Body=b'')").await;
    // The second batch is refused after the first has gone.
    site.aws
        .proxy()
        .arm(When::operation("s3:DeleteObjects", 1).times(usize::MAX), Fault::fail(Failure::AccessDenied));
    let ran = site.teardown(&["--queue", "internal", "--delete-objects"]).await;
    ran.ends(4).tells(&["AccessDenied", "hint:"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_key_that_s3_refuses_to_delete_is_named() {
    let site = Site::open().await;
    site.run("provision", &["--queue", "internal", "--yes"]).await.ends(0);
    site.boto("for n in range(20): s3.put_object(Bucket=bucket, Key=f'run-{n:02}', Body=b'')").await;
    let refused = Fault::KeyErrors(Failure::AccessDenied, Keys::Containing("run-07".to_owned()));
    site.aws.proxy().arm(When::operation("s3:DeleteObjects", 0).times(usize::MAX), refused);
    let ran = site.teardown(&["--queue", "internal", "--delete-objects"]).await;
    ran.ends(4).tells(&["/run-07: AccessDenied", "hint:"]);
    let left = site.boto("[one['Key'] for one in s3.list_objects_v2(Bucket=bucket)['Contents']]").await;
    assert_eq!(left, json!(["run-07"]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_locked_bucket_is_refused_before_anything_is_deleted() {
    let site = Site::open().await;
    site.boto("s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)").await;
    site.provision(&["--adopt"]).await.ends(0);
    // As if wbstore had made it: an adopted one would be given back.
    site.boto(
        "tags = s3.get_bucket_tagging(Bucket=bucket)['TagSet']
s3.put_bucket_tagging(Bucket=bucket, Tagging={'TagSet': [tag for tag in tags if tag['Key'] != 'wbstore:adopted']})
s3.put_object(Bucket=bucket, Key='kept', Body=b'x')",
    )
    .await;
    site.aws.proxy().clear_journal();
    site.teardown(&["--delete-objects"]).await.ends(3).tells(&["Object Lock is on", "hint:"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_queue_that_would_be_left_behind_is_asked_for() {
    let site = Site::open().await;
    site.provision(&["--queue", "mine"]).await.ends(0);
    site.aws.proxy().clear_journal();
    site.teardown(&[]).await.ends(3).tells(&["would leave behind", "hint: add --queue mine"]);
    site.is_untouched();
    site.teardown(&["--queue", "mine"]).await.ends(0);
    assert_eq!(site.boto(LEFT).await, json!([]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_queue_that_is_gone_already_is_no_obstacle() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto("sqs.delete_queue(QueueUrl=url(queue))").await;
    site.teardown(&[]).await.ends(0);
    assert_eq!(site.boto(LEFT).await, json!([]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn half_a_deployment_is_torn_down() {
    let site = Site::open().await;
    site.aws.proxy().arm(When::every("s3:CreateBucket"), Fault::fail(Failure::AccessDenied));
    site.provision(&[]).await.ends(4);
    site.aws.proxy().disarm();
    assert!(site.boto("url(queue)").await.as_str().is_some_and(|url| url.ends_with(QUEUE)));
    site.teardown(&[]).await.ends(0);
    assert_eq!(site.boto(LEFT).await, json!([]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_arrives_meanwhile_is_not_lost_in_silence() {
    let site = Site::open().await;
    site.provisioned().await;
    let delete = site
        .aws
        .proxy()
        .arm(When::operation("s3:DeleteBucket", 0), Fault::Hang(wbstore_sandbox::fault::Side::Before));
    let meanwhile = async {
        delete.reached().await;
        site.boto("s3.put_object(Bucket=bucket, Key='late', Body=b'x')").await;
        delete.release();
    };
    let (ran, ()) = futures::join!(site.teardown(&[]), meanwhile);
    ran.ends(4).tells(&["has changed since the plan", "it contains 1 object (1 byte)", "hint:"]);
    assert_eq!(site.boto("s3.get_object(Bucket=bucket, Key='late')['Body'].read().decode()").await, "x");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_name_alone_is_enough() {
    let site = Site::open().await;
    site.provisioned().await;
    let ran = site.aws.run(&["destroy", "aws", "--name", NAME, "--confirm", NAME]).await;
    ran.ends(0);
    assert_eq!(site.boto(LEFT).await, json!([]));
}
