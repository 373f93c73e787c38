"""The same work as an operator would write it down: one boto3 call after the other."""
import json
import sys

import boto3

verb, bucket, queue, origin = sys.argv[1:5]
account = boto3.client("sts").get_caller_identity()["Account"]
s3, sqs = boto3.client("s3"), boto3.client("sqs")
arn = f"arn:aws:sqs:us-east-1:{account}:{queue}"
tags = {"deployment": bucket}
denial = {
    "Sid": "tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
    "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
grant = {
    "Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "sqs:SendMessage", "Resource": arn,
    "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
                  "StringEquals": {"aws:SourceAccount": account}},
}
policy = lambda statement: json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create():
    url = sqs.create_queue(QueueName=queue, tags=tags, Attributes={
        "ReceiveMessageWaitTimeSeconds": "20", "MessageRetentionPeriod": "1209600",
        "SqsManagedSseEnabled": "true", "Policy": policy(grant)})["QueueUrl"]
    s3.create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerEnforced")
    s3.put_bucket_tagging(Bucket=bucket, Tagging={
        "TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]})
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={
        "BlockPublicAcls": True, "IgnorePublicAcls": True,
        "BlockPublicPolicy": True, "RestrictPublicBuckets": True})
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(denial))
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [{
        "AllowedOrigins": [origin], "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 3000}]})
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
    return url


def look():
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    sqs.list_queue_tags(QueueUrl=url)
    s3.head_bucket(Bucket=bucket)
    for read in (s3.get_bucket_tagging, s3.get_bucket_ownership_controls, s3.get_public_access_block,
                 s3.get_bucket_encryption, s3.get_bucket_policy, s3.get_bucket_cors,
                 s3.get_bucket_notification_configuration):
        read(Bucket=bucket)


def remove():
    # The queue is looked for first: after the bucket it could no longer be found by its name.
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    empty()
    s3.delete_bucket(Bucket=bucket)
    sqs.delete_queue(QueueUrl=url)


def empty():
    boto3.resource("s3").Bucket(bucket).object_versions.delete()


{"create": create, "no-op": look, "teardown": remove, "empty": empty}[verb]()
