//! Whatever was changed behind our back is found, and nothing else is touched to mend it.

use std::collections::BTreeSet;

use crate::support::{HOST, QUEUE, Site};

/// Provisions, lets boto3 run `change`, and checks that a plan finds it, that `provision` mends it
/// with no more than `calls`, and that nothing is left to do then.
async fn mends(change: &str, calls: &[&str]) {
    let site = Site::open().await;
    mends_on(&site, change, calls).await;
}

async fn mends_on(site: &Site, change: &str, calls: &[&str]) {
    site.provisioned().await;
    site.boto(change).await;
    site.aws.proxy().clear_journal();
    site.run("plan", &["--exit-code"]).await.ends(5);
    site.is_untouched();
    site.provisioned().await;
    let sent: BTreeSet<_> = site.mutations().into_iter().map(|sent| sent.operation).collect();
    assert_eq!(sent, calls.iter().map(ToString::to_string).collect());
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_changed_cors_rule_is_mended() {
    mends(
        "rules = s3.get_bucket_cors(Bucket=bucket)['CORSRules']
rules[0]['AllowedMethods'] = ['GET']
s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={'CORSRules': rules})",
        &["s3:PutBucketCors"],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_removed_cors_rule_is_made_again() {
    mends("s3.delete_bucket_cors(Bucket=bucket)", &["s3:PutBucketCors"]).await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_changed_notification_is_mended() {
    mends(
        "document = s3.get_bucket_notification_configuration(Bucket=bucket)
document.pop('ResponseMetadata')
document['QueueConfigurations'][0]['Filter'] = {'Key': {'FilterRules': [{'Name': 'prefix', 'Value': 'x/'}]}}
s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=document)",
        &["s3:PutBucketNotificationConfiguration"],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_removed_notification_is_made_again() {
    mends(
        "s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})",
        &["s3:PutBucketNotificationConfiguration"],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_changed_queue_attribute_is_mended() {
    mends(
        "sqs.set_queue_attributes(QueueUrl=url(queue), Attributes={'MessageRetentionPeriod': '60'})",
        &["sqs:SetQueueAttributes"],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_removed_queue_policy_is_made_again() {
    mends(
        "sqs.set_queue_attributes(QueueUrl=url(queue), Attributes={'Policy': ''})",
        &["sqs:SetQueueAttributes"],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_lost_tag_is_set_again_and_tags_of_others_stay() {
    let site = Site::open().await;
    let change = "s3.put_bucket_tagging(Bucket=bucket, Tagging={'TagSet': [
    {'Key': 'wbstore:deployment', 'Value': 'wandb-acme-com'}, {'Key': 'cost-centre', 'Value': '42'}]})";
    mends_on(&site, change, &["s3:PutBucketTagging"]).await;
    let tags =
        site.boto("{tag['Key']: tag['Value'] for tag in s3.get_bucket_tagging(Bucket=bucket)['TagSet']}");
    let tags = tags.await;
    assert_eq!((&tags["cost-centre"], &tags["wbstore:queue"]), (&"42".into(), &QUEUE.into()));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_lost_tag_of_the_user_is_set_again_on_bucket_and_queue() {
    let site = Site::open().await;
    let tags = ["--tag", "Cost Centre=c42"];
    site.provision(&tags).await.ends(0);
    site.boto(
        "tags = [tag for tag in s3.get_bucket_tagging(Bucket=bucket)['TagSet'] if tag['Key'] != 'Cost Centre']
s3.put_bucket_tagging(Bucket=bucket, Tagging={'TagSet': tags + [{'Key': 'cost centre', 'Value': 'theirs'}]})
sqs.tag_queue(QueueUrl=url(queue), Tags={'Cost Centre': 'c41'})",
    )
    .await;
    site.run("plan", &["--exit-code"]).await.ends(0);
    site.run("plan", &[&tags[..], &["--exit-code"]].concat()).await.ends(5);
    site.aws.proxy().clear_journal();
    site.provision(&tags).await.ends(0);
    let sent: BTreeSet<_> = site.mutations().into_iter().map(|sent| sent.operation).collect();
    assert_eq!(
        sent,
        ["s3:PutBucketTagging", "sqs:SetQueueAttributes", "sqs:TagQueue"].map(str::to_owned).into()
    );
    let tags = "[{tag['Key']: tag['Value'] for tag in s3.get_bucket_tagging(Bucket=bucket)['TagSet']},
 sqs.list_queue_tags(QueueUrl=url(queue))['Tags']]";
    let tags = site.boto(tags).await;
    assert_eq!((&tags[0]["Cost Centre"], &tags[0]["cost centre"]), (&"c42".into(), &"theirs".into()));
    assert_eq!(tags[1]["Cost Centre"], "c42");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn suspended_versions_are_enabled_again_where_they_are_asked_for() {
    let site = Site::open().await;
    site.provision(&["--versioning"]).await.ends(0);
    site.boto("s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={'Status': 'Suspended'})")
        .await;
    site.run("plan", &["--exit-code"]).await.ends(0);
    site.run("plan", &["--versioning", "--exit-code"]).await.ends(5);
    site.aws.proxy().clear_journal();
    site.provision(&["--versioning"]).await.ends(0);
    let sent: Vec<_> = site.mutations().into_iter().map(|sent| sent.operation).collect();
    assert_eq!(sent, ["s3:PutBucketVersioning"]);
    assert_eq!(site.boto("s3.get_bucket_versioning(Bucket=bucket)['Status']").await, "Enabled");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_opened_access_block_is_shut_again() {
    mends("s3.delete_public_access_block(Bucket=bucket)", &["s3:PutPublicAccessBlock"]).await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_removed_tls_policy_is_made_again() {
    mends("s3.delete_bucket_policy(Bucket=bucket)", &["s3:PutBucketPolicy"]).await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_change_of_object_ownership_is_taken_back() {
    mends(
        "s3.put_bucket_ownership_controls(Bucket=bucket,
    OwnershipControls={'Rules': [{'ObjectOwnership': 'ObjectWriter'}]})",
        &["s3:PutBucketOwnershipControls"],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_deleted_queue_is_made_again_with_its_permission() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto("sqs.delete_queue(QueueUrl=url(queue))").await;
    let plan = site.plan(&[]).await;
    assert_eq!(plan["counts"]["create"], 1, "{plan:#}");
    site.provisioned().await;
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn another_host_changes_only_the_cors_rule() {
    let site = Site::open().await;
    site.provisioned().await;
    site.aws.proxy().clear_journal();
    let moved = "https://new.acme.com";
    site.provision(&["--host", moved, "--name", "wandb-acme-com"]).await.ends(0);
    let sent: Vec<_> = site.mutations().into_iter().map(|sent| sent.operation).collect();
    assert_eq!(sent, ["s3:PutBucketCors"]);
    let origins = site.boto("s3.get_bucket_cors(Bucket=bucket)['CORSRules'][0]['AllowedOrigins']").await;
    assert_eq!(origins, serde_json::json!([moved]), "{HOST} is no longer among them");
}

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";

/// Sets the bucket's default encryption, whose key and algorithm may be spelled in several ways.
async fn encrypted(site: &Site, algorithm: &str, key: &str) {
    site.boto(&format!(
        "s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={{'Rules': [
    {{'ApplyServerSideEncryptionByDefault': {{'SSEAlgorithm': '{algorithm}', 'KMSMasterKeyID': '{key}'}},
     'BucketKeyEnabled': True, 'BlockedEncryptionTypes': {{'EncryptionType': ['SSE-C']}}}}]}})"
    ))
    .await;
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_key_in_another_spelling_is_no_drift() {
    let site = Site::open().await;
    site.provision(&["--kms-key", KEY]).await.ends(0);
    for (algorithm, key) in [("aws:kms", "11111111-2222-3333-4444-555555555555"), ("aws:kms:dsse", KEY)] {
        encrypted(&site, algorithm, key).await;
        site.run("plan", &["--kms-key", KEY, "--exit-code"]).await.ends(0);
    }
    encrypted(&site, "aws:kms", "alias/acme").await;
    let plan = site.plan(&["--kms-key", KEY]).await.to_string();
    assert!(plan.contains("alias/acme") && plan.contains("kms:DescribeKey"), "{plan}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_the_encryption_document_holds_besides_goes_back() {
    let site = Site::open().await;
    site.provision(&["--kms-key", KEY]).await.ends(0);
    let other = KEY.replace("11111111", "66666666");
    encrypted(&site, "aws:kms", &other).await;
    site.provision(&["--kms-key", KEY]).await.ends(0);
    let rule = site
        .boto("s3.get_bucket_encryption(Bucket=bucket)['ServerSideEncryptionConfiguration']['Rules'][0]")
        .await;
    assert_eq!(rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"], KEY);
    assert_eq!(rule["BlockedEncryptionTypes"]["EncryptionType"][0], "SSE-C", "{rule}");
}
