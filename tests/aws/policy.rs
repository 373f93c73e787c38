//! The permissions that `policy` prints.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wbstore_sandbox::journal::Exchange;

use crate::support::{QUEUE, Site, finish};

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
        "s3:PutBucketCors" | "s3:DeleteBucketCors" => "s3:PutBucketCORS",
        "s3:DeleteBucketTagging" => "s3:PutBucketTagging",
        "s3:GetBucketEncryption" => "s3:GetEncryptionConfiguration",
        "s3:PutBucketEncryption" => "s3:PutEncryptionConfiguration",
        "s3:GetBucketNotificationConfiguration" => "s3:GetBucketNotification",
        "s3:PutBucketNotificationConfiguration" => "s3:PutBucketNotification",
        "s3:GetBucketLifecycleConfiguration" => "s3:GetLifecycleConfiguration",
        "s3:PutBucketLifecycleConfiguration" => "s3:PutLifecycleConfiguration",
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

/// What others have in the account: a bucket and a queue without a mark, and what will be adopted.
const THEIRS: &str = "
s3.create_bucket(Bucket=f'payroll-{account}')
sqs.create_queue(QueueName='orders')
for one in 'shared', 'bare': s3.create_bucket(Bucket=f'wbstore-{one}-{account}')
statement = {'Sid': 'theirs', 'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{account}:root'},
    'Action': 's3:GetObject', 'Resource': f'arn:aws:s3:::wbstore-shared-{account}/*'}
s3.put_bucket_policy(Bucket=f'wbstore-shared-{account}',
    Policy=json.dumps({'Version': '2012-10-17', 'Statement': [statement]}))
sqs.create_queue(QueueName='wbstore-shared')
";

/// What our own bucket holds in the end.
const FILL: &str = "
s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={'Status': 'Enabled'})
for _ in range(2): s3.put_object(Bucket=bucket, Key='run', Body=b'x')
s3.create_multipart_upload(Bucket=bucket, Key='unfinished')
";

/// Ends every lease of the account, and takes the bucket of one deployment away.
const EXPIRE: &str = "
import datetime
now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
for one in (bucket['Name'] for bucket in s3.list_buckets()['Buckets']):
    try: tags = {tag['Key']: tag['Value'] for tag in s3.get_bucket_tagging(Bucket=one)['TagSet']}
    except s3.exceptions.ClientError: continue
    tags['wbstore:expires'] = now
    s3.put_bucket_tagging(Bucket=one, Tagging={'TagSet': [{'Key': k, 'Value': v} for k, v in tags.items()]})
    if tags['wbstore:deployment'] == 'left': s3.delete_bucket(Bucket=one)
for one in sqs.list_queues().get('QueueUrls', []):
    if 'wbstore:expires' in sqs.list_queue_tags(QueueUrl=one).get('Tags', {}):
        sqs.tag_queue(QueueUrl=one, Tags={'wbstore:expires': now})
";

/// `teardown --expired`, by somebody who may do what `policy --for operator --expired` prints and nothing
/// else, over deployments in every state that it has calls for.
#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_job_may_do_what_the_end_of_every_deployment_takes_and_no_more() {
    let site = Site::open().await;
    let printed = site.run("policy", &["--for", "operator", "--expired"]).await.ends(0).json();
    let env = site.aws.env_of_user(&printed.to_string()).await.expect("the emulator has IAM");
    let job = async |more: &[&str]| {
        let expired = ["--expired", "--confirm", "expired", "--delete-objects"];
        let mut command = site.command("teardown", &[&expired[..], more].concat());
        command.envs(env.iter().cloned());
        finish(command).await
    };
    site.boto(THEIRS).await;
    let (shared, bare) =
        (format!("wbstore-shared-{}", site.account()), format!("wbstore-bare-{}", site.account()));
    for deployment in [
        &["--notifications-queue"][..],
        &["--name", "left"],
        &["--name", "shared", "--adopt", "--bucket", &shared, "--queue", "wbstore-shared"],
        &["--name", "bare", "--adopt", "--bucket", &bare, "--queue", "internal"],
    ] {
        site.provision(&[deployment, &["--expires", "7d"]].concat()).await.ends(0);
    }
    site.boto(FILL).await;
    site.boto(EXPIRE).await;
    site.aws.proxy().clear_journal();
    let ran = job(&[]).await.ends(0);
    assert!(!ran.stderr.contains("cannot be"), "it could look at everything: {ran}");
    let mut journal = site.aws.proxy().journal();
    let buckets = site.boto("[one['Name'] for one in s3.list_buckets()['Buckets']]").await;
    assert_eq!(buckets, json!([format!("payroll-{}", site.account()), bare, shared]));
    let queues = site.boto("[url.rsplit('/')[-1] for url in sqs.list_queues()['QueueUrls']]").await;
    assert_eq!(queues, json!(["orders", "wbstore-shared"]));

    site.provision(&["--expires", "7d", "--queue", "internal"]).await.ends(0);
    site.boto(FILL).await;
    site.boto(EXPIRE).await;
    site.aws.proxy().clear_journal();
    job(&["--empty-by", "lifecycle"]).await.ends(4);
    journal.extend(site.aws.proxy().journal());

    let mut used: BTreeSet<&str> = journal.iter().map(|sent| action(&sent.operation)).collect();
    used.remove("sts:GetCallerIdentity");
    let names_versions = |sent: &Exchange| {
        sent.operation == "s3:DeleteObjects" && sent.body.windows(11).any(|at| at == b"<VersionId>")
    };
    used.extend(journal.iter().any(names_versions).then_some("s3:DeleteObjectVersion"));
    let allowed = printed["Statement"].as_array().expect("a list").iter();
    let allowed = allowed.flat_map(|statement| statement["Action"].as_array().expect("a list"));
    let allowed: BTreeSet<&str> = allowed.map(|action| action.as_str().expect("text")).collect();
    assert_eq!(used, allowed);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_job_is_bound_to_the_names_that_wbstore_gives_and_to_the_account() {
    let site = Site::open().await;
    let arguments = [&["--for", "operator", "--expired"], &OFFLINE[..], &["--region", "cn-north-1"]].concat();
    let ran = site.run("policy", &arguments).await.ends(0).tells(&["other names"]);
    let job = ran.json();
    let deletes = |resource| allowed(&job, resource).iter().any(|action| action.contains("Delete"));
    assert!(deletes("arn:aws-cn:s3:::wbstore-*") && deletes("arn:aws-cn:s3:::wbstore-*/*"), "{job:#}");
    assert!(deletes("arn:aws-cn:sqs:*:123456789012:wbstore-*"), "{job:#}");
    for statement in job["Statement"].as_array().expect("a list") {
        let resource = statement["Resource"].to_string();
        if resource.contains(":s3:") {
            assert_eq!(
                statement["Condition"]["StringEquals"]["aws:ResourceAccount"], "123456789012",
                "{statement}"
            );
        }
        if !resource.contains("wbstore-") {
            let actions = statement["Action"].as_array().expect("a list").iter();
            assert!(actions.clone().all(|action| action.as_str().is_some_and(reads)), "{statement}");
        }
    }
}

/// Whether an action only looks.
fn reads(action: &str) -> bool {
    action.contains(":Get") || action.contains(":List")
}
