//! What others have set on a bucket or a queue and makes uploads, events or deletions fail.

use serde_json::{Value, json};
use wbstore_sandbox::fault::{Failure, Fault, When};

use crate::support::Site;

/// The findings of all steps.
fn findings(plan: &Value) -> String {
    let steps = plan["steps"].as_array().expect("a list").iter();
    let all = steps.flat_map(|step| step["findings"].as_array().expect("a list"));
    all.map(|finding| finding.as_str().expect("text")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_plan_without_troubles_has_no_finding() {
    let site = Site::open_provisioned().await;
    assert_eq!(findings(&site.plan(&[]).await), "");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn rules_that_delete_files_are_shown_and_harmless_ones_are_not() {
    let site = Site::open_provisioned().await;
    site.boto(
        "s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={'Rules': [
    {'ID': 'tidy', 'Status': 'Enabled', 'Filter': {'Prefix': 'media/'}, 'Expiration': {'Days': 90}},
    {'ID': 'parts', 'Status': 'Enabled', 'Filter': {'Prefix': ''},
     'AbortIncompleteMultipartUpload': {'DaysAfterInitiation': 3}},
    {'ID': 'old', 'Status': 'Enabled', 'Filter': {'Prefix': ''}, 'NoncurrentVersionExpiration': {'NoncurrentDays': 3}},
    {'ID': 'off', 'Status': 'Disabled', 'Filter': {'Prefix': ''}, 'Expiration': {'Days': 1}}]})",
    )
    .await;
    let found = findings(&site.plan(&[]).await);
    let said = "the lifecycle rule `tidy` deletes objects below `media/` 90 days after they were created";
    assert!(found.contains(said), "{found}");
    assert_eq!(found.lines().count(), 1, "{found}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn under_a_default_retention_nothing_is_uploaded() {
    let site = Site::open().await;
    site.boto(
        "s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={'ObjectLockEnabled': 'Enabled',
    'Rule': {'DefaultRetention': {'Mode': 'COMPLIANCE', 'Days': 30}}})",
    )
    .await;
    let found = findings(&site.plan(&["--adopt"]).await);
    assert!(found.contains("Object Lock retains every new object (COMPLIANCE, 30 days)"), "{found}");
    site.provision(&["--adopt"]).await.ends(0);
    let ran = site.run("verify", &["--within", "3s"]).await.ends(0);
    assert!(ran.stdout.contains("nothing was uploaded: Object Lock (COMPLIANCE, 30 days)"), "{ran}");
    let versions = site.boto("s3.list_object_versions(Bucket=bucket).get('Versions', [])").await;
    assert_eq!(versions, json!([]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn who_pays_is_shown() {
    let site = Site::open_provisioned().await;
    site.boto(
        "s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={'Payer': 'Requester'})",
    )
    .await;
    let found = findings(&site.plan(&[]).await);
    assert!(found.contains("requester pays is on"), "{found}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn statements_that_shut_out_are_shown() {
    let site = Site::open_provisioned().await;
    site.boto(
        "policy = json.loads(s3.get_bucket_policy(Bucket=bucket)['Policy'])
policy['Statement'].append({'Sid': 'fence', 'Effect': 'Deny', 'Principal': '*', 'Action': 's3:*',
    'Resource': f'arn:aws:s3:::{bucket}/*', 'Condition': {'StringNotEquals': {'aws:SourceVpce': 'vpce-1'}}})
s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
policy = json.loads(sqs.get_queue_attributes(QueueUrl=url(queue), AttributeNames=['Policy'])['Attributes']['Policy'])
policy['Statement'].append({'Sid': 'inside', 'Effect': 'Deny', 'Principal': '*', 'Action': 'sqs:Send*',
    'Resource': '*', 'Condition': {'NotIpAddress': {'aws:SourceIp': '10.0.0.0/8'}}})
sqs.set_queue_attributes(QueueUrl=url(queue), Attributes={'Policy': json.dumps(policy)})",
    )
    .await;
    let found = findings(&site.plan(&[]).await);
    for said in [
        "statement `fence`: Deny s3:* to * if StringNotEquals aws:SourceVpce: requests of browsers",
        "statement `inside`: Deny sqs:Send* to * if NotIpAddress aws:SourceIp: requests of S3 or the W&B server",
    ] {
        assert!(found.contains(said), "{said} is not in {found}");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_could_not_be_checked_is_said() {
    let site = Site::open_provisioned().await;
    for (call, permission) in [
        ("s3:GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration"),
        ("s3:GetBucketRequestPayment", "s3:GetBucketRequestPayment"),
        ("s3:GetBucketVersioning", "s3:GetBucketVersioning"),
    ] {
        site.aws.proxy().arm(When::every(call), Fault::fail(Failure::AccessDenied));
        let found = findings(&site.plan(&[]).await);
        assert!(found.contains("was not checked") && found.contains(permission), "{found}");
        site.aws.proxy().disarm();
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_acl_that_grants_to_others_is_refused_before_anything_is_written() {
    let site = Site::open().await;
    site.boto(
        "s3.create_bucket(Bucket=bucket, ObjectOwnership='ObjectWriter')
s3.delete_public_access_block(Bucket=bucket)
s3.put_bucket_acl(Bucket=bucket, ACL='log-delivery-write')",
    )
    .await;
    site.aws.proxy().clear_journal();
    let ran = site.provision(&["--adopt"]).await.ends(3);
    ran.tells(&["its ACL grants access to", "LogDelivery", "put-bucket-acl", "--acl private"]);
    site.is_untouched();
    site.boto("s3.put_bucket_acl(Bucket=bucket, ACL='private')").await;
    let ran = site.provision(&["--adopt"]).await.ends(0);
    ran.tells(&["disabling ACLs ends"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_bucket_with_attribute_based_access_is_not_half_adopted() {
    let site = Site::open().await;
    site.boto(
        "s3.create_bucket(Bucket=bucket)
s3.put_bucket_abac(Bucket=bucket, AbacStatus={'Status': 'Enabled'})",
    )
    .await;
    site.aws.proxy().clear_journal();
    let ran = site.provision(&["--adopt"]).await.ends(3);
    ran.tells(&["attribute-based access control is on", "put-bucket-abac"]);
    site.is_untouched();
    site.boto("s3.put_bucket_abac(Bucket=bucket, AbacStatus={'Status': 'Disabled'})").await;
    site.provision(&["--adopt"]).await.ends(0);
    site.boto("s3.put_bucket_abac(Bucket=bucket, AbacStatus={'Status': 'Enabled'})").await;
    site.run("plan", &["--exit-code"]).await.ends(0);
    site.teardown(&[]).await.ends(3).tells(&["attribute-based access control is on"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn limits_are_counted_before_anything_is_written() {
    let site = Site::open().await;
    site.boto(
        "s3.create_bucket(Bucket=bucket)
s3.put_bucket_tagging(Bucket=bucket, Tagging={'TagSet': [{'Key': 'team', 'Value': 'ml'}]})
sqs.create_queue(QueueName=queue)
def statement(n, action, resource): return {'Sid': f's{n}', 'Effect': 'Allow', 'Action': action, 'Resource': resource,
    'Principal': {'AWS': f'arn:aws:iam::{account}:root'}}
def policy(count, action, resource): return json.dumps({'Version': '2012-10-17',
    'Statement': [statement(n, action, resource) for n in range(count)]})
s3.put_bucket_policy(Bucket=bucket, Policy=policy(130, 's3:GetObject', f'arn:aws:s3:::{bucket}/*'))
sqs.set_queue_attributes(QueueUrl=url(queue), Attributes={'Policy':
    policy(20, 'sqs:GetQueueUrl', f'arn:aws:sqs:{region}:{account}:{queue}')})
topic = sns.create_topic(Name='many')['TopicArn']
s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={'TopicConfigurations': [
    {'Id': f'n{n}', 'TopicArn': topic, 'Events': ['s3:ObjectRemoved:*'],
     'Filter': {'Key': {'FilterRules': [{'Name': 'prefix', 'Value': f'p{n:03}/'}]}}} for n in range(100)]})",
    )
    .await;
    site.aws.proxy().clear_journal();
    site.provision(&["--adopt"]).await.ends(3).tells(&[
        "S3 allows 20480",
        "the bucket has 100 notifications, and S3 allows at most 100",
        "SQS allows 20 in 8192",
    ]);
    site.is_untouched();
}
