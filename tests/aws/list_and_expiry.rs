//! What is there, for how long, and what goes when its time is up.

use serde_json::json;

use crate::support::{NAME, QUEUE, Site};

/// Puts the end of the lease into the past, as time would.
const EXPIRE: &str = "
tags = s3.get_bucket_tagging(Bucket=bucket)['TagSet']
for tag in tags:
    if tag['Key'] == 'wbstore:expires': tag['Value'] = '2020-01-01T00:00:00Z'
s3.put_bucket_tagging(Bucket=bucket, Tagging={'TagSet': tags})
sqs.tag_queue(QueueUrl=url(queue), Tags={'wbstore:expires': '2020-01-01T00:00:00Z'})
";

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_deployment_is_listed_with_its_parts() {
    let site = Site::open().await;
    site.provision(&["--notifications-queue"]).await.ends(0);
    let listed = site.run("list", &["--format", "json"]).await.ends(0).json();
    let only = &listed["deployments"][0];
    assert_eq!((&only["name"], &only["region"]), (&NAME.into(), &"us-east-1".into()));
    let part = |kind: &str, name: &str| json!({"kind": kind, "name": name});
    assert_eq!(
        only["parts"],
        json!([
            part("bucket", &site.bucket),
            part("notifications-queue", &format!("{QUEUE}-events")),
            part("queue", QUEUE),
        ])
    );
    assert_eq!((&only["missing"], &only["expires"]), (&json!([]), &json!(null)));
    let table = site.run("list", &[]).await.ends(0).stdout;
    let row = table.lines().nth(1).expect("a header and a row");
    assert!(row.starts_with(NAME) && row.contains("us-east-1") && row.contains("never"), "{table}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_missing_queue_is_told() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto("sqs.delete_queue(QueueUrl=url(queue))").await;
    let listed = site.run("list", &["--format", "json"]).await.ends(0).json();
    assert_eq!(listed["deployments"][0]["missing"], json!([{"kind": "queue", "name": QUEUE}]));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn deployments_of_other_regions_are_listed_and_strangers_are_not() {
    let site = Site::open().await;
    site.provisioned().await;
    site.provision(&["--region", "eu-west-1", "--name", "abroad"]).await.ends(0);
    site.boto("s3.create_bucket(Bucket=f'unmarked-{account}')").await;
    let listed = site.run("list", &["--format", "json"]).await.ends(0).json();
    let names: Vec<_> = listed["deployments"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["abroad", NAME]);
    assert_eq!(listed["deployments"][0]["missing"], json!([]), "its queue was looked for over there");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_expired_deployment_keeps_its_own_queue_names_in_mind() {
    let site = Site::open().await;
    let own = ["--expires", "7d", "--queue", "mine", "--notifications-queue", "mine-too"];
    site.provision(&own).await.ends(0);
    site.boto(&EXPIRE.replace("url(queue)", "url('mine')")).await;
    site.run("teardown", &["--expired", "--confirm", "expired"]).await.ends(0);
    assert_eq!(site.boto("sqs.list_queues().get('QueueUrls', [])").await, json!([]));
}

/// A bucket and a queue of others, with objects, on which somebody who may write tags has put a mark.
const FORGE: &str = "
def forged(**more):
    return {'wbstore:deployment': 'old', 'wbstore:lease': '7d', 'wbstore:expires': '2020-01-01T00:00:00Z', **more}
bucket = f'payroll-{account}'
s3.create_bucket(Bucket=bucket)
s3.put_object(Bucket=bucket, Key='salaries', Body=b'x')
tags = forged(**{'wbstore:queue': 'internal'})
s3.put_bucket_tagging(Bucket=bucket, Tagging={'TagSet': [{'Key': k, 'Value': v} for k, v in tags.items()]})
";

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_mark_alone_has_no_bucket_deleted() {
    let site = Site::open().await;
    site.boto(FORGE).await;
    site.aws.proxy().clear_journal();
    let expired = ["--expired", "--delete-objects", "--confirm", "expired"];
    let ran = site.run("teardown", &expired).await.ends(3);
    ran.tells(&["aws/bucket/payroll-", "only its mark assigns it to this deployment", "hint:"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_mark_alone_has_no_queue_deleted() {
    let site = Site::open().await;
    site.boto(
        "queue = sqs.create_queue(QueueName='orders')['QueueUrl']
sqs.tag_queue(QueueUrl=queue, Tags={'wbstore:deployment': 'old', 'wbstore:role': 'events', 'wbstore:lease': '7d',
    'wbstore:expires': '2020-01-01T00:00:00Z'})",
    )
    .await;
    site.aws.proxy().clear_journal();
    let ran = site.run("teardown", &["--expired", "--confirm", "expired"]).await.ends(3);
    ran.tells(&["aws/queue/orders", "its lease ended at 2020-01-01T00:00:00Z, before it was created"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_bucket_of_any_name_goes_when_an_entry_of_ours_agrees_with_its_mark() {
    let site = Site::open().await;
    let bucket = format!("acme-own-{}", site.account());
    site.provision(&["--bucket", &bucket, "--queue", "internal", "--expires", "7d"]).await.ends(0);
    let expire = format!("bucket = '{bucket}'\n{}", EXPIRE.split("sqs.").next().unwrap_or_default());
    site.boto(&expire).await;
    site.run("teardown", &["--expired", "--confirm", "expired"]).await.ends(0);
    assert_eq!(site.boto("[one['Name'] for one in s3.list_buckets()['Buckets']]").await, json!([]));
}
