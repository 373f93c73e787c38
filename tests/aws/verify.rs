//! The proof that it works, and what it says when it does not.

use serde_json::json;
use wbstore_sandbox::aws::Ran;
use wbstore_sandbox::fault::{Failure, Fault, Side, When};

use crate::support::{QUEUE, Site};

async fn verify(site: &Site) -> Ran {
    verify_within(site, "60s").await
}

/// `verify` where it waits for something that does not come.
async fn verify_in_vain(site: &Site) -> Ran {
    verify_within(site, "3s").await
}

async fn verify_within(site: &Site, time: &str) -> Ran {
    site.run("verify", &["--within", time, "--format", "json"]).await
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_fresh_deployment_passes_every_check() {
    let site = Site::open_provisioned().await;
    let ran = verify(&site).await.ends(0);
    for line in ran.stdout.lines() {
        assert!(line.contains("\"verdict\":\"passed\""), "{line}");
    }
    for name in ["drift", "not public", "preflight GET", "preflight PUT", "preflight HEAD", "upload", "event"]
    {
        ran.check(name);
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn people_read_a_line_a_check_with_the_latency() {
    let site = Site::open_provisioned().await;
    let ran = site.run("verify", &["--within", "60s"]).await.ends(0);
    assert!(ran.stdout.contains("after the upload") && ran.stdout.contains("It works:"), "{ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_probe_is_removed_and_its_event_too() {
    let site = Site::open_provisioned().await;
    verify(&site).await.ends(0);
    let left = site
        .boto(
            "dict(objects=s3.list_object_versions(Bucket=bucket).get('Versions', []),
     probes=[message['Body'] for message in sqs.receive_message(QueueUrl=url(queue), MaxNumberOfMessages=10,
             WaitTimeSeconds=1).get('Messages', []) if 'wbstore-probe' in message['Body']])",
        )
        .await;
    assert_eq!(left, json!({"objects": [], "probes": []}));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn messages_of_others_stay_in_the_queue() {
    let site = Site::open_provisioned().await;
    site.boto("for n in range(12): sqs.send_message(QueueUrl=url(queue), MessageBody=f'theirs {n}')").await;
    verify(&site).await.ends(0);
    let left = site
        .boto(
            "found = set()
for _ in range(20):
    for message in sqs.receive_message(QueueUrl=url(queue), MaxNumberOfMessages=10, VisibilityTimeout=60,
                                       WaitTimeSeconds=1).get('Messages', []):
        if message['Body'].startswith('theirs'): found.add(message['Body'])
    if len(found) == 12: break
len(found)",
        )
        .await;
    assert_eq!(left, 12);
}

/// How many messages of others there are, and how often each was received.
const THEIRS: &str = "
found = {}
for _ in range(400):
    got = sqs.receive_message(QueueUrl=url(queue), MaxNumberOfMessages=10, VisibilityTimeout=300, WaitTimeSeconds=0,
                              AttributeNames=['ApproximateReceiveCount']).get('Messages', [])
    if not got: break
    for message in got:
        if message['Body'].startswith('theirs'):
            found[message['Body']] = int(message['Attributes']['ApproximateReceiveCount']) - 1
dict(left=len(found), most=max(found.values(), default=0))
";

/// The time and what is left behind are in docs/aws.md.
#[expect(clippy::print_stdout, reason = "the numbers are for docs/aws.md")]
#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn unread_messages_of_others_are_all_left_however_many_there_are() {
    for count in [0, 31, 33, 500] {
        let site = Site::open_provisioned().await;
        site.boto(&format!(
            "for start in range(0, {count}, 10):
    sqs.send_message_batch(QueueUrl=url(queue), Entries=[{{'Id': str(n), 'MessageBody': f'theirs {{n}}'}}
        for n in range(start, min(start + 10, {count}))])"
        ))
        .await;
        let begun = std::time::Instant::now();
        let ran = verify(&site).await;
        let event = ran.check("event");
        let took = begun.elapsed().as_secs_f64();
        let found = site.boto(THEIRS).await;
        println!("{count} unread messages: {took:.1} s, {}, {found}", event["verdict"]);
        assert_eq!(found["left"], count, "{event}");
        ran.ends(0);
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn messages_that_a_dead_letter_queue_waits_for_are_not_received() {
    let site = Site::open_provisioned().await;
    site.boto(
        "dead = sqs.create_queue(QueueName='dead')['QueueUrl']
sqs.set_queue_attributes(QueueUrl=url(queue), Attributes={'RedrivePolicy': json.dumps(
    {'deadLetterTargetArn': f'arn:aws:sqs:{region}:{account}:dead', 'maxReceiveCount': '2'})})",
    )
    .await;
    let plan = site.plan(&[]).await.to_string();
    assert!(plan.contains("dead-letter queue after 2 receives"), "{plan}");
    verify(&site).await.ends(0);
    site.boto("for n in range(3): sqs.send_message(QueueUrl=url(queue), MessageBody=f'theirs {n}')").await;
    let ran = verify(&site).await.ends(0);
    let event = ran.check("event");
    assert_eq!(event["verdict"], "inconclusive", "{event}");
    assert!(event["reason"].as_str().is_some_and(|why| why.contains("after 2 receives")), "{event}");
    assert_eq!(site.boto(THEIRS).await, json!({"left": 3, "most": 0}));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_upload_that_is_throttled_proves_nothing() {
    let site = Site::open_provisioned().await;
    site.aws.proxy().arm(When::every("s3:PutObject"), Fault::fail(Failure::Throttled));
    let ran = verify(&site).await.ends(0);
    let upload = ran.check("upload");
    assert_eq!(upload["verdict"], "inconclusive", "{upload}");
    assert!(!upload.to_string().contains("grant"), "{upload}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn drift_fails_it() {
    let site = Site::open_provisioned().await;
    site.boto("sqs.set_queue_attributes(QueueUrl=url(queue), Attributes={'MessageRetentionPeriod': '60'})")
        .await;
    let ran = verify(&site).await.ends(6);
    let drift = ran.check("drift");
    assert_eq!(drift["verdict"], "failed");
    assert!(drift["reason"].as_str().is_some_and(|reason| reason.contains("retention_seconds")), "{drift}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn nothing_provisioned_fails_it_at_once() {
    let site = Site::open().await;
    let ran = verify(&site).await.ends(6);
    assert_eq!(ran.check("drift")["verdict"], "failed");
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_queue_that_is_gone_is_one_line_a_fact() {
    let site = Site::open_provisioned().await;
    site.boto("sqs.delete_queue(QueueUrl=url(queue))").await;
    let ran = verify(&site).await.ends(6);
    assert!(ran.stderr.lines().all(|line| line.contains("\"event\":\"waiting\"")), "{ran}");
    let queue = format!("aws/queue/{QUEUE}");
    for (name, says) in [("drift", "(missing)"), ("event", "no event can arrive")] {
        let check = ran.check(name);
        assert_eq!(check["verdict"], "failed", "{check}");
        let reason = check["reason"].as_str().expect("text");
        assert!(reason.contains(&queue) && reason.contains(says), "{check}");
        assert!(check["hint"].as_str().is_some_and(|hint| hint.contains("`wbstore provision`")), "{check}");
    }
    assert_eq!(ran.check("upload")["verdict"], "passed", "the bucket is proven all the same");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_event_that_is_not_sent_fails_it() {
    let site = Site::open_provisioned().await;
    site.boto("s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})").await;
    let ran = verify_in_vain(&site).await.ends(6);
    let event = ran.check("event");
    assert_eq!(event["verdict"], "failed", "{event}");
    assert!(event["hint"].as_str().is_some_and(|hint| hint.contains("wbstore plan aws")), "{event}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_event_that_somebody_else_took_leaves_it_open() {
    let site = Site::open_provisioned().await;
    let receive = site.aws.proxy().arm(When::operation("sqs:ReceiveMessage", 0), Fault::Hang(Side::Before));
    let other = async {
        receive.reached().await;
        site.boto(
            "while not any('wbstore-probe' in message['Body'] for message in sqs.receive_message(
        QueueUrl=url(queue), VisibilityTimeout=120, MaxNumberOfMessages=10).get('Messages', [])): pass",
        )
        .await;
        receive.release();
    };
    let (ran, ()) = futures::join!(verify_in_vain(&site), other);
    let event = ran.check("event");
    assert_eq!(event["verdict"], "inconclusive", "{event}");
    assert!(event["reason"].as_str().is_some_and(|reason| reason.contains("another consumer")), "{event}");
    ran.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_browser_that_is_refused_fails_it() {
    let site = Site::open_provisioned().await;
    site.boto("s3.delete_bucket_cors(Bucket=bucket)").await;
    let ran = verify(&site).await.ends(6);
    assert_eq!(ran.check("preflight PUT")["verdict"], "failed");
    assert_eq!(ran.check("ETag exposed")["verdict"], "failed");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_bucket_that_every_page_may_use_fails_it() {
    let site = Site::open_provisioned().await;
    site.boto(
        "rules = s3.get_bucket_cors(Bucket=bucket)['CORSRules']
s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={'CORSRules': rules + [
    {'AllowedOrigins': ['*'], 'AllowedMethods': ['PUT'], 'AllowedHeaders': ['*']}]})",
    )
    .await;
    let ran = verify(&site).await.ends(6);
    assert_eq!(ran.check("preflight other origin")["verdict"], "failed");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_bucket_that_is_open_to_everybody_fails_it() {
    let site = Site::open_provisioned().await;
    site.boto("s3.delete_public_access_block(Bucket=bucket)").await;
    let ran = verify(&site).await.ends(6);
    let public = ran.check("not public");
    assert_eq!(public["verdict"], "failed", "{public}");
    assert!(public["reason"].as_str().is_some_and(|reason| reason.contains("BlockPublicPolicy")), "{public}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_internal_queue_has_no_event_to_wait_for() {
    let site = Site::open().await;
    site.provision(&["--queue", "internal"]).await.ends(0);
    let ran = site.run("verify", &["--queue", "internal"]).await.ends(0);
    assert!(!ran.stdout.contains("after the upload"), "{ran}");
}

/// `verify --as node`, by somebody who may do what `policy --for node` prints, but for `without`.
async fn verify_as_node(site: &Site, without: &str) -> Ran {
    let mut policy = site.run("policy", &["--for", "node"]).await.ends(0).json().to_string();
    if !without.is_empty() {
        assert!(policy.contains(without), "{without} is not in {policy}");
        let quoted = |action: &str| format!("\"{action}\"");
        policy = policy.replace(&quoted(without), &quoted("s3:GetBucketWebsite"));
    }
    let env = site.aws.env_of_user(&policy).await.expect("the emulator has IAM");
    let mut command = site.command("verify", &["--as", "node", "--within", "30s", "--format", "json"]);
    command.envs(env);
    wbstore_sandbox::aws::finish(command).await
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_server_can_do_its_work_with_the_printed_policy() {
    let site = Site::open_provisioned().await;
    site.boto("for n in range(3): sqs.send_message(QueueUrl=url(queue), MessageBody=f'theirs {n}')").await;
    let ran = verify_as_node(&site, "").await.ends(0);
    for line in ran.stdout.lines() {
        assert!(line.contains("\"verdict\":\"passed\""), "{line}");
    }
    for name in [
        "identity",
        "presigned PUT",
        "presigned GET",
        "HEAD",
        "list",
        "multipart upload",
        "receive",
        "delete",
    ] {
        ran.check(name);
    }
    let left = site
        .boto("[s3.list_object_versions(Bucket=bucket).get('Versions', []), s3.list_multipart_uploads(Bucket=bucket).get('Uploads', [])]")
        .await;
    assert_eq!(left, json!([[], []]));
    assert_eq!(site.boto(THEIRS).await["left"], 3);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_the_server_lacks_is_named_with_its_statement() {
    let site = Site::open_provisioned().await;
    for (without, checks, statement) in [
        ("s3:PutObject", &["presigned PUT", "multipart upload"][..], "ReadAndWriteObjects"),
        ("s3:GetObject*", &["presigned GET", "HEAD"], "ReadAndWriteObjects"),
        ("s3:ListBucket", &["list"], "ListBucket"),
        ("sqs:ReceiveMessage", &["receive"], "ConsumeObjectEvents"),
        ("s3:DeleteObject", &["delete"], "ReadAndWriteObjects"),
    ] {
        let ran = verify_as_node(&site, without).await.ends(6);
        for name in checks {
            let check = ran.check(name);
            assert_eq!(check["verdict"], "failed", "{without}: {check}");
            assert!(check["hint"].as_str().is_some_and(|hint| hint.contains(statement)), "{check}");
        }
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_role_of_the_server_is_assumed() {
    let site = Site::open_provisioned().await;
    site.boto(
        "trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'sts:AssumeRole',
    'Principal': {'AWS': f'arn:aws:iam::{account}:root'}}]}
iam.create_role(RoleName='wandb', AssumeRolePolicyDocument=json.dumps(trust))
anything = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]}
iam.put_role_policy(RoleName='wandb', PolicyName='node', PolicyDocument=json.dumps(anything))",
    )
    .await;
    let role = format!("arn:aws:iam::{}:role/wandb", site.account());
    let arguments = ["--as", "node", "--assume-role", &role, "--within", "30s", "--format", "json"];
    let ran = site.run("verify", &arguments).await.ends(0);
    assert!(
        ran.check("identity")["detail"].as_str().is_some_and(|arn| arn.contains("assumed-role/wandb/")),
        "{ran}"
    );
}
