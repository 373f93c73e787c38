//! The permissions that `policy` prints.

use serde_json::{Value, json};

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
    assert!(["s3:GetObject*", "s3:PutObject"].iter().all(|action| objects.contains(&(*action).to_owned())));
    let queue = allowed(&node, &format!("arn:aws:sqs:us-east-1:123456789012:{QUEUE}"));
    assert!(
        queue.contains(&"sqs:ReceiveMessage".to_owned()) && !queue.contains(&"sqs:DeleteQueue".to_owned())
    );
    assert!(!node.to_string().contains(":*\""), "no action is a wildcard alone: {node:#}");
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
        assert!(
            allowed(&policy, key).iter().any(|action| action.starts_with("kms:GenerateDataKey")),
            "{policy:#}"
        );
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

/// Runs commands of the AWS CLI, which derives its commands and options from botocore's models: each has to name an
/// operation and its members, with all that are required. Those of IAM are sent, and the rest is checked only.
const RUN: &str = "
import shlex, botocore.session
from botocore import xform_name
def run(line):
    _, service, operation, *words = shlex.split(line)
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, '-'): name for name in model.operation_names}
    members = model.operation_model(names[operation]).input_shape
    options = {'--' + xform_name(name, '-'): name for name in members.members}
    given = {options[option]: value for option, value in zip(words[::2], words[1::2]) if option != '--region'}
    missing = set(members.required_members) - set(given)
    if missing: raise ValueError(f'{line}: {missing}')
    if service == 'iam': getattr(iam, xform_name(names[operation]))(**given)
for line in lines.splitlines(): run(line)
";

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_commands_of_a_trusted_role_create_it() {
    let site = Site::open().await;
    let issuer = "https://oidc.eks.us-east-1.amazonaws.com/id/AB";
    let (irsa, eks) =
        (["--trust", "irsa", "--oidc-provider", issuer], ["--trust", "pod-identity", "--cluster", "c"]);
    for (name, how) in [("irsa", &irsa[..]), ("eks", &eks), ("vm", &["--trust", "ec2"])] {
        let within = if name == "vm" { &[][..] } else { &["--namespace", "wandb"] };
        let arguments = [&["--for", "node", "--role-name", name], how, within].concat();
        let printed = site.run("policy", &[&arguments[..], &["--format", "commands"]].concat()).await.ends(0);
        let lines: Vec<_> = printed.stdout.lines().filter(|line| !line.starts_with('#')).collect();
        let lines = lines.join("\n").replace("INSTANCE_ID", "i-1");
        let role = site.run("policy", &arguments).await.ends(0).json();
        let code = format!("lines = {}\n{RUN}", json!(lines));
        site.boto(&code).await;
        let created =
            site.boto(&format!("iam.get_role(RoleName='{name}')['Role']['AssumeRolePolicyDocument']")).await;
        assert_eq!(created, role["AssumeRolePolicyDocument"]);
        let policy = role["Policies"][0]["PolicyName"].as_str().expect("a name");
        let attached =
            format!("iam.get_role_policy(RoleName='{name}', PolicyName='{policy}')['PolicyDocument']");
        assert_eq!(site.boto(&attached).await, role["Policies"][0]["PolicyDocument"]);
    }
}

/// Changes by others that need every kind of repair.
const DRIFT: &str = "
s3.delete_bucket_cors(Bucket=bucket)
s3.delete_public_access_block(Bucket=bucket)
s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={'Rules': [{'ObjectOwnership': 'ObjectWriter'}]})
s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={'Rules': []})
tags = [tag for tag in s3.get_bucket_tagging(Bucket=bucket)['TagSet'] if tag['Key'] != 'wbstore:queue']
s3.put_bucket_tagging(Bucket=bucket, Tagging={'TagSet': tags})
sqs.set_queue_attributes(QueueUrl=url(queue), Attributes={'MessageRetentionPeriod': '60'})
sqs.untag_queue(QueueUrl=url(queue), TagKeys=['wbstore:role'])
";

/// The same names by others; that of a deleted queue is refused a few times.
const ANEW: &str = "
s3.create_bucket(Bucket=bucket)
s3.put_bucket_tagging(Bucket=bucket, Tagging={'TagSet': [{'Key': 'team', 'Value': 'ml'}]})
def anew(name):
    try: sqs.create_queue(QueueName=name, tags={'team': 'ml'})
    except sqs.exceptions.QueueDeletedRecently: anew(name)
for name in (queue, queue + '-events'): anew(name)
";

