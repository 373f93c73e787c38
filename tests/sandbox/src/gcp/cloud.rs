//! Google Cloud, as the laws see it.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Gcp;
use super::double::Options;
use super::others::BUCKET;
use super::pubsub_emulator::PubsubEmulator;
use crate::Error;
use crate::cloud::{Cloud, NAME};
use crate::fault::{Armed, Failure, Fault, When};
use crate::proxy::Proxy;
use crate::snapshot::Snapshot;

/// Both kinds of Pub/Sub deliver at once; this is for a machine that is busy.
const EVENT_WITHIN: Duration = Duration::from_secs(30);

impl Cloud for Gcp {
    const CLOUD: &'static str = "gcp";
    const READER: &'static [&'static str] = &["--reader", "dedicated"];
    const PARTS: &'static [&'static str] =
        &["bucket/acme-media", "topic/wbstore-wandb-acme-com", "subscription/wbstore-wandb-acme-com"];
    const SHARED: &'static [&'static str] = &["cors", "labels", "notifications", "policy"];
    const TAGGED: &'static [(&'static str, &'static str)] = &[
        ("bucket/acme-media/labels", "storage.buckets.insert"),
        ("topic/wbstore-wandb-acme-com/labels", "pubsub.topics.create"),
        ("subscription/wbstore-wandb-acme-com/labels", "pubsub.subscriptions.create"),
    ];

    /// Whether the bucket is open to all, besides what its own settings say; which subscriptions of others
    /// a topic leaves behind; managed folders, with which the service deletes no bucket.
    const ADVICE: &'static [(&'static str, &'static str)] = &[
        ("provision", "storage.buckets.getIamPolicy"),
        ("teardown", "storage.buckets.getIamPolicy"),
        ("teardown", "storage.managedFolders.list"),
        ("teardown", "pubsub.topics.subscriptions.list"),
    ];

    const LOOKS: &'static [(&'static str, &'static [&'static str], &'static str)] = &[
        ("list", &[], "storage.buckets.list"),
        ("plan", &[], "pubsub.topics.get"),
        ("plan", &[], "storage.projects.serviceAccount.get"),
        ("plan", &[], "storage.notifications.list"),
        ("config", &[], "storage.buckets.get"),
        ("verify", &["--within", "5s"], "storage.preflight"),
        ("teardown", &["--confirm", NAME], "storage.objects.list"),
    ];

    /// Google's Pub/Sub emulator, where it is installed.
    type Ground = Option<PubsubEmulator>;

    async fn ground() -> Result<Self::Ground, Error> {
        match PubsubEmulator::found() {
            Some(archive) => Ok(Some(PubsubEmulator::start(&archive).await?)),
            None => Ok(None),
        }
    }

    async fn at(ground: &Self::Ground, number: u64) -> Result<Self, Error> {
        let emulator = ground.as_ref().map(|emulator| emulator.url().to_owned());
        Self::with(Options { project: Some(format!("wandb-{number}")), emulator }).await
    }

    async fn fresh() -> Self {
        Self::from_env().await
    }

    fn account_id(&self) -> String {
        self.double().number()
    }

    fn env(&self) -> Vec<(String, String)> {
        self.env()
    }

    fn proxy(&self) -> &Proxy {
        self.proxy()
    }

    fn wbstore(&self) -> Command {
        self.wbstore()
    }

    /// The private key, and how every token that is signed with it begins.
    fn secrets(&self) -> Vec<String> {
        let named = |(name, path): &(String, String)| {
            let key = (name == "GOOGLE_APPLICATION_CREDENTIALS").then(|| std::fs::read_to_string(path).ok());
            serde_json::from_str::<Value>(&key??).ok()
        };
        let key = self.env.iter().find_map(named).unwrap_or_default();
        let lines = key["private_key"].as_str().unwrap_or_default().lines().skip(1).take(3);
        lines.map(str::to_owned).chain(["eyJhbGciOi".to_owned()]).collect()
    }

    fn names(&self) -> Vec<String> {
        vec!["--bucket".to_owned(), BUCKET.to_owned()]
    }

    async fn snapshot(&self) -> Snapshot {
        let all = self.double().snapshot().await;
        let mut snapshot = Snapshot::default();
        for path in all.paths() {
            // What is said of a part itself is one of its documents.
            let itself = if path.matches('/').count() == 1 { "/settings" } else { "" };
            snapshot.insert(format!("{path}{itself}"), all.get(path).unwrap_or_default());
        }
        snapshot
    }

    async fn neighbours(&self) {
        self.make_neighbours().await;
    }

    async fn predecessor(&self) {
        self.make_predecessor().await;
    }

    async fn fill(&self, objects: usize, versions: usize) {
        if versions > 1 {
            let versioned = json!({ "versioning": { "enabled": true } });
            self.ask("PATCH", &format!("/storage/v1/b/{BUCKET}"), versioned).await;
        }
        for number in 0..objects * versions {
            let object = number % objects;
            let name = format!("media/{}/run {object}.bin", object % 7);
            self.control().put(BUCKET, &name, b"x", false);
        }
    }

    fn resist(&self) -> Vec<Armed> {
        let proxy = self.proxy();
        vec![
            proxy.arm(When::one_in(50, "storage.objects.delete"), Fault::fail(Failure::Internal)),
            proxy.arm(When::one_in(20, "storage.*"), Fault::fail(Failure::Throttled)),
        ]
    }

    /// Each version is a request of its own, and one in fourteen is sent again.
    fn emptying_takes(versions: usize) -> usize {
        50 + versions * 5 / 4
    }

    async fn announce(&self) -> usize {
        let path = format!("/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=told%20of");
        self.ask("POST", &path, json!("x")).await;
        let started = Instant::now();
        let mut told = 0;
        // One more look after the first success: a second message would be a duplicate.
        while told == 0 && started.elapsed() < EVENT_WITHIN {
            told += self.told().await;
        }
        told + self.told().await
    }

    fn notifications(snapshot: &Snapshot) -> usize {
        let document = snapshot.get("bucket/acme-media/notifications").unwrap_or("[]");
        let all: Vec<Value> = serde_json::from_str(document).unwrap_or_default();
        all.iter().filter(|one| one["custom_attributes"]["wbstore"] == NAME).count()
    }
}

impl Gcp {
    /// Pulls once and counts the messages about the object of [`Cloud::announce`].
    async fn told(&self) -> usize {
        let path = format!("/v1/projects/{}/subscriptions/wbstore-{NAME}:pull", self.project());
        let asked = json!({ "maxMessages": 10, "returnImmediately": true });
        let answer = self.ask("POST", &path, asked).await;
        let messages = answer["receivedMessages"].as_array().cloned().unwrap_or_default();
        let about = |message: &&Value| message["message"]["attributes"]["objectId"] == "told of";
        let told = messages.iter().filter(about).count();
        if told == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        told
    }
}
