use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;

use super::*;
use crate::inventory::Inventory;
use crate::plan::{Goal, Subject, plan};
use crate::policy::{Audience, Policy};
use crate::resource::{Output, Stack};
use crate::secret::{Disclosure, Instead, Secret, Withheld};
use crate::verify::{CheckSender, VerifyOptions};

const KEY: &str = "Y2FuYXJ5LWtleQ==";

/// A cloud of which no more is known than its one secret.
#[derive(Default)]
struct Vault {
    fetched: AtomicBool,
    /// Whether the secret is a part of BUCKET, as on an S3-compatible store.
    is_in_bucket: bool,
}

const MASKED: &str = "s3://id:***@minio:9000/wandb?region=us-east-1";

impl Provider for Vault {
    fn stack(&self, _: Goal) -> Result<Stack> {
        Err(Error::new(Kind::Failed, "there is none"))
    }

    fn verify<'a>(&'a self, _: &'a VerifyOptions, _: CheckSender) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn list(&self) -> BoxFuture<'_, Result<Inventory>> {
        Box::pin(async { Ok(Inventory::default()) })
    }

    fn policy(&self, _: Audience) -> Result<Policy> {
        Err(Error::new(Kind::Failed, "there is none"))
    }

    fn withheld(&self) -> Option<Withheld<'_>> {
        let secret = Box::pin(async {
            self.fetched.store(true, Ordering::Relaxed);
            let address = MASKED.replace("***", "Y2FuYXJ5LWtleQ%3D%3D");
            Ok(Secret::new(if self.is_in_bucket { address } else { KEY.to_owned() }))
        });
        if self.is_in_bucket {
            return Some(Withheld {
                name: "BUCKET",
                instead: Instead::Masked(MASKED.to_owned()),
                warning: None,
                secret,
            });
        }
        Some(Withheld {
            name: "AZURE_STORAGE_KEY",
            instead: Instead::Command("az storage account keys list".to_owned()),
            warning: None,
            secret,
        })
    }
}

#[derive(Clone, Default)]
struct Stream(Arc<Mutex<Vec<u8>>>);

impl Stream {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What came of it, on stdout and stderr, and whether the secret was fetched.
async fn delivered(encoding: Encoding, disclosure: Disclosure) -> (Result<()>, String, String, bool) {
    delivered_by(Vault::default(), "az://acme/wandb", encoding, disclosure).await
}

async fn delivered_by(
    vault: Vault,
    bucket: &str,
    encoding: Encoding,
    disclosure: Disclosure,
) -> (Result<()>, String, String, bool) {
    let outputs = vec![Output { name: "BUCKET", value: bucket.to_owned() }];
    let subject = Subject {
        deployment: "acme".into(),
        scope: "here".into(),
        outputs,
        notes: vec![],
        assumptions: vec![],
        spares: None,
    };
    let plan = plan(Goal::Present { adopt: false }, subject, &[]);
    let (out, err) = (Stream::default(), Stream::default());
    let mut console = Console::piped(out.clone(), err.clone());
    let done = match disclosure.open() {
        Ok(destination) => deliver(None, &vault, &plan, encoding, None, destination, &mut console).await,
        Err(error) => Err(error),
    };
    (done, out.text(), err.text(), vault.fetched.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_secret_that_is_not_asked_for_is_not_fetched() {
    let (done, out, err, fetched) = delivered(Encoding::Env, Disclosure::Withheld).await;
    assert!(done.is_ok() && !fetched && err.is_empty());
    insta::assert_snapshot!(out, @"
    BUCKET=az://acme/wandb
    # AZURE_STORAGE_KEY is a secret: add --reveal to print it or --secret-file to write it to a file. This prints it too:
    # az storage account keys list
    ");
    let (done, out, err, fetched) = delivered(Encoding::Json, Disclosure::Withheld).await;
    assert!(done.is_ok() && !fetched);
    assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{out}");
    assert!(err.contains("az storage account keys list"), "{err}");
}

#[tokio::test]
async fn a_secret_that_is_asked_for_is_on_stdout_alone() {
    for encoding in [Encoding::Env, Encoding::Docker, Encoding::Helm, Encoding::K8sSecret, Encoding::Json] {
        let (done, out, err, _) = delivered(encoding, Disclosure::Shown).await;
        assert!(done.is_ok() && out.contains(KEY) && err.is_empty(), "{out}{err}");
    }
}

#[tokio::test]
async fn a_secret_for_a_file_is_in_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let (done, out, err, _) = delivered(Encoding::Env, Disclosure::File(path.clone())).await;
    assert!(done.is_ok() && err.is_empty());
    assert_eq!(
        out,
        format!("BUCKET=az://acme/wandb\n# AZURE_STORAGE_KEY was written to {}\n", path.display())
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), KEY);
    // Something has come to be there since the path was checked.
    let (done, out, err, _) = delivered(Encoding::Env, Disclosure::File(path)).await;
    let error = done.unwrap_err();
    assert_eq!((error.kind(), out.as_str(), err.as_str()), (Kind::Input, "", ""));
    assert!(!format!("{error:?}").contains(KEY));
}

#[tokio::test]
async fn a_secret_inside_of_a_value_is_masked_until_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bucket");
    let deliver = |encoding, disclosure| {
        delivered_by(Vault { is_in_bucket: true, ..Vault::default() }, MASKED, encoding, disclosure)
    };
    let (done, out, _, fetched) = deliver(Encoding::Env, Disclosure::Withheld).await;
    assert!(done.is_ok() && !fetched);
    insta::assert_snapshot!(out, @"
    # BUCKET is a secret: add --reveal to print it or --secret-file to write it to a file
    # BUCKET=s3://id:***@minio:9000/wandb?region=us-east-1
    ");
    let (_, out, ..) = deliver(Encoding::Env, Disclosure::Shown).await;
    assert_eq!(out, "BUCKET='s3://id:Y2FuYXJ5LWtleQ%3D%3D@minio:9000/wandb?region=us-east-1'\n");
    let (done, out, ..) = deliver(Encoding::Json, Disclosure::File(path.clone())).await;
    assert!(done.is_ok() && !out.contains("Y2Fu"), "{out}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), MASKED.replace("***", "Y2FuYXJ5LWtleQ%3D%3D"));
    let (_, out, ..) = deliver(Encoding::Helm, Disclosure::Withheld).await;
    assert!(out.contains("secretKeyName") && !out.contains("SECRET_KEY: "), "{out}");
}
