use super::*;

struct Given {
    region: Region,
    account: AccountId,
    bucket: BucketName,
    queue: QueueName,
    events: QueueName,
    key: KmsKeyArn,
}

impl Given {
    fn new(region: &str) -> Self {
        let region: Region = region.parse().unwrap();
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let key = format!("arn:{}:kms:{region}:123456789012:key/{id}", region.partition().id);
        Self {
            region,
            account: "123456789012".parse().unwrap(),
            bucket: "acme-wandb".parse().unwrap(),
            queue: "acme".parse().unwrap(),
            events: "acme-events".parse().unwrap(),
            key: key.parse().unwrap(),
        }
    }

    fn least(&self) -> Subjects<'_> {
        Subjects {
            region: &self.region,
            account: &self.account,
            bucket: &self.bucket,
            queue: None,
            notifications_queue: None,
            kms_key: None,
            reader: None,
            is_team: false,
            role: None,
            has_versions: false,
        }
    }

    fn most(&self) -> Subjects<'_> {
        Subjects {
            queue: Some(&self.queue),
            notifications_queue: Some(&self.events),
            kms_key: Some(&self.key),
            ..self.least()
        }
    }
}

fn node_policy(subjects: &Subjects<'_>) -> Policy {
    policy(Audience::Node, subjects).unwrap()
}

fn operator_policy(subjects: &Subjects<'_>) -> Policy {
    policy(Audience::Operator, subjects).unwrap()
}

fn job_policy(given: &Given) -> Policy {
    policy(Audience::ExpiryJob, &given.least()).unwrap()
}

/// A policy with one line an action, resource and condition, which reads better in a test than indented JSON.
fn lines(policy: &Policy) -> String {
    let mut lines = vec![format!("Version {}", policy.document["Version"])];
    for statement in policy.document["Statement"].as_array().unwrap() {
        lines.push(format!("{} {}", statement["Effect"], statement["Sid"]).replace('"', ""));
        let actions = statement["Action"].as_array().unwrap();
        lines.extend(actions.iter().map(|action| format!("  {}", action.as_str().unwrap())));
        lines.push(format!("  on {}", statement["Resource"]));
        if let Some(condition) = statement.get("Condition") {
            lines.push(format!("  if {condition}"));
        }
    }
    lines.join("\n")
}

