//! What others wrote into the same documents: there before, there while we are, there after we left.

use serde_json::Value;

use crate::support::Site;

/// A bucket and a queue of somebody, with a Lambda function, a topic and EventBridge told of its
/// events, CORS rules, and policies whose spelling nobody else would choose.
const PLANT: &str = r#"
s3.create_bucket(Bucket=bucket)
s3.put_bucket_tagging(Bucket=bucket, Tagging={'TagSet': [{'Key': 'team', 'Value': 'vision'}]})
s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={'CORSRules': [
    {'AllowedOrigins': ['https://*.example.org'], 'AllowedMethods': ['POST', 'DELETE'], 'MaxAgeSeconds': 7},
    {'ID': 'theirs', 'AllowedOrigins': ['https://a.example', 'https://b.example'], 'AllowedMethods': ['GET'],
     'AllowedHeaders': ['x-one', 'x-two'], 'ExposeHeaders': ['x-amz-request-id']}]})
topic = sns.create_topic(Name='restored')['TopicArn']
s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
    'EventBridgeConfiguration': {},
    'TopicConfigurations': [{'Id': 'restored', 'TopicArn': topic, 'Events': ['s3:ObjectRestore:*']}],
    'LambdaFunctionConfigurations': [
        {'Id': 'tidy', 'LambdaFunctionArn': f'arn:aws:lambda:{region}:{account}:function:tidy',
         'Events': ['s3:ObjectRemoved:Delete', 's3:ObjectRemoved:DeleteMarkerCreated'],
         'Filter': {'Key': {'FilterRules': [{'Name': 'prefix', 'Value': 'a&b/'}, {'Name': 'suffix', 'Value': '.p'}]}}}]})
s3.put_bucket_policy(Bucket=bucket, Policy='''{"Id":"ours","Version":"2012-10-17","Statement":[{ "Sid" : "read",
  "Effect":"Allow", "Principal":{"AWS":["arn:aws:iam::%s:root"]},"Action":["s3:GetObject"  ],
  "Resource":"arn:aws:s3:::%s/\\u0061*"}]}''' % (account, bucket))
sqs.create_queue(QueueName=queue, tags={'team': 'vision'}, Attributes={'VisibilityTimeout': '77', 'Policy': '''{
  "Version":"2012-10-17","Statement":[{ "Sid" : "read", "Effect":"Allow","Principal":{"AWS":"%s"},
  "Action":[ "sqs:ReceiveMessage" ],"Resource":"arn:aws:sqs:%s:%s:%s"}]}''' % (account, region, account, queue)})
"#;

/// Everything that others can have written, as it comes over the wire.
const READ: &str = "
dict(cors=raw(s3.get_bucket_cors(Bucket=bucket)),
     notification=raw(s3.get_bucket_notification_configuration(Bucket=bucket)),
     policy=s3.get_bucket_policy(Bucket=bucket)['Policy'],
     queue_policy=sqs.get_queue_attributes(QueueUrl=url(queue), AttributeNames=['Policy'])['Attributes']['Policy'],
     visibility=sqs.get_queue_attributes(QueueUrl=url(queue), AttributeNames=['All'])['Attributes']['VisibilityTimeout'],
     tags=s3.get_bucket_tagging(Bucket=bucket)['TagSet'],
     queue_tags=sqs.list_queue_tags(QueueUrl=url(queue))['Tags'])
";

async fn planted() -> (Site, Value) {
    let site = Site::open().await;
    let before = site.boto(&format!("{PLANT}{READ}")).await;
    (site, before)
}

fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document[name].as_str().unwrap_or_else(|| panic!("{name} is text in {document:#}"))
}

