use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;

use super::*;
use crate::inventory::Inventory;
use crate::plan::{Goal, Subject, plan};
use crate::policy::{Audience, Policy};
use crate::resource::{Output, Stack};
use crate::secret::{Disclosure, Secret, Withheld};
use crate::verify::{CheckSender, VerifyOptions};

const KEY: &str = "Y2FuYXJ5LWtleQ==";

/// A cloud of which no more is known than its one secret.
#[derive(Default)]
struct Vault {
    fetched: AtomicBool,
}

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
            Ok(Secret::new(KEY.to_owned()))
        });
        Some(Withheld {
            name: "AZURE_STORAGE_KEY",
            command: "az storage account keys list".to_owned(),
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
    let outputs = vec![Output { name: "BUCKET", value: "az://acme/wandb".to_owned() }];
    let subject = Subject {
        deployment: "acme".into(),
        scope: "here".into(),
        outputs,
        notes: vec![],
        assumptions: vec![],
    };
    let plan = plan(Goal::Present { adopt: false }, subject, &[]);
    let (out, err, vault) = (Stream::default(), Stream::default(), Vault::default());
    let mut console = Console::piped(out.clone(), err.clone());
    let done = match disclosure.open() {
        Ok(destination) => deliver(&vault, &plan, encoding, destination, &mut console).await,
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
