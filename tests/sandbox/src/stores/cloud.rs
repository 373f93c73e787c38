//! An emulated AWS as one more S3-compatible store: for the laws, which look at each document of others.

use std::process::Command;

use jiff::Timestamp;

use crate::Error;
use crate::aws::Aws;
use crate::cloud::{Cloud, NAME};
use crate::emulator::Emulator;
use crate::fault::{Armed, Failure};
use crate::person::{Document, Person, Trace};
use crate::proxy::Proxy;
use crate::snapshot::Snapshot;

/// An account of its own, reached by its endpoint alone.
#[derive(Debug)]
pub struct AwsAsStore(Aws);

impl Cloud for AwsAsStore {
    const CLOUD: &'static str = "s3";
    // Whoever has the server's key.
    const READER: &'static [&'static str] = &[];
    const PARTS: &'static [&'static str] = &["bucket/acme-ACCOUNT"];
    const SHARED: &'static [&'static str] = &["cors", "tags"];
    const TAGGED: &'static [(&'static str, &'static str)] =
        &[("bucket/acme-ACCOUNT/tags", "s3:PutBucketTagging")];

    const LOOKS: &'static [(&'static str, &'static [&'static str], &'static str)] = &[
        ("list", &[], "s3:ListBuckets"),
        ("plan", &[], "s3:GetBucketCors"),
        ("config", &[], "s3:GetBucketTagging"),
        ("teardown", &["--confirm", NAME], "s3:ListObjectVersions"),
    ];

    type Ground = Emulator;

    async fn ground() -> Result<Emulator, Error> {
        Aws::ground().await
    }

    async fn at(ground: &Emulator, number: u64) -> Result<Self, Error> {
        Aws::at(ground, number).await.map(Self)
    }

    async fn fresh() -> Self {
        Self(Aws::fresh().await)
    }

    fn account_id(&self) -> String {
        self.0.account_id()
    }

    fn pleas(seconds: u64) -> Vec<Failure> {
        Aws::pleas(seconds)
    }

    fn env(&self) -> Vec<(String, String)> {
        self.0.env()
    }

    fn proxy(&self) -> &Proxy {
        self.0.proxy()
    }

    fn wbstore(&self) -> Command {
        self.0.wbstore()
    }

    fn wbstore_with_secrets(&self) -> Command {
        self.0.wbstore_with_secrets()
    }

    fn secrets(&self) -> Vec<String> {
        self.0.secrets()
    }

    fn place(&self, _: &str) -> Vec<String> {
        vec!["--endpoint".to_owned(), self.0.proxy().url()]
    }

    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    async fn snapshot(&self) -> Snapshot {
        self.0.snapshot().await
    }

    async fn neighbours(&self) {
        self.0.neighbours().await;
    }

    async fn predecessor(&self) {
        self.0.predecessor().await;
    }

    async fn fill(&self, objects: usize, versions: usize) {
        self.0.fill(objects, versions).await;
    }

    fn resist(&self) -> Vec<Armed> {
        self.0.resist()
    }

    fn emptying_takes(versions: usize) -> usize {
        Aws::emptying_takes(versions)
    }

    /// No store has a queue.
    async fn announce(&self) -> usize {
        0
    }

    /// Its one entry among those of others is the CORS rule.
    fn notifications(snapshot: &Snapshot) -> usize {
        let document = snapshot.get("bucket/acme-ACCOUNT/cors").unwrap_or_default();
        document.matches(&format!("ID=\"wbstore-{NAME}\"")).count()
    }
}

/// Whoever adds to the parts of a bucket that a deployment on a store has.
impl Person for AwsAsStore {
    const OBJECTS: Document = Aws::OBJECTS;

    const MARKS: &'static [Document] = &[Aws::MARKS[0]];

    const ENTRIES: &'static [Document] = &[Aws::ENTRIES[0], Aws::ENTRIES[3]];

    const ENDING: &'static [Document] = &[Aws::ENDING[0]];

    const GUARDED: &'static [&'static str] = &[];

    /// There is no setting but those that are asked for.
    const SETTING: [&'static str; 3] = ["", "", ""];

    async fn upload(&self) -> Option<Trace> {
        self.0.upload().await
    }

    async fn set_lease_end(&self, deployment: &str, end: Timestamp) -> Option<Trace> {
        self.0.set_lease_end(deployment, end).await
    }

    async fn remark(&self, document: &Document) -> Option<Trace> {
        self.0.remark(document).await
    }

    async fn add_entry(&self, document: &Document) -> Option<Trace> {
        self.0.add_entry(document).await
    }

    async fn set(&self, _: &str) -> Option<Trace> {
        None
    }
}
