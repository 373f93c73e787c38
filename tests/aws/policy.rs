//! The permissions that `policy` prints.

use serde_json::Value;

use crate::support::{Ends, QUEUE, Site};

const OFFLINE: [&str; 3] = ["--offline", "--account-id", "123456789012"];

async fn policy(site: &Site, audience: &str, arguments: &[&str]) -> Value {
    let arguments = [&["--for", audience], &OFFLINE[..], arguments].concat();
    let ran = site.run("policy", &arguments).await.ends(0).tells(&["W&B's guide"]);
    let policy = ran.json();
    assert_eq!(policy["Version"], "2012-10-17");
    policy
}

/// All that a policy allows on `resource`.
fn allowed(policy: &Value, resource: &str) -> Vec<String> {
    let on = |statement: &&Value| {
        statement["Resource"] == resource
            || statement["Resource"].as_array().is_some_and(|all| all.contains(&resource.into()))
    };
    let statements = policy["Statement"].as_array().expect("a list").iter().filter(on);
    statements
        .flat_map(|statement| statement["Action"].as_array().expect("a list"))
        .map(|action| action.as_str().expect("text").to_owned())
        .collect()
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_server_may_use_objects_and_take_messages_and_nothing_more() {
    let site = Site::open().await;
    let node = policy(&site, "node", &["--bucket", "acme-wandb"]).await;
    assert!(allowed(&node, "arn:aws:s3:::acme-wandb").contains(&"s3:ListBucket".to_owned()));
    let objects = allowed(&node, "arn:aws:s3:::acme-wandb/*");
    assert!(["s3:GetObject", "s3:PutObject"].iter().all(|action| objects.contains(&(*action).to_owned())));
    let queue = allowed(&node, &format!("arn:aws:sqs:us-east-1:123456789012:{QUEUE}"));
    assert!(
        queue.contains(&"sqs:ReceiveMessage".to_owned()) && !queue.contains(&"sqs:DeleteQueue".to_owned())
    );
    assert!(!node.to_string().contains(":*\""), "no wildcard action: {node:#}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_operator_may_do_all_that_a_whole_life_takes() {
    let site = Site::open().await;
    let operator = policy(&site, "operator", &["--bucket", "acme-wandb"]).await;
    let bucket = allowed(&operator, "arn:aws:s3:::acme-wandb");
    for action in
        ["s3:CreateBucket", "s3:TagResource", "s3:PutBucketCORS", "s3:DeleteBucket", "s3:ListBucket"]
    {
        assert!(bucket.contains(&action.to_owned()), "{action} is not in {bucket:?}");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_key_brings_its_own_statements() {
    let site = Site::open().await;
    let key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    for audience in ["node", "operator"] {
        let policy = policy(&site, audience, &["--kms-key", key]).await;
        assert!(allowed(&policy, key).contains(&"kms:GenerateDataKey".to_owned()), "{policy:#}");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn another_partition_has_its_own_arns() {
    let site = Site::open().await;
    let node = policy(&site, "node", &["--region", "us-gov-west-1"]).await.to_string();
    assert!(node.contains("arn:aws-us-gov:s3:::") && !node.contains("arn:aws:"), "{node}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn online_it_names_the_account_of_the_credentials() {
    let site = Site::open().await;
    site.aws.proxy().clear_journal();
    let node = site.run("policy", &["--for", "node"]).await.ends(0).json();
    let queue = format!("arn:aws:sqs:us-east-1:{}:{QUEUE}", site.account());
    assert!(!allowed(&node, &queue).is_empty(), "{node:#}");
    site.is_untouched();
}

/// The IAM action that a call takes, where it has another name.
fn action(call: &str) -> &str {
    match call {
        "s3:ListBuckets" => "s3:ListAllMyBuckets",
        "s3:HeadBucket" => "s3:ListBucket",
        "s3:ListObjectVersions" => "s3:ListBucketVersions",
        "s3:ListMultipartUploads" => "s3:ListBucketMultipartUploads",
        "s3:DeleteObjects" => "s3:DeleteObject",
        "s3:GetBucketCors" => "s3:GetBucketCORS",
        "s3:PutBucketCors" => "s3:PutBucketCORS",
        "s3:GetBucketEncryption" => "s3:GetEncryptionConfiguration",
        "s3:PutBucketEncryption" => "s3:PutEncryptionConfiguration",
        "s3:GetBucketNotificationConfiguration" => "s3:GetBucketNotification",
        "s3:PutBucketNotificationConfiguration" => "s3:PutBucketNotification",
        "s3:GetBucketLifecycleConfiguration" => "s3:GetLifecycleConfiguration",
        "s3:GetPublicAccessBlock" => "s3:GetBucketPublicAccessBlock",
        "s3:PutPublicAccessBlock" => "s3:PutBucketPublicAccessBlock",
        "s3:GetObjectLockConfiguration" => "s3:GetBucketObjectLockConfiguration",
        "sqs:DeleteMessageBatch" => "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibilityBatch" => "sqs:ChangeMessageVisibility",
        same => same,
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_operator_may_make_every_call_that_a_whole_life_made() {
    let site = Site::open().await;
    let operator = site.run("policy", &["--for", "operator"]).await.ends(0).json().to_string();
    site.aws.proxy().clear_journal();
    site.provisioned().await;
    site.run("verify", &["--within", "60s"]).await;
    site.run("list", &[]).await.ends(0);
    site.teardown(&["--delete-objects"]).await.ends(0);
    let journal = site.aws.proxy().journal();
    for call in journal.iter().map(|sent| sent.operation.as_str()) {
        // These two take no permission.
        if !matches!(call, "sts:GetCallerIdentity" | "s3:Preflight") {
            assert!(operator.contains(&format!("\"{}\"", action(call))), "{call}");
        }
    }
    assert!(journal.len() > 40, "it was a whole life");
}