#[test]
fn the_policy_of_the_node() {
    let given = Given::new("cn-north-1");
    insta::assert_snapshot!(lines(&node_policy(&given.most())), @r#"
    Version "2012-10-17"
    Allow ListBucket
      s3:GetBucketCORS
      s3:GetBucketLocation
      s3:GetBucketVersioning
      s3:GetEncryptionConfiguration
      s3:ListBucket
      s3:ListBucketMultipartUploads
      s3:ListBucketVersions
      on "arn:aws-cn:s3:::acme-wandb"
      if {"StringEquals":{"aws:ResourceAccount":"123456789012"}}
    Allow ReadAndWriteObjects
      s3:AbortMultipartUpload
      s3:DeleteObject
      s3:GetObject*
      s3:ListMultipartUploadParts
      s3:PutObject
      on "arn:aws-cn:s3:::acme-wandb/*"
      if {"StringEquals":{"aws:ResourceAccount":"123456789012"}}
    Allow ConsumeObjectEvents
      sqs:ChangeMessageVisibility
      sqs:DeleteMessage
      sqs:GetQueueAttributes
      sqs:GetQueueUrl
      sqs:ReceiveMessage
      on "arn:aws-cn:sqs:cn-north-1:123456789012:acme"
    Allow PublishRunEvents
      sqs:GetQueueAttributes
      sqs:GetQueueUrl
      sqs:SendMessage
      on "arn:aws-cn:sqs:cn-north-1:123456789012:acme-events"
    Allow UseKeyThroughS3
      kms:Decrypt
      kms:Encrypt
      kms:GenerateDataKey*
      kms:ReEncrypt*
      on "arn:aws-cn:kms:cn-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
      if {"StringEquals":{"kms:ViaService":"s3.cn-north-1.amazonaws.com.cn"}}
    Allow DescribeKey
      kms:Describe*
      on "arn:aws-cn:kms:cn-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    "#);
    insta::assert_snapshot!(node_policy(&given.most()).notes.join("\n"), @r#"
    W&B's guide allows s3:* on the bucket's ARN alone, which covers no object action; this policy applies bucket actions to the bucket and object actions to <bucket>/*
    W&B's guide has no Version, which selects the policy language of 2008; this policy has 2012-10-17
    it allows at least the actions on bucket and key that W&B's Terraform module grants (terraform-aws-wandb, secure_storage_connector); if the server's log shows AccessDenied, add the action that it names
    W&B's guide allows sqs:* on the queue, deletion included; this policy allows only what a consumer requires
    W&B's guide has no permission for the queue of run events; this policy allows the server to send
    W&B's guide has no permission for a KMS key; the key's own policy must allow this role too
    W&B's guide uses arn:aws:, which matches nothing in cn-north-1; this policy uses arn:aws-cn:
    in the commands, replace ROLE with the name of the role that the server runs as; `--trust` prints a role too
    "#);
}

/// wandb/terraform-aws-wandb, `modules/secure_storage_connector`.
#[test]
fn the_node_may_do_what_wandb_publishes() {
    const PUBLISHED: [&str; 16] = [
        "s3:GetObject*",
        "s3:GetEncryptionConfiguration",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:ListBucketMultipartUploads",
        "s3:AbortMultipartUpload",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:GetBucketCORS",
        "s3:GetBucketLocation",
        "s3:GetBucketVersioning",
        "kms:Encrypt",
        "kms:Decrypt",
        "kms:ReEncrypt*",
        "kms:GenerateDataKey*",
        "kms:Describe*",
    ];
    let given = Given::new("us-east-1");
    let printed = lines(&node_policy(&given.most()));
    for action in PUBLISHED {
        assert!(printed.lines().any(|line| line.trim() == action), "{action} is not in {printed}");
    }
}

#[test]
fn the_policy_of_the_operator() {
    let given = Given::new("us-east-1");
    insta::assert_snapshot!(lines(&operator_policy(&given.most())), @r#"
    Version "2012-10-17"
    Allow ListDeployments
      s3:ListAllMyBuckets
      sqs:ListQueues
      on "*"
    Allow ReadBucket
      s3:GetBucketAbac
      s3:GetBucketCORS
      s3:GetBucketNotification
      s3:GetBucketObjectLockConfiguration
      s3:GetBucketPolicy
      s3:GetBucketTagging
      s3:GetBucketVersioning
      s3:GetLifecycleConfiguration
      s3:ListBucketMultipartUploads
      s3:ListBucketVersions
      on "arn:aws:s3:::acme-wandb"
    Allow ChangeBucket
      s3:DeleteBucketPolicy
      s3:PutBucketCORS
      s3:PutBucketNotification
      s3:PutBucketPolicy
      s3:PutBucketTagging
      on "arn:aws:s3:::acme-wandb"
    Allow TeardownBucket
      s3:DeleteBucket
      s3:PutLifecycleConfiguration
      on "arn:aws:s3:::acme-wandb"
    Allow TeardownObjects
      s3:AbortMultipartUpload
      s3:DeleteObject
      s3:DeleteObjectVersion
      on "arn:aws:s3:::acme-wandb/*"
    Allow ReadQueues
      sqs:GetQueueAttributes
      sqs:ListQueueTags
      on ["arn:aws:sqs:us-east-1:123456789012:acme","arn:aws:sqs:us-east-1:123456789012:acme-events"]
    Allow ChangeQueues
      sqs:SetQueueAttributes
      sqs:UntagQueue
      on ["arn:aws:sqs:us-east-1:123456789012:acme","arn:aws:sqs:us-east-1:123456789012:acme-events"]
    Allow TeardownQueues
      sqs:DeleteQueue
      on ["arn:aws:sqs:us-east-1:123456789012:acme","arn:aws:sqs:us-east-1:123456789012:acme-events"]
    Allow ProvisionBucket
      s3:CreateBucket
      s3:PutBucketOwnershipControls
      s3:PutBucketPublicAccessBlock
      s3:PutEncryptionConfiguration
      s3:TagResource
      on "arn:aws:s3:::acme-wandb"
    Allow CheckBucket
      s3:GetBucketAcl
      s3:GetBucketOwnershipControls
      s3:GetBucketPolicyStatus
      s3:GetBucketPublicAccessBlock
      s3:GetBucketRequestPayment
      s3:GetEncryptionConfiguration
      s3:ListBucket
      on "arn:aws:s3:::acme-wandb"
    Allow VerifyWithProbes
      s3:DeleteObject
      s3:DeleteObjectVersion
      s3:PutObject
      on "arn:aws:s3:::acme-wandb/.wbstore-probe/*"
    Allow ProvisionQueues
      sqs:CreateQueue
      sqs:TagQueue
      on ["arn:aws:sqs:us-east-1:123456789012:acme","arn:aws:sqs:us-east-1:123456789012:acme-events"]
    Allow VerifyObjectEvents
      sqs:ChangeMessageVisibility
      sqs:DeleteMessage
      sqs:ReceiveMessage
      on "arn:aws:sqs:us-east-1:123456789012:acme"
    Allow UseKeyThroughS3
      kms:Decrypt
      kms:GenerateDataKey
      on "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
      if {"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}
    "#);
    insta::assert_snapshot!(operator_policy(&given.most()).notes.join("\n"), @r#"
    W&B's guide has no policy for whoever sets up the storage; this is every action wbstore calls
    omit the statements whose Sid begins with Teardown if wbstore must not delete anything
    `wbstore list` also reads the tags of other deployments: allow s3:GetBucketTagging and sqs:ListQueueTags on theirs to see them
    the key's own policy must allow whoever runs wbstore too; verify reads and writes a probe with it
    in the commands, replace ROLE with the name of the role of whoever runs wbstore
    "#);
}

#[test]
fn the_policy_of_the_job_that_removes_what_has_expired() {
    insta::assert_snapshot!(lines(&job_policy(&Given::new("cn-north-1"))), @r#"
    Version "2012-10-17"
    Allow ListDeployments
      s3:ListAllMyBuckets
      sqs:ListQueues
      on "*"
    Allow ReadMarksOfBuckets
      s3:GetBucketTagging
      on "arn:aws-cn:s3:::*"
      if {"StringEquals":{"aws:ResourceAccount":"123456789012"}}
    Allow ReadMarksOfQueues
      sqs:ListQueueTags
      on "arn:aws-cn:sqs:*:123456789012:*"
    Allow ReadBucket
      s3:GetBucketAbac
      s3:GetBucketCORS
      s3:GetBucketNotification
      s3:GetBucketObjectLockConfiguration
      s3:GetBucketPolicy
      s3:GetBucketTagging
      s3:GetBucketVersioning
      s3:GetLifecycleConfiguration
      s3:ListBucketMultipartUploads
      s3:ListBucketVersions
      on "arn:aws-cn:s3:::wbstore-*"
      if {"StringEquals":{"aws:ResourceAccount":"123456789012"}}
    Allow ChangeBucket
      s3:DeleteBucketPolicy
      s3:PutBucketCORS
      s3:PutBucketNotification
      s3:PutBucketPolicy
      s3:PutBucketTagging
      on "arn:aws-cn:s3:::wbstore-*"
      if {"StringEquals":{"aws:ResourceAccount":"123456789012"}}
    Allow TeardownBucket
      s3:DeleteBucket
      s3:PutLifecycleConfiguration
      on "arn:aws-cn:s3:::wbstore-*"
      if {"StringEquals":{"aws:ResourceAccount":"123456789012"}}
    Allow TeardownObjects
      s3:AbortMultipartUpload
      s3:DeleteObject
      s3:DeleteObjectVersion
      on "arn:aws-cn:s3:::wbstore-*/*"
      if {"StringEquals":{"aws:ResourceAccount":"123456789012"}}
    Allow ReadQueues
      sqs:GetQueueAttributes
      sqs:ListQueueTags
      on "arn:aws-cn:sqs:*:123456789012:wbstore-*"
    Allow ChangeQueues
      sqs:SetQueueAttributes
      sqs:UntagQueue
      on "arn:aws-cn:sqs:*:123456789012:wbstore-*"
    Allow TeardownQueues
      sqs:DeleteQueue
      on "arn:aws-cn:sqs:*:123456789012:wbstore-*"
    "#);
}

#[test]
fn the_document_is_ready_to_be_pasted() {
    let given = Given::new("us-east-1");
    let policy = node_policy(&given.least());
    insta::assert_snapshot!(serde_json::to_string_pretty(&policy.document).unwrap(), @r#"
    {
      "Statement": [
        {
          "Action": [
            "s3:GetBucketCORS",
            "s3:GetBucketLocation",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:ListBucket",
            "s3:ListBucketMultipartUploads",
            "s3:ListBucketVersions"
          ],
          "Condition": {
            "StringEquals": {
              "aws:ResourceAccount": "123456789012"
            }
          },
          "Effect": "Allow",
          "Resource": "arn:aws:s3:::acme-wandb",
          "Sid": "ListBucket"
        },
        {
          "Action": [
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:GetObject*",
            "s3:ListMultipartUploadParts",
            "s3:PutObject"
          ],
          "Condition": {
            "StringEquals": {
              "aws:ResourceAccount": "123456789012"
            }
          },
          "Effect": "Allow",
          "Resource": "arn:aws:s3:::acme-wandb/*",
          "Sid": "ReadAndWriteObjects"
        }
      ],
      "Version": "2012-10-17"
    }
    "#);
}

#[test]
fn nothing_is_said_of_what_is_not_there() {
    let given = Given::new("us-east-1");
    for policy in [node_policy(&given.least()), operator_policy(&given.least())] {
        let text = policy.document.to_string();
        assert!(!text.contains("kms:") && !text.contains("SendMessage") && !text.contains(":sqs:"), "{text}");
    }
}

/// The faults of the published policy must not come back.
#[test]
fn bucket_and_object_actions_stand_with_their_own_resource() {
    let given = Given::new("us-gov-west-1");
    let job = job_policy(&given);
    for policy in [node_policy(&given.most()), operator_policy(&given.most()), job] {
        for statement in policy.document["Statement"].as_array().unwrap() {
            let resource = statement["Resource"].to_string();
            for action in statement["Action"].as_array().unwrap() {
                let action = action.as_str().unwrap();
                // Those that W&B publishes.
                let wild = ["s3:GetObject*", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:Describe*"];
                assert!(!action.contains('*') || wild.contains(&action), "{action}");
                if !action.starts_with("s3:") || action == "s3:ListAllMyBuckets" {
                    continue;
                }
                let of_objects = action.contains("Object") && action != "s3:GetBucketObjectLockConfiguration"
                    || matches!(action, "s3:AbortMultipartUpload" | "s3:ListMultipartUploadParts");
                assert_eq!(resource.contains('/'), of_objects, "{action} on {resource}");
                assert!(resource.contains("arn:aws-us-gov:"), "{resource}");
            }
        }
    }
}

/// IAM refuses managed policies of more than 6,144 characters without white space (IAM user guide,
/// "IAM and AWS STS quotas"), and any but letters and digits in a `Sid`.
#[test]
fn iam_takes_the_longest_policy() {
    let mut given = Given::new("us-isof-south-1");
    given.bucket = "b".repeat(63).parse().unwrap();
    given.queue = "q".repeat(80).parse().unwrap();
    given.events = "e".repeat(80).parse().unwrap();
    let job = job_policy(&given);
    for policy in [node_policy(&given.most()), operator_policy(&given.most()), job] {
        assert!(policy.document.to_string().len() <= 6_144);
        let statements = policy.document["Statement"].as_array().unwrap();
        let mut sids: Vec<_> =
            statements.iter().map(|statement| statement["Sid"].as_str().unwrap()).collect();
        assert!(sids.iter().all(|sid| sid.bytes().all(|b| b.is_ascii_alphanumeric())));
        sids.sort_unstable();
        sids.dedup();
        assert_eq!(sids.len(), statements.len(), "a Sid is there twice");
    }
}
