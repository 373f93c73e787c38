//! A bucket and a queue that somebody set up by hand, as W&B's guide describes it.

use serde_json::{Value, json};

use crate::support::Site;

/// The console gives notifications such an id, and a filter of two empty rules. The policy and the CORS rule
/// are those of the guide.
const GUIDE: &str = r#"
s3.create_bucket(Bucket=bucket)
url_of = sqs.create_queue(QueueName='wandb')['QueueUrl']
arn = f'arn:aws:sqs:{region}:{account}:wandb'
sqs.set_queue_attributes(QueueUrl=url('wandb'), Attributes={'Policy': json.dumps({'Version': '2012-10-17',
    'Statement': [{'Effect': 'Allow', 'Principal': '*', 'Action': ['sqs:SendMessage'], 'Resource': arn,
                   'Condition': {'ArnEquals': {'aws:SourceArn': f'arn:aws:s3:::{bucket}'}}}]})})
s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={'CORSRules': [
    {'AllowedOrigins': ['https://wandb.acme.com'], 'AllowedMethods': ['GET', 'PUT'], 'AllowedHeaders': ['*']}]})
CONSOLE = {'Id': 'tf-s3-uploads', 'QueueArn': arn, 'Events': ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'],
    'Filter': {'Key': {'FilterRules': [{'Name': 'Prefix', 'Value': ''}, {'Name': 'Suffix', 'Value': ''}]}}}
"#;

const NOTIFY: &str = "
s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={'QueueConfigurations': [CONSOLE]})
";

const READ: &str = "
def entries():
    found = s3.get_bucket_notification_configuration(Bucket=bucket).get('QueueConfigurations', [])
    return [[entry['Id'], entry['Events']] for entry in found]
dict(cors=raw(s3.get_bucket_cors(Bucket=bucket)), entries=entries(),
     policy=sqs.get_queue_attributes(QueueUrl=url('wandb'), AttributeNames=['Policy'])['Attributes']['Policy'])
";

const ADOPT: [&str; 3] = ["--adopt", "--queue", "wandb"];

fn step<'a>(plan: &'a Value, address: &str) -> &'a Value {
    let steps = plan["steps"].as_array().expect("a list");
    steps
        .iter()
        .find(|step| step["address"].as_str().is_some_and(|at| at.starts_with(address)))
        .expect(address)
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_the_guide_set_up_is_adopted_and_works() {
    let site = Site::open().await;
    let before = site.boto(&format!("{GUIDE}{NOTIFY}{READ}")).await;
    let plan = site.plan(&ADOPT).await;
    let notification = step(&plan, "aws/notification/");
    assert_eq!(notification["action"], "adopt", "{notification:#}");
    assert!(
        notification["findings"]
            .to_string()
            .contains("the notification `tf-s3-uploads` already has the same effect")
    );

    site.provision(&ADOPT).await.ends(0);
    let adopted = site.boto(READ).await;
    let ours = json!(["wbstore-wandb-acme-com", ["s3:ObjectCreated:*"]]);
    let theirs = json!(["tf-s3-uploads", ["s3:ObjectRemoved:*"]]);
    assert!(
        adopted["entries"].as_array().is_some_and(|all| all.contains(&ours) && all.contains(&theirs)),
        "{adopted:#}"
    );
    let queue = ["--queue", "wandb"];
    site.run("plan", &[&queue[..], &["--exit-code"]].concat()).await.ends(0);
    site.run("verify", &[&queue[..], &["--within", "60s"]].concat()).await.ends(0);

    site.teardown(&queue).await.ends(0);
    let after = site.boto(READ).await;
    assert_eq!(after["cors"], before["cors"]);
    let statements =
        |found: &Value| found["policy"].as_str().expect("text").split_once('[').expect("a list").1.to_owned();
    assert_eq!(statements(&after), statements(&before));
    assert_eq!(after["entries"], json!([theirs]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_notification_of_others_that_does_the_same_is_used_as_it_is() {
    let site = Site::open().await;
    site.boto(GUIDE).await;
    site.provision(&ADOPT).await.ends(0);
    site.boto(&format!("{GUIDE}{NOTIFY}")).await;
    site.aws.proxy().clear_journal();
    let plan = site.plan(&["--queue", "wandb"]).await;
    let notification = step(&plan, "aws/notification/");
    assert_eq!(notification["action"], "no_op", "{notification:#}");
    assert!(notification["findings"].to_string().contains("`--adopt` replaces it"), "{notification:#}");
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_hint_for_an_entry_to_another_queue_works() {
    let site = Site::open().await;
    site.boto(&format!("{GUIDE}{NOTIFY}")).await;
    site.aws.proxy().clear_journal();
    let ran = site.provision(&["--adopt"]).await.ends(3);
    ran.tells(&[
        "`tf-s3-uploads`",
        "receives the same events",
        "`--queue wandb --adopt`",
        "`--queue internal`",
    ]);
    site.is_untouched();
    site.provision(&["--queue", "wandb", "--adopt"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_entry_with_a_filter_is_refused_and_the_internal_queue_works() {
    let site = Site::open().await;
    site.boto(&format!(
        "{GUIDE}
CONSOLE['Filter']['Key']['FilterRules'][0]['Value'] = 'media/'{NOTIFY}"
    ))
    .await;
    let ran = site.provision(&ADOPT).await.ends(3);
    ran.tells(&["prefix=media/", "without a filter", "`--queue internal`"]);
    site.provision(&["--adopt", "--queue", "internal"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_rule_that_hides_ours_later_is_drift_that_provision_repairs() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto(
        "rules = s3.get_bucket_cors(Bucket=bucket)['CORSRules']
s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={'CORSRules': [
    {'ID': 'wide', 'AllowedOrigins': ['*'], 'AllowedMethods': ['GET', 'PUT'], 'AllowedHeaders': ['*']}] + rules})",
    )
    .await;
    let plan = site.plan(&[]).await;
    let cors = step(&plan, "aws/cors/").to_string();
    assert!(
        cors.contains("hidden_by") && cors.contains("`wide`") && cors.contains("allows every origin"),
        "{cors}"
    );
    site.provision(&[]).await.ends(0);
    let ids = site.boto("[rule['ID'] for rule in s3.get_bucket_cors(Bucket=bucket)['CORSRules']]").await;
    assert_eq!(ids, json!(["wbstore-wandb-acme-com", "wide"]));
}
