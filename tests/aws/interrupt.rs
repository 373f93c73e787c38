//! Ctrl-C, at any time.

use wbstore_sandbox::fault::{Failure, Fault, Side, When};

use crate::support::{Ends, NAME, Running, Site};

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn while_it_only_looks_it_stops_at_once() {
    for command in [
        &["plan"][..],
        &["provision", "--yes"],
        &["config"],
        &["verify"],
        &["teardown", "--confirm", NAME],
        &["list"],
    ] {
        // A place of its own, in which no call of the last one is still under way.
        let site = Site::open().await;
        // Whatever it asks first never answers.
        let first = site.aws.proxy().arm(When::every("s3:*"), Fault::Hang(Side::Before));
        let running = Running::start(site.command(command[0], &command[1..]));
        first.reached().await;
        running.interrupt();
        let ran = running.ended().await.ends(130).tells(&["interrupted"]);
        assert_eq!(ran.stdout, "");
        site.is_untouched();
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn in_the_middle_it_finishes_what_is_under_way_and_says_how_to_go_on() {
    let site = Site::open().await;
    let create = site.aws.proxy().arm(When::operation("s3:CreateBucket", 0), Fault::Hang(Side::Before));
    let mut running = Running::start(site.command("provision", &["--yes"]));
    create.reached().await;
    running.interrupt();
    running.says("those under way are finished").await;
    create.release();
    let ran = running.ended().await.ends(130).tells(&["interrupted", "hint:", "run the same"]);
    assert_eq!(ran.stdout, "", "half a deployment has no outputs");

    site.provisioned().await;
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_is_written_and_not_yet_read_back_is_told_as_done() {
    let site = Site::open().await;
    let read_back = When::operation("s3:GetBucketCors", 1).times(usize::MAX);
    site.aws.proxy().arm(read_back, Fault::fail(Failure::TooManyRequests(50)));
    let mut running = Running::start(site.command("provision", &["--yes"]));
    running.says("aws/cors/").await;
    running.says("waiting").await;
    running.interrupt();
    let ran = running.ended().await.ends(130).tells(&["interrupted", "hint:"]);
    let told = ran.stderr.lines().filter(|line| line.starts_with("aws/cors/")).collect::<Vec<_>>();
    assert!(told.iter().any(|line| line.contains(": created")), "{told:?}");
    assert!(!ran.stderr.contains("not tried"), "{}", ran.stderr);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_second_one_does_not_wait() {
    let site = Site::open().await;
    let create = site.aws.proxy().arm(When::operation("s3:CreateBucket", 0), Fault::Hang(Side::After));
    let mut running = Running::start(site.command("provision", &["--yes"]));
    create.reached().await;
    running.interrupt();
    running.says("those under way are finished").await;
    running.interrupt();
    // The answer that the first one would wait for has still not come.
    running.ended().await.ends(130);
    create.abandon();

    site.provisioned().await;
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_wait_for_the_cloud_ends_at_once() {
    let site = Site::open().await;
    let slow = Failure::TooManyRequests(50);
    let create = site.aws.proxy().arm(When::every("sqs:CreateQueue"), Fault::fail(slow));
    let running = Running::start(site.command("provision", &["--yes"]));
    create.reached().await;
    running.interrupt();
    running.ended().await.ends(130).tells(&["hint:"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_teardown_stops_between_two_batches_and_goes_on_later() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto("for n in range(20): s3.put_object(Bucket=bucket, Key=f'k{n}')").await;
    let batch = site.aws.proxy().arm(When::operation("s3:DeleteObjects", 0), Fault::Hang(Side::Before));
    let mut running = Running::start(site.command("teardown", &["--confirm", NAME, "--delete-objects"]));
    batch.reached().await;
    running.interrupt();
    running.says("those under way are finished").await;
    batch.release();
    running.ended().await.ends(130).tells(&["hint:", "run the same"]);

    site.teardown(&["--delete-objects"]).await.ends(0);
    assert_eq!(site.boto("s3.list_buckets()['Buckets']").await, serde_json::json!([]));
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
