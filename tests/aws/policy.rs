//! The permissions that `policy` prints.

use serde_json::{Value, json};

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
async fn the_server_may_use_objects_and_take_messages_and_nothing_more() {
    let Some(site) = Site::open().await else { return };
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
async fn the_operator_may_do_all_that_a_whole_life_takes() {
    let Some(site) = Site::open().await else { return };
    let operator = policy(&site, "operator", &["--bucket", "acme-wandb"]).await;
    let bucket = allowed(&operator, "arn:aws:s3:::acme-wandb");
    for action in
        ["s3:CreateBucket", "s3:TagResource", "s3:PutBucketCORS", "s3:DeleteBucket", "s3:ListBucket"]
    {
        assert!(bucket.contains(&action.to_owned()), "{action} is not in {bucket:?}");
    }
}

#[tokio::test]
async fn a_key_brings_its_own_statements() {
    let Some(site) = Site::open().await else { return };
    let key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    for audience in ["node", "operator"] {
        let policy = policy(&site, audience, &["--kms-key", key]).await;
        assert!(allowed(&policy, key).contains(&"kms:GenerateDataKey".to_owned()), "{policy:#}");
    }
}

#[tokio::test]
async fn another_partition_has_its_own_arns() {
    let Some(site) = Site::open().await else { return };
    let node = policy(&site, "node", &["--region", "us-gov-west-1"]).await.to_string();
    assert!(node.contains("arn:aws-us-gov:s3:::") && !node.contains("arn:aws:"), "{node}");
}

#[tokio::test]
async fn online_it_names_the_account_of_the_credentials() {
    let Some(site) = Site::open().await else { return };
    site.aws.proxy().clear_journal();
    let node = site.run("policy", &["--for", "node"]).await.ends(0).json();
    let queue = format!("arn:aws:sqs:us-east-1:{}:{QUEUE}", site.account());
    assert!(!allowed(&node, &queue).is_empty(), "{node:#}");
    site.is_untouched();
}

/// ministack enforces IAM for users, so what the operator's policy allows can be tried.
#[tokio::test]
async fn a_user_with_the_operators_policy_can_run_a_whole_life() {
    let Some(site) = Site::open().await else { return };
    if site.lacks("permissions: users, roles and their policies") {
        return;
    }
    let account = site.account();
    let operator = site.run("policy", &["--for", "operator"]).await.ends(0).json();
    let key = site
        .boto(&format!(
            "iam.create_user(UserName='operator')
iam.put_user_policy(UserName='operator', PolicyName='p', PolicyDocument=json.dumps({operator}))
iam.create_access_key(UserName='operator')['AccessKey']"
        ))
        .await;
    let text = |name: &str| key[name].as_str().expect("text").to_owned();
    let (id, secret) = (text("AccessKeyId"), text("SecretAccessKey"));
    let user = [("AWS_ACCESS_KEY_ID", id.as_str()), ("AWS_SECRET_ACCESS_KEY", secret.as_str())];
    site.run_with(&user, "provision", &["--yes"]).await.ends(0);
    site.run_with(&user, "verify", &["--within", "30s"]).await.ends(0);
    site.run_with(&user, "list", &[]).await.ends(0);
    site.boto("s3.put_object(Bucket=bucket, Key='k')").await;
    let down = ["--confirm", "wandb-acme-com", "--delete-objects"];
    site.run_with(&user, "teardown", &down).await.ends(0);
    assert_eq!(site.boto("s3.list_buckets()['Buckets']").await, json!([]), "{account}");
}
