//! What `provision` makes, as boto3 reads it.

use serde_json::{Value, json};

use crate::support::{HOST, NAME, QUEUE, Site};

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_bucket_is_made_in_the_region_and_shut_in_every_way() {
    let site = Site::open().await;
    site.provisioned().await;
    let found = site
        .boto(
            "dict(region=s3.get_bucket_location(Bucket=bucket)['LocationConstraint'],
                  ownership=s3.get_bucket_ownership_controls(Bucket=bucket)['OwnershipControls']['Rules'],
                  blocks=s3.get_public_access_block(Bucket=bucket)['PublicAccessBlockConfiguration'],
                  encryption=s3.get_bucket_encryption(Bucket=bucket)['ServerSideEncryptionConfiguration'])",
        )
        .await;
    assert_eq!(found["region"], Value::Null, "us-east-1 is what no constraint means");
    assert_eq!(found["ownership"], json!([{"ObjectOwnership": "BucketOwnerEnforced"}]));
    assert_eq!(
        found["blocks"],
        json!({
            "BlockPublicAcls": true, "IgnorePublicAcls": true,
            "BlockPublicPolicy": true, "RestrictPublicBuckets": true,
        })
    );
    let by_default = &found["encryption"]["Rules"][0]["ApplyServerSideEncryptionByDefault"];
    assert_eq!(by_default["SSEAlgorithm"], "AES256");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_bucket_is_marked_in_the_creating_call() {
    let site = Site::open().await;
    site.provisioned().await;
    let journal = site.aws.proxy().journal();
    let create = journal.iter().find(|sent| sent.operation == "s3:CreateBucket").expect("it was created");
    let body = String::from_utf8_lossy(&create.body);
    assert!(body.contains(&format!("<Key>wbstore:deployment</Key><Value>{NAME}</Value>")), "{body}");
    let tags =
        site.boto("{tag['Key']: tag['Value'] for tag in s3.get_bucket_tagging(Bucket=bucket)['TagSet']}");
    assert_eq!(tags.await, json!({"wbstore:deployment": NAME, "wbstore:queue": QUEUE}));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_bucket_refuses_what_comes_without_tls() {
    let site = Site::open().await;
    site.provisioned().await;
    let policy = site.boto("json.loads(s3.get_bucket_policy(Bucket=bucket)['Policy'])").await;
    let bucket = format!("arn:aws:s3:::{}", site.bucket);
    assert_eq!(
        policy["Statement"],
        json!([{
            "Sid": format!("wbstore-{NAME}"), "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [bucket, format!("{bucket}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }])
    );
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn browsers_from_the_host_may_read_and_upload() {
    let site = Site::open().await;
    site.provisioned().await;
    let mut rules = site.boto("s3.get_bucket_cors(Bucket=bucket)['CORSRules']").await;
    let methods = rules[0]["AllowedMethods"].as_array_mut().expect("it lists methods");
    methods.sort_by_key(ToString::to_string);
    assert_eq!(
        rules,
        json!([{
            "ID": format!("wbstore-{NAME}"), "AllowedOrigins": [HOST],
            "AllowedMethods": ["GET", "HEAD", "PUT"], "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 3000,
        }])
    );
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_queue_keeps_messages_long_and_takes_them_from_this_bucket_only() {
    let site = Site::open().await;
    site.provisioned().await;
    let found = site
        .boto(
            "dict(attributes=sqs.get_queue_attributes(QueueUrl=url(queue), AttributeNames=['All'])['Attributes'],
                  tags=sqs.list_queue_tags(QueueUrl=url(queue))['Tags'])",
        )
        .await;
    let attributes = &found["attributes"];
    assert_eq!(attributes["ReceiveMessageWaitTimeSeconds"], "20");
    assert_eq!(attributes["MessageRetentionPeriod"], "1209600");
    assert_eq!(attributes["SqsManagedSseEnabled"], "true");
    let policy: Value = serde_json::from_str(attributes["Policy"].as_str().expect("a policy")).unwrap();
    let account = site.account();
    assert_eq!(
        policy["Statement"],
        json!([{
            "Sid": format!("wbstore-{NAME}"), "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": format!("arn:aws:sqs:us-east-1:{account}:{QUEUE}"),
            "Condition": {
                "ArnLike": {"aws:SourceArn": format!("arn:aws:s3:::{}", site.bucket)},
                "StringEquals": {"aws:SourceAccount": account},
            },
        }])
    );
    assert_eq!(found["tags"], json!({"wbstore:deployment": NAME, "wbstore:role": "events"}));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_uploaded_object_becomes_a_message_in_the_queue() {
    let site = Site::open().await;
    site.provisioned().await;
    let key = site
        .boto(
            "s3.put_object(Bucket=bucket, Key='runs/a b+c.txt', Body=b'x')
def events():
    for _ in range(10):
        for message in sqs.receive_message(QueueUrl=url(queue), WaitTimeSeconds=5).get('Messages', []):
            yield from json.loads(message['Body']).get('Records', [])
import urllib.parse
urllib.parse.unquote_plus(next(events())['s3']['object']['key'])",
        )
        .await;
    assert_eq!(key, "runs/a b+c.txt");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_kms_key_encrypts_the_bucket_and_is_told_to_the_server() {
    let site = Site::open().await;
    let key = site.boto("kms.create_key()['KeyMetadata']['Arn']").await;
    let key = key.as_str().expect("an ARN");
    let ran = site.provision(&["--kms-key", key]).await.ends(0);
    assert_eq!(ran.outputs()["AWS_S3_KMS_ID"], key);
    let rule = "s3.get_bucket_encryption(Bucket=bucket)['ServerSideEncryptionConfiguration']['Rules'][0]";
    let rule = site.boto(rule).await;
    assert_eq!(
        rule["ApplyServerSideEncryptionByDefault"],
        json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key})
    );
    assert_eq!(rule["BucketKeyEnabled"], true);
    site.run("plan", &["--kms-key", key, "--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_notifications_queue_is_made_and_told_to_the_server() {
    let site = Site::open().await;
    let ran = site.provision(&["--notifications-queue", "run-events"]).await.ends(0);
    assert_eq!(ran.outputs()["NOTIFICATIONS_QUEUE"], "sqs://run-events");
    let found = site
        .boto(
            "dict(tags=sqs.list_queue_tags(QueueUrl=url('run-events'))['Tags'],
                  attributes=sqs.get_queue_attributes(QueueUrl=url('run-events'), AttributeNames=['All'])['Attributes'])",
        )
        .await;
    assert_eq!(found["tags"], json!({"wbstore:deployment": NAME, "wbstore:role": "notifications"}));
    assert!(matches!(found["attributes"]["Policy"].as_str(), None | Some("")), "S3 may not send to it");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_notifications_queue_without_a_name_gets_one() {
    let site = Site::open().await;
    let ran = site.provision(&["--notifications-queue"]).await.ends(0);
    assert_eq!(ran.outputs()["NOTIFICATIONS_QUEUE"], format!("sqs://{QUEUE}-events"));
    site.boto(&format!("url('{QUEUE}-events')")).await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_internal_queue_makes_no_queue_and_no_events() {
    let site = Site::open().await;
    let ran = site.provision(&["--queue", "internal"]).await.ends(0);
    assert_eq!(ran.outputs()["BUCKET_QUEUE"], "internal://");
    let found = site
        .boto(
            "dict(queues=sqs.list_queues().get('QueueUrls', []),
                  events=s3.get_bucket_notification_configuration(Bucket=bucket).get('QueueConfigurations', []))",
        )
        .await;
    assert_eq!(found, json!({"queues": [], "events": []}));
    site.run("plan", &["--queue", "internal", "--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn another_region_is_asked_for_by_name() {
    let site = Site::open_in("eu-west-1").await;
    let ran = site.provisioned().await;
    assert_eq!(ran.outputs()["AWS_REGION"], "eu-west-1");
    let journal = site.aws.proxy().journal();
    let create = journal.iter().find(|sent| sent.operation == "s3:CreateBucket").expect("it was created");
    assert!(
        String::from_utf8_lossy(&create.body).contains("<LocationConstraint>eu-west-1</LocationConstraint>")
    );
    assert_eq!(site.boto("s3.get_bucket_location(Bucket=bucket)['LocationConstraint']").await, "eu-west-1");
    assert!(site.boto("url(queue)").await.is_string(), "the queue is in that region too");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_outputs_name_what_was_made() {
    let site = Site::open().await;
    let ran = site.provisioned().await;
    let bucket = format!("s3://{}", site.bucket);
    let queue = format!("sqs://{QUEUE}");
    assert_eq!(
        ran.outputs(),
        [("AWS_REGION", "us-east-1"), ("BUCKET", bucket.as_str()), ("BUCKET_QUEUE", queue.as_str())].into()
    );
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn every_change_of_the_bucket_names_the_owner_it_expects() {
    let site = Site::open().await;
    site.provisioned().await;
    site.teardown(&[]).await.ends(0);
    for sent in site.mutations() {
        // There is no owner yet to expect of a bucket that is being made.
        if sent.operation.starts_with("s3:") && sent.operation != "s3:CreateBucket" {
            let owner = sent.header("x-amz-expected-bucket-owner");
            assert_eq!(owner, Some(site.account()), "{}", sent.operation);
        }
    }
}