/// The elements and statements between the first and the last tag or bracket of a document.
fn entries<'a>(document: &'a str, opening: &str, closing: &str) -> &'a str {
    let start = document.find(opening).unwrap_or_else(|| panic!("{opening} in {document}"));
    let end = document.rfind(closing).unwrap_or_else(|| panic!("{closing} in {document}"));
    &document[start..end + closing.len()]
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn every_entry_of_others_survives_provision_to_the_byte() {
    let (site, before) = planted().await;
    site.provision(&["--adopt"]).await.ends(0);
    let after = site.boto(READ).await;
    for (name, opening, closing) in [
        ("cors", "<CORSRule>", "</CORSRule>"),
        ("notification", "<TopicConfiguration>", "</TopicConfiguration>"),
        ("notification", "<CloudFunctionConfiguration>", "</CloudFunctionConfiguration>"),
        ("policy", "\"Sid\"", "}"),
        ("queue_policy", "\"Sid\"", "}"),
    ] {
        let mut theirs = entries(text(&before, name), opening, closing);
        // The brackets of a document close after its statements; ours may come between.
        theirs = theirs.strip_suffix("]}").unwrap_or(theirs);
        assert!(text(&after, name).contains(theirs), "{name}: {theirs}\nis not in\n{}", text(&after, name));
        assert!(text(&after, name).contains("wbstore-wandb-acme-com"), "{name} has our entry too");
    }
    assert_eq!(after["visibility"], "77");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn delivery_to_eventbridge_survives() {
    let (site, before) = planted().await;
    assert!(text(&before, "notification").contains("EventBridgeConfiguration"));
    site.provision(&["--adopt"]).await.ends(0);
    assert!(text(&site.boto(READ).await, "notification").contains("EventBridgeConfiguration"));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn after_a_teardown_the_documents_are_what_they_were() {
    let (site, before) = planted().await;
    site.provision(&["--adopt"]).await.ends(0);
    site.teardown(&[]).await.ends(0);
    let after = site.boto(READ).await;
    for name in ["cors", "notification", "visibility", "tags", "queue_tags"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    // White space around the list of statements is nobody's.
    for name in ["policy", "queue_policy"] {
        let statements = |document| entries(text(document, name), "\"Sid\"", "}").to_owned();
        assert_eq!(statements(&after), statements(&before), "{name}");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_plan_lists_what_it_keeps() {
    let (site, _) = planted().await;
    let plan = site.plan(&["--adopt"]).await;
    let kept: Vec<_> = plan["steps"]
        .as_array()
        .expect("a list")
        .iter()
        .flat_map(|step| step["kept"].as_array().expect("a list").clone())
        .map(|entry| entry.as_str().expect("words").to_owned())
        .collect();
    for one in [
        "`theirs`",
        "a rule without id",
        "`restored`",
        "`tidy`",
        "`read`: Allow s3:GetObject",
        "sqs:ReceiveMessage",
    ] {
        assert!(kept.iter().any(|entry| entry.contains(one)), "{one} is not in {kept:#?}");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_entry_that_came_after_the_plan_survives_as_well() {
    use wbstore_sandbox::fault::{Fault, Side, When};

    let (site, _) = planted().await;
    // The first request that changes anything waits; somebody adds a rule meanwhile.
    let change = site.aws.proxy().arm(When::operation("s3:PutBucketTagging", 0), Fault::Hang(Side::Before));
    let adopting = site.provision(&["--adopt"]);
    let meanwhile = async {
        change.reached().await;
        site.boto(
            "rules = s3.get_bucket_cors(Bucket=bucket)['CORSRules']
s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={'CORSRules': rules + [
    {'ID': 'late', 'AllowedOrigins': ['https://late.example'], 'AllowedMethods': ['GET']}]})",
        )
        .await;
        change.release();
    };
    let (adopted, ()) = futures::join!(adopting, meanwhile);
    adopted.ends(0);
    let ids =
        site.boto("[rule.get('ID', '') for rule in s3.get_bucket_cors(Bucket=bucket)['CORSRules']]").await;
    assert!(ids.as_array().expect("a list").contains(&"late".into()), "{ids}");
    assert!(ids.as_array().expect("a list").contains(&"wbstore-wandb-acme-com".into()), "{ids}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_entry_of_ours_that_another_writer_drops_is_written_again() {
    use wbstore_sandbox::fault::{Fault, Side, When};

    // Somebody read the documents before our entries were written, and writes them right after.
    const DOCUMENTS: [(&str, &str); 3] = [
        (
            "s3:PutBucketCors",
            "s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={'CORSRules': [
    {'ID': 'late', 'AllowedOrigins': ['https://late.example'], 'AllowedMethods': ['GET']}]})",
        ),
        (
            "s3:PutBucketNotificationConfiguration",
            "s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
    'LambdaFunctionConfigurations': [
        {'Id': 'late', 'LambdaFunctionArn': f'arn:aws:lambda:{region}:{account}:function:late',
         'Events': ['s3:ObjectRemoved:Delete']}]})",
        ),
        (
            "s3:PutBucketPolicy",
            "s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({'Version': '2012-10-17', 'Statement': [
    {'Sid': 'late', 'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{account}:root'},
     'Action': 's3:GetObject', 'Resource': f'arn:aws:s3:::{bucket}/*'}]}))",
        ),
    ];
    let site = Site::open().await;
    let writes = DOCUMENTS.map(|(operation, late)| {
        (site.aws.proxy().arm(When::operation(operation, 0), Fault::Hang(Side::After)), late)
    });
    let site = &site;
    let others = writes.map(async |(write, late)| {
        write.reached().await;
        site.boto(late).await;
        write.release();
    });
    let (provisioned, _) = futures::join!(site.provision(&[]), futures::future::join_all(others));
    provisioned.ends(0);
    let entries = site
        .boto(
            "dict(cors=raw(s3.get_bucket_cors(Bucket=bucket)),
     notification=raw(s3.get_bucket_notification_configuration(Bucket=bucket)),
     policy=s3.get_bucket_policy(Bucket=bucket)['Policy'])",
        )
        .await;
    for document in ["cors", "notification", "policy"] {
        let text = text(&entries, document);
        assert!(text.contains("late") && text.contains("wbstore-wandb-acme-com"), "{document}: {text}");
    }
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_entry_that_takes_the_same_events_is_refused_by_name() {
    let (site, _) = planted().await;
    site.boto(
        "document = s3.get_bucket_notification_configuration(Bucket=bucket)
document.pop('ResponseMetadata')
document['LambdaFunctionConfigurations'].append(
    {'Id': 'thumbnails', 'LambdaFunctionArn': f'arn:aws:lambda:{region}:{account}:function:thumbnails',
     'Events': ['s3:ObjectCreated:Put'],
     'Filter': {'Key': {'FilterRules': [{'Name': 'suffix', 'Value': '.png'}]}}})
s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=document)",
    )
    .await;
    site.aws.proxy().clear_journal();
    site.provision(&["--adopt"]).await.ends(3).tells(&["`thumbnails`", "receives the same events", "hint:"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_queue_that_is_open_to_everybody_is_pointed_out() {
    let (site, _) = planted().await;
    site.boto(
        r#"sqs.set_queue_attributes(QueueUrl=url(queue), Attributes={'Policy': json.dumps({"Version": "2012-10-17",
    "Statement": [{"Sid": "guide", "Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]})})"#,
    )
    .await;
    let plan = site.plan(&["--adopt"]).await.to_string();
    assert!(plan.contains("allows everyone"), "{plan}");
}
