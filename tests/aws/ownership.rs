//! Whose a bucket or queue is, and what happens when it is not ours.

use serde_json::Value;
use wbstore_sandbox::fault::{Failure, Fault, When};

use crate::support::{QUEUE, Site};

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_bucket_without_our_mark_is_refused() {
    let site = Site::open().await;
    site.boto("s3.create_bucket(Bucket=bucket); s3.put_object(Bucket=bucket, Key='theirs', Body=b'x')").await;
    site.aws.proxy().clear_journal();
    site.provision(&[]).await.ends(3).tells(&[&site.bucket, "has no wbstore mark", "hint:", "--adopt"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_queue_without_our_mark_is_refused_and_no_bucket_is_made() {
    let site = Site::open().await;
    site.boto("sqs.create_queue(QueueName=queue)").await;
    site.aws.proxy().clear_journal();
    site.provision(&[]).await.ends(3).tells(&[QUEUE, "has no wbstore mark", "--adopt"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_bucket_of_another_account_is_refused() {
    let site = Site::open().await;
    site.boto_as("999988887777", "s3.create_bucket(Bucket=bucket)").await;
    site.aws.proxy().clear_journal();
    let ran = site.provision(&[]).await.ends(3);
    ran.tells(&["belongs to another account", "hint:", "--bucket"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_bucket_of_another_account_cannot_be_adopted_or_torn_down() {
    let site = Site::open().await;
    site.boto_as("999988887777", "s3.create_bucket(Bucket=bucket)").await;
    site.aws.proxy().clear_journal();
    site.provision(&["--adopt"]).await.ends(3);
    site.teardown(&["--delete-objects"]).await.ends(3);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_teardown_of_another_deployment_leaves_ours() {
    let site = Site::open().await;
    site.provisioned().await;
    site.aws.proxy().clear_journal();
    let names = ["--name", "other", "--bucket", &site.bucket, "--queue", QUEUE, "--confirm", "other"];
    let ran = site.run("teardown", &names).await.ends(0);
    ran.tells(&["belongs to the deployment `wandb-acme-com`"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_bucket_in_another_region_is_refused_with_its_region() {
    let site = Site::open().await;
    let bucket = format!("elsewhere-{}", site.account());
    site.boto(&format!(
        "client('s3', region_name='eu-west-1').create_bucket(Bucket='{bucket}',
    CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})"
    ))
    .await;
    site.aws.proxy().clear_journal();
    let ran = site.provision(&["--bucket", &bucket, "--adopt"]).await.ends(3);
    ran.tells(&["eu-west-1", "hint:", "--region eu-west-1"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_redirect_to_another_region_is_refused_with_its_region() {
    let site = Site::open().await;
    let redirect = Fault::fail(Failure::WrongRegion("ap-south-1".to_owned()));
    site.aws.proxy().arm(When::every("s3:HeadBucket"), redirect);
    site.provision(&[]).await.ends(3).tells(&["is in ap-south-1", "hint:", "--region ap-south-1"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_name_that_others_took_between_plan_and_creation_is_told() {
    let site = Site::open().await;
    let taken = wbstore_sandbox::reply::ApiError::new(409, "BucketAlreadyExists", "The name is taken.");
    site.aws.proxy().arm(When::every("s3:CreateBucket"), Fault::fail(Failure::Other(taken)));
    let ran = site.provision(&["--queue", "internal"]).await.ends(3);
    ran.tells(&["is already taken by another AWS account", "hint:", "--bucket"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn tags_that_may_not_be_read_are_no_missing_tags() {
    let site = Site::open().await;
    site.provisioned().await;
    site.aws.proxy().clear_journal();
    for call in ["s3:GetBucketTagging", "sqs:ListQueueTags"] {
        site.aws.proxy().arm(When::every(call), Fault::fail(Failure::AccessDenied));
        for command in [&["provision", "--yes", "--adopt"][..], &["teardown", "--confirm", "wandb-acme-com"]]
        {
            let ran = site.run(command[0], &command[1..]).await.ends(3);
            ran.tells(&["cannot determine the owner", call, "hint:"]);
        }
        site.aws.proxy().disarm();
    }
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_adopted_bucket_and_queue_stay_and_lose_only_our_mark() {
    let site = Site::open().await;
    site.boto("s3.create_bucket(Bucket=bucket); sqs.create_queue(QueueName=queue)").await;
    site.provision(&["--adopt"]).await.ends(0);
    site.run("plan", &["--exit-code"]).await.ends(0);
    site.boto("s3.put_object(Bucket=bucket, Key='kept', Body=b'x')").await;
    site.teardown(&[]).await.ends(0);
    let found = site
        .boto(
            "def tags():
    try: return s3.get_bucket_tagging(Bucket=bucket)['TagSet']
    except s3.exceptions.ClientError as error: return error.response['Error']['Code']
dict(kept=s3.get_object(Bucket=bucket, Key='kept')['Body'].read().decode(), tags=tags(),
     queue_tags=sqs.list_queue_tags(QueueUrl=url(queue)).get('Tags', {}),
     policy=sqs.get_queue_attributes(QueueUrl=url(queue), AttributeNames=['All'])['Attributes'].get('Policy', ''),
     events=s3.get_bucket_notification_configuration(Bucket=bucket).get('QueueConfigurations', []))",
        )
        .await;
    assert_eq!(found["kept"], "x");
    assert!(found["tags"] == "NoSuchTagSet" || found["tags"] == Value::Array(vec![]), "{found:#}");
    assert_eq!(found["queue_tags"], serde_json::json!({}));
    assert_eq!(found["policy"], "", "our statement was the only one");
    assert_eq!(found["events"], serde_json::json!([]));
}
