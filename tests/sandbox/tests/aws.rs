//! Against a real emulator, when `cargo sandbox test` has started one, with boto3 as the client.

use wbstore_sandbox::aws::{Aws, finish};
use wbstore_sandbox::fault::{Fault, Side, When};

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_upload_is_announced() {
    let aws = Aws::from_env().await;
    let script = r#"
s3, sqs, sts = (boto3.client(name) for name in ("s3", "sqs", "sts"))
account = sts.get_caller_identity()["Account"]
bucket, arn = f"bucket-{account}", f"arn:aws:sqs:us-east-1:{account}:queue"
s3.create_bucket(Bucket=bucket)
url = sqs.create_queue(QueueName="queue")["QueueUrl"]
entry = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
configure = lambda: s3.put_bucket_notification_configuration(
    Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [entry]})
try:
    configure()
except s3.exceptions.ClientError as error:
    print("refused:", error.response["Error"]["ArgumentValue"])
statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
    "Resource": arn, "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
    "StringEquals": {"aws:SourceAccount": account}}}
sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})})
configure()
s3.put_object(Bucket=bucket, Key="a b", Body=b"hello")
keys = []
while not keys:
    for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, MaxNumberOfMessages=10)["Messages"]:
        keys += [record["s3"]["object"]["key"] for record in json.loads(message["Body"]).get("Records", [])]
print("account:", account)
print("announced:", keys)
"#;
    let ran = aws.python(script).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    let expected = format!(
        "refused: Permissions on the destination queue do not allow S3 to publish notifications from this bucket\n\
         account: {}\nannounced: ['a+b']\n",
        aws.account()
    );
    assert_eq!(ran.stdout, expected, "{ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn accounts_are_strangers_to_each_other() {
    let aws = Aws::from_env().await;
    let bucket = format!("mine-{}", aws.account());
    let ran = aws.python(&format!("boto3.client('s3').create_bucket(Bucket='{bucket}')")).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    let mut command = aws.boto3();
    command.envs(aws.env_as("999999999999")).arg("-c").arg(format!(
        "import boto3; s3 = boto3.client('s3'); print([b['Name'] for b in s3.list_buckets()['Buckets']])\n\
         try: s3.head_bucket(Bucket='{bucket}')\n\
         except s3.exceptions.ClientError as error: print(error.response['Error']['Code'])"
    ));
    let ran = finish(command).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "[]\n403\n"), "{ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_client_can_be_killed_at_a_chosen_request() {
    let aws = Aws::from_env().await;
    let bucket = format!("half-{}", aws.account());
    let armed = aws.proxy().arm(When::operation("s3:PutBucketTagging", 0), Fault::Hang(Side::Before));
    let script = format!(
        "s3 = boto3.client('s3')\ns3.create_bucket(Bucket='{bucket}')\n\
         s3.put_bucket_tagging(Bucket='{bucket}', Tagging={{'TagSet': [{{'Key': 'k', 'Value': 'v'}}]}})"
    );
    // Dropping the future that runs it kills the program.
    tokio::select! {
        ran = aws.python(&script) => panic!("it should hang: {ran}"),
        () = armed.reached() => {}
    }
    aws.proxy().disarm();
    let look = format!(
        "s3 = boto3.client('s3')\ntry: s3.get_bucket_tagging(Bucket='{bucket}')\n\
                        except s3.exceptions.ClientError as error: print(error.response['Error']['Code'])"
    );
    let ran = aws.python(&look).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "NoSuchTagSet\n"), "{ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_user_may_do_what_the_policy_says() {
    let aws = Aws::from_env().await;
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:CreateBucket", "s3:ListBucket"], "Resource": "*"}]}"#;
    let env = aws.env_of_user(policy).await.expect("the emulator has IAM");
    let bucket = format!("users-{}", aws.account());
    let mut command = aws.boto3();
    command.envs(env).arg("-c").arg(format!(
        "import boto3; s3 = boto3.client('s3'); s3.create_bucket(Bucket='{bucket}')\n\
         s3.head_bucket(Bucket='{bucket}', ExpectedBucketOwner='{account}')\n\
         try: s3.get_bucket_tagging(Bucket='{bucket}')\n\
         except s3.exceptions.ClientError as error: print(error.response['Error']['Code'])",
        account = aws.account(),
    ));
    let ran = finish(command).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "AccessDenied\n"), "{ran}");
}
