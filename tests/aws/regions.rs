//! What not every region has: tags of new buckets, and names in the account's own namespace.

use serde_json::json;
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::strict::Feature;

use crate::support::Site;

const TAGS: &str = "sorted(tag['Key'] for tag in s3.get_bucket_tagging(Bucket=bucket)['TagSet'])";

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_bucket_is_tagged_afterwards_where_its_creation_takes_no_tags() {
    let site = Site::open().await;
    site.aws.proxy().leave_out(Feature::TagsOfNewBuckets);
    site.provisioned().await;
    assert_eq!(site.boto(TAGS).await, json!(["wbstore:deployment", "wbstore:queue"]));
    site.run("plan", &["--exit-code"]).await.ends(0);
    site.teardown(&[]).await.ends(0);
    assert_eq!(site.boto("s3.list_buckets()['Buckets']").await, json!([]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_ended_between_the_creation_and_the_tags_is_taken_up() {
    let site = Site::open().await;
    site.aws.proxy().leave_out(Feature::TagsOfNewBuckets);
    site.aws.proxy().arm(When::every("s3:PutBucketTagging"), Fault::fail(Failure::AccessDenied));
    site.provision(&[]).await.ends(4);
    site.aws.proxy().disarm();
    let plan = site.plan(&[]).await.to_string();
    assert!(plan.contains("as an interrupted run leaves it"), "{plan}");
    site.provisioned().await;
    assert_eq!(site.boto(TAGS).await, json!(["wbstore:deployment", "wbstore:queue"]), "it is not adopted");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_name_of_the_account_regional_namespace_is_created_with_its_header() {
    let site = Site::open().await;
    let regional = ["--bucket-namespace", "account-regional"];
    let bucket = format!("wbstore-wandb-acme-com-{}-us-east-1-an", site.account());
    site.provision(&regional).await.ends(0).tells(&[&bucket]);
    let journal = site.aws.proxy().journal();
    let created = journal.iter().find(|sent| sent.operation == "s3:CreateBucket").expect("it was created");
    assert_eq!(created.resource, bucket);
    site.run("plan", &[&regional[..], &["--exit-code"]].concat()).await.ends(0);
    site.run("verify", &["--bucket", &bucket, "--within", "60s"]).await.ends(0);
    site.teardown(&regional).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_region_without_that_namespace_is_named() {
    let site = Site::open().await;
    site.aws.proxy().leave_out(Feature::RegionalNames);
    let ran =
        site.provision(&["--bucket-namespace", "account-regional", "--queue", "internal"]).await.ends(3);
    ran.tells(&[
        "us-east-1 does not accept names of the account-regional namespace",
        "omit `--bucket-namespace`",
    ]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_regional_bucket_is_adopted() {
    let site = Site::open().await;
    let bucket = format!("runs-{}-us-east-1-an", site.account());
    let path = format!("/{bucket}");
    assert!(site.aws.s3("PUT".parse().expect("a method"), &path, "").await.status().is_success());
    site.provision(&["--bucket", &bucket, "--adopt"]).await.ends(0);
    site.aws.proxy().clear_journal();
    let ran = site.provision(&["--bucket", "runs-123456789012-us-east-1-an"]).await.ends(2);
    ran.tells(&["ends with `-an`", &format!("`-{}-us-east-1-an`", site.account())]);
    let ran = site.provision(&["--bucket", "runs", "--bucket-namespace", "account-regional"]).await.ends(2);
    ran.tells(&["is not a name of the account-regional namespace"]);
    site.is_untouched();
}
