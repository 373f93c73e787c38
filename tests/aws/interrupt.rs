//! Ctrl-C while AWS answers; at any other time, see `tests/conformance/interrupt.rs`.

use wbstore_sandbox::fault::{Failure, Fault, Side, When};

use crate::support::{Running, Site};

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_is_written_and_not_yet_read_back_is_told_as_done() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto("s3.delete_bucket_cors(Bucket=bucket)").await;
    site.aws.proxy().clear_journal();
    // The plan reads it, the second decision and the write do, and then it is read back.
    let read_back = When::operation("s3:GetBucketCors", 3).times(usize::MAX);
    site.aws.proxy().arm(read_back, Fault::fail(Failure::TooManyRequests(50)));
    let mut running = Running::start(site.command("provision", &["--yes"]));
    running.says("aws/cors/").await;
    running.says("retrying").await;
    running.interrupt();
    let ran = running.ended().await.ends(130).tells(&["interrupted", "hint:"]);
    let told = ran.stderr.lines().filter(|line| line.starts_with("aws/cors/")).collect::<Vec<_>>();
    assert!(told.iter().any(|line| line.contains(": created")), "{told:?}");
    assert!(!ran.stderr.contains("not started"), "{}", ran.stderr);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_verify_removes_its_probe() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto(
        "s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
sqs.purge_queue(QueueUrl=url(queue))",
    )
    .await;
    let receive = site.aws.proxy().arm(When::operation("sqs:ReceiveMessage", 0), Fault::Hang(Side::Before));
    let running = Running::start(site.command("verify", &["--within", "60s"]));
    receive.reached().await;
    running.interrupt();
    receive.release();
    running.ended().await.ends(130);
    assert_eq!(
        site.boto("s3.list_objects_v2(Bucket=bucket).get('Contents', [])").await,
        serde_json::json!([])
    );
}