/// A whole life by somebody who may do what `policy --for operator` prints and nothing else: created, verified,
/// repaired, emptied in both ways, torn down; then adopted and released.
#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_operator_may_do_all_that_a_whole_life_takes_and_no_more() {
    let site = Site::open().await;
    let queues = ["--notifications-queue"];
    let printed = [&["--for", "operator"], &queues[..]].concat();
    let printed = site.run("policy", &printed).await.ends(0).json();
    let env = site.aws.env_of_user(&printed.to_string()).await.expect("the emulator has IAM");
    let operator = async |command, more: &[&str]| {
        let mut command = site.command(command, &[&queues[..], more].concat());
        command.envs(env.iter().cloned());
        finish(command).await
    };
    let torn_down = ["--confirm", "wandb-acme-com", "--delete-objects"];
    operator("provision", &["--yes"]).await.ends(0);
    operator("plan", &["--exit-code"]).await.ends(0);
    operator("verify", &["--within", "60s"]).await.ends(0);
    let mut list = site.command("list", &[]);
    list.envs(env.iter().cloned());
    finish(list).await.ends(0);
    site.boto(DRIFT).await;
    operator("provision", &["--yes"]).await.ends(0);
    site.boto(FILL).await;
    operator("teardown", &[&torn_down[..], &["--empty-by", "lifecycle"]].concat()).await.ends(4);
    site.boto("s3.delete_bucket_lifecycle(Bucket=bucket)").await;
    operator("teardown", &torn_down).await.ends(0);
    site.boto(ANEW).await;
    operator("provision", &["--yes", "--adopt"]).await.ends(0);
    operator("teardown", &torn_down[..2]).await.ends(0);
    settled(&site, &env, &[]);
}

/// Checks what the calls of the user came to, and reports the numbers.
#[track_caller]
#[expect(clippy::print_stdout, reason = "the numbers are for docs/aws.md")]
fn settled(site: &Site, env: &[(String, String)], unused: &[&str]) {
    let (_, key) = env.iter().find(|(name, _)| name == "AWS_ACCESS_KEY_ID").expect("it has a key");
    let ledger = site.aws.proxy().ledger(key);
    println!(
        "{} calls, denied {}, {} actions granted and used, {} granted and never used",
        ledger.calls,
        ledger.denied.len(),
        ledger.used.len(),
        ledger.unused.len()
    );
    assert_eq!(ledger.denied, Vec::<String>::new());
    assert_eq!(ledger.unused.iter().map(String::as_str).collect::<Vec<_>>(), unused);
    assert!(ledger.calls > 40, "it was a whole life");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_call_that_the_policy_lacks_is_named() {
    let site = Site::open().await;
    let mut printed = site.run("policy", &["--for", "operator"]).await.ends(0).json().to_string();
    printed = printed.replace("\"s3:PutBucketCORS\"", "\"s3:PutBucketLogging\"");
    let env = site.aws.env_of_user(&printed).await.expect("the emulator has IAM");
    let mut command = site.command("provision", &["--yes"]);
    command.envs(env.iter().cloned());
    finish(command).await.ends(4).tells(&[
        "is not authorized to perform: s3:PutBucketCORS on resource",
        "grant s3:PutBucketCORS to these credentials",
    ]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn versions_bring_a_permission_of_their_own_and_tags_none() {
    let site = Site::open().await;
    let operator = site.run("policy", &["--for", "operator"]).await.ends(0).json().to_string();
    assert!(!operator.contains("s3:PutBucketVersioning"), "{operator}");
    let printed = site.run("policy", &["--for", "operator", "--artifact-gc"]).await.ends(0).json();
    let env = site.aws.env_of_user(&printed.to_string()).await.expect("the emulator has IAM");
    for tags in [["--tag", "team=ml"], ["--tag", "team=vision"]] {
        let mut command = site.command("provision", &[&["--yes", "--artifact-gc"], &tags[..]].concat());
        command.envs(env.iter().cloned());
        finish(command).await.ends(0);
    }
    let (_, key) = env.iter().find(|(name, _)| name == "AWS_ACCESS_KEY_ID").expect("it has a key");
    let ledger = site.aws.proxy().ledger(key);
    assert_eq!(ledger.denied, Vec::<String>::new());
    assert!(ledger.used.contains("s3:PutBucketVersioning") && ledger.used.contains("sqs:TagQueue"));
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
    let ran = job(&[]).await.ends(0);
    assert!(!ran.stderr.contains("cannot be"), "it could look at everything: {ran}");
    let buckets = site.boto("[one['Name'] for one in s3.list_buckets()['Buckets']]").await;
    assert_eq!(buckets, json!([format!("payroll-{}", site.account()), bare, shared]));
    let queues = site.boto("[url.rsplit('/')[-1] for url in sqs.list_queues()['QueueUrls']]").await;
    assert_eq!(queues, json!(["orders", "wbstore-shared"]));

    site.provision(&["--expires", "7d", "--queue", "internal"]).await.ends(0);
    site.boto(FILL).await;
    site.boto(EXPIRE).await;
    job(&["--empty-by", "lifecycle"]).await.ends(4);

    settled(&site, &env, &[]);
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
