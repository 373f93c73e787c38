//! AWS, as the laws see it.

use std::process::Command;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};

use super::Aws;
use crate::Error;
use crate::backend::Backend;
use crate::cloud::{Cloud, NAME};
use crate::emulator::Emulator;
use crate::fault::{Armed, Failure, Fault, Keys, When};
use crate::proxy::Proxy;
use crate::reply::ApiError;
use crate::snapshot::Snapshot;

/// Any emulator delivers at once; this is for a machine that is busy.
const EVENT_WITHIN: Duration = Duration::from_secs(30);

/// Uploads at the same time.
const ABREAST: usize = 16;

const VERSIONED: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";

impl Cloud for Aws {
    const CLOUD: &'static str = "aws";
    const READER: &'static [&'static str] = &["--reader", "dedicated"];
    const PARTS: &'static [&'static str] = &["bucket/acme-ACCOUNT", "queue/wbstore-wandb-acme-com"];
    const SHARED: &'static [&'static str] = &["cors", "notification", "policy", "tags"];
    const TAGGED: &'static [(&'static str, &'static str)] = &[
        ("bucket/acme-ACCOUNT/tags", "s3:CreateBucket"),
        ("queue/wbstore-wandb-acme-com/tags", "sqs:CreateQueue"),
    ];

    const LOOKS: &'static [(&'static str, &'static [&'static str], &'static str)] = &[
        ("list", &[], "s3:ListBuckets"),
        ("plan", &[], "sts:GetCallerIdentity"),
        ("plan", &[], "s3:GetBucketCors"),
        ("config", &[], "sqs:GetQueueAttributes"),
        ("verify", &["--within", "5s"], "sqs:ReceiveMessage"),
        ("teardown", &["--confirm", NAME], "s3:ListObjectVersions"),
    ];

    const ADVICE: &'static [(&'static str, &'static str)] = &[
        ("provision", "s3:GetBucketRequestPayment"),
        ("provision", "s3:GetBucketVersioning"),
        ("provision", "s3:GetObjectLockConfiguration"),
    ];

    type Ground = Emulator;

    async fn ground() -> Result<Emulator, Error> {
        Emulator::start(Backend::Ministack).await
    }

    async fn at(ground: &Emulator, number: u64) -> Result<Self, Error> {
        Self::before(ground, &format!("{number:012}")).await
    }

    async fn fresh() -> Self {
        Self::from_env().await
    }

    fn account_id(&self) -> String {
        self.account().to_owned()
    }

    fn pleas(seconds: u64) -> Vec<Failure> {
        let busy = || ApiError::new(503, "SlowDown", "Please reduce your request rate.");
        vec![
            Failure::TooManyRequests(seconds),
            Failure::Other(busy().header("retry-after", seconds.to_string())),
            Failure::Other(busy().header("x-amz-retry-after", (seconds * 1000).to_string())),
        ]
    }

    fn env(&self) -> Vec<(String, String)> {
        self.env()
    }

    fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    fn wbstore(&self) -> Command {
        self.wbstore()
    }

    fn wbstore_with_secrets(&self) -> Command {
        let mut command = self.wbstore();
        command.env("AWS_SECRET_ACCESS_KEY", "canary/secret+key");
        command.env("AWS_SESSION_TOKEN", "canary/session+token==");
        command
    }

    fn secrets(&self) -> Vec<String> {
        ["canary", "secret+key", "secret%2Bkey", "session+token", "session%2Btoken"]
            .map(str::to_owned)
            .to_vec()
    }

    fn names(&self) -> Vec<String> {
        vec!["--bucket".to_owned(), self.bucket()]
    }

    async fn snapshot(&self) -> Snapshot {
        self.documents().await
    }

    async fn neighbours(&self) {
        self.make_neighbours().await;
    }

    async fn predecessor(&self) {
        self.make_predecessor().await;
    }

    async fn fill(&self, objects: usize, versions: usize) {
        let bucket = self.bucket();
        if versions > 1 {
            self.put(&format!("{bucket}?versioning"), VERSIONED).await;
        }
        let uploads = (0..objects * versions).map(|number| {
            let object = number % objects;
            let path = format!("{bucket}/media/{}/run%20{object}.bin", object % 7);
            async move { self.put(&path, "x").await }
        });
        stream::iter(uploads).buffer_unordered(ABREAST).collect::<()>().await;
    }

    fn resist(&self) -> Vec<Armed> {
        let throttled = When::one_in(20, "s3:*");
        let keys = Fault::KeyErrors(Failure::Internal, Keys::EveryNth(50));
        vec![
            self.proxy.arm(throttled, Fault::fail(Failure::Throttled)),
            self.proxy.arm(When::every("s3:DeleteObjects"), keys),
        ]
    }

    /// The keys that fail come back in ever smaller batches, and a batch holds a thousand. Queue, objects and
    /// bucket are looked at once more before they go.
    fn emptying_takes(versions: usize) -> usize {
        50 + 10 * versions / 1000
    }

    async fn announce(&self) -> usize {
        self.put(&format!("{}/told%20of", self.bucket()), "x").await;
        let started = Instant::now();
        let mut told = 0;
        // One more look after the first success: a second message would be a duplicate.
        while told == 0 && started.elapsed() < EVENT_WITHIN {
            told += self.told().await;
        }
        told + self.told().await
    }

    fn notifications(snapshot: &Snapshot) -> usize {
        let document = snapshot.get("bucket/acme-ACCOUNT/notification").unwrap_or_default();
        document.matches(&format!("Id=\"wbstore-{NAME}\"")).count()
    }
}

impl Aws {
    /// Receives once and counts the messages about the object of [`Cloud::announce`].
    async fn told(&self) -> usize {
        let asked = json!({ "QueueUrl": self.queue_url(), "WaitTimeSeconds": 1, "MaxNumberOfMessages": 10 });
        let answer = self.sqs("ReceiveMessage", &asked).await;
        let bodies = answer["Messages"].as_array().cloned().unwrap_or_default();
        let about = |message: &Value| message["Body"].as_str().is_some_and(|body| body.contains("told+of"));
        bodies.iter().filter(|message| about(message)).count()
    }
}
