//! Who is asked before anything is changed, and the exit codes, against a cloud in memory.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use clap::{Args, FromArgMatches};
use futures::future::BoxFuture;

use super::*;
use crate::change::Change;
use crate::commands::provision::{ProvisionArgs, bring_about};
use crate::commands::run::{Looking, Observed, Run};
use crate::commands::teardown::{TeardownArgs, remove, spares};
use crate::error::{Kind, exit};
use crate::inventory::Inventory;
use crate::name::StorageName;
use crate::plan::Goal;
use crate::policy::{Audience, Policy};
use crate::resource::fake::{Cloud as Memory, Part, Plain, Turn, Verb, World};
use crate::resource::{Owner, Stack};
use crate::secret::Disclosure;
use crate::verify::{CheckSender, VerifyOptions};

/// A deployment of one bucket.
struct OneBucket(Arc<Memory>);

impl Provider for OneBucket {
    fn stack(&self, _: Goal) -> Result<Stack> {
        Ok(self.0.stack([Part::<Plain>::new("bucket").on(&self.0)]))
    }

    fn verify<'a>(&'a self, _: &'a VerifyOptions, _: CheckSender) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Err(absent()) })
    }

    fn list(&self) -> BoxFuture<'_, Result<Inventory>> {
        Box::pin(async { Err(absent()) })
    }

    fn policy(&self, _: Audience) -> Result<Policy> {
        Err(absent())
    }
}

fn absent() -> Error {
    Error::new(Kind::Failed, "this cloud has nothing of the kind")
}

#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<Vec<u8>>>);

impl Pipe {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a command ended.
struct Ran {
    code: u8,
    /// What ended it before it changed anything.
    error: String,
    stdout: String,
    stderr: String,
    calls: Vec<String>,
}

fn parsed<A: Args + FromArgMatches>(line: &str) -> A {
    let words = std::iter::once("wbstore").chain(line.split_whitespace());
    // The options of a cloud, of which there is none here, have this group.
    let parts = clap::ArgGroup::new("parts");
    let command = A::augment_args(clap::Command::new("wbstore")).group(parts);
    A::from_arg_matches(&command.get_matches_from(words)).unwrap()
}

/// Runs `provision` with the options in `line`, and with a person who gives these answers, if any.
async fn provision(cloud: &Arc<Memory>, line: &str, answers: &[&'static str]) -> Ran {
    let args = parsed::<ProvisionArgs>(line);
    let provider = OneBucket(Arc::clone(cloud));
    run(cloud, answers, async |console: &mut Console| {
        let (cancel, consent) = (CancellationToken::new(), args.consent());
        let change = Change::look(&provider, args.goal(), console).await?;
        let observed = Observed {
            title: None,
            wanted: anybody()?,
            disclosure: Disclosure::Withheld,
            provider: Box::new(provider),
            change,
            contradiction: None,
            args,
        };
        bring_about(Run::of_one(observed), &consent, console, cancel).await
    })
    .await
}

/// The same with `teardown`, of the deployment `acme`.
async fn teardown(cloud: &Arc<Memory>, line: &str, answers: &[&'static str]) -> Ran {
    let args = parsed::<TeardownArgs>(&format!("--name acme {line}"));
    let provider = OneBucket(Arc::clone(cloud));
    run(cloud, answers, async |console: &mut Console| {
        let cancel = CancellationToken::new();
        let acme: StorageName = "acme".parse::<DeploymentName>().unwrap().into();
        let spares = spares(&args, "wbstore teardown test --name acme".to_owned(), &acme);
        remove(&provider, &args, (&acme, spares, "list them"), console, cancel).await
    })
    .await
}

async fn run(
    cloud: &Memory,
    answers: &[&'static str],
    command: impl AsyncFnOnce(&mut Console) -> Result<u8>,
) -> Ran {
    let (out, err) = (Pipe::default(), Pipe::default());
    let mut console = Console::piped(out.clone(), err.clone());
    if !answers.is_empty() {
        console = console.answering(answers);
    }
    let (code, error) = match command(&mut console).await {
        Ok(code) => (code, String::new()),
        Err(error) => (error.exit_code(), error.chain()),
    };
    let stderr = anstream::adapter::strip_str(&err.text()).to_string();
    Ran { code, error, stdout: out.text(), stderr, calls: cloud.calls() }
}

fn holding(size: u32, owner: Owner) -> Arc<Memory> {
    let cloud = Memory::new();
    cloud.world().put("bucket", size, owner);
    cloud
}

const SETTINGS: &str = "BUCKET=test://acme\n";

#[tokio::test]
async fn without_consent_nothing_is_created() {
    for (answers, code, error) in [
        (&[][..], exit::USAGE, "nothing was changed: confirmation requires a terminal"),
        (&["n"], exit::FAILED, "nothing was changed: the answer was no"),
        (&[""], exit::FAILED, "nothing was changed: the answer was no"),
    ] {
        let ran = provision(&Memory::new(), "", answers).await;
        assert_eq!((ran.code, ran.error.as_str()), (code, error));
        assert_eq!((&ran.calls[..], ran.stdout.as_str()), (&["look bucket".to_owned()][..], ""));
        assert!(ran.stderr.contains("test/bucket/acme"), "the plan is shown first: {}", ran.stderr);
    }
}

#[tokio::test]
async fn with_consent_it_is_created_and_looked_at_once_more_after_the_prompt() {
    for (line, answers, calls) in [
        ("--yes", &[][..], &["look bucket", "write bucket"][..]),
        ("", &["yes"], &["look bucket", "look bucket", "write bucket"]),
    ] {
        let ran = provision(&Memory::new(), line, answers).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (exit::DONE, SETTINGS), "{}", ran.error);
        assert_eq!(ran.calls, calls);
        assert!(ran.stderr.contains("Done: 1 created"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn what_happens_at_the_prompt_is_seen() {
    let beta = || Owner::Other(Some("beta".to_owned()));
    let taken = || Turn::After(Box::new(move |world: &mut World| world.put("bucket", 3, beta())));
    let cloud = holding(7, Owner::Ours);
    cloud.script("bucket", Verb::Look, [Turn::Works, taken()]);
    let ran = provision(&cloud, "", &["y"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (exit::REFUSED, ""));
    assert_eq!((ran.calls, cloud.found("bucket")), (vec!["look bucket".to_owned(); 2], Some((3, beta()))));

    let cloud = holding(1, Owner::Ours);
    cloud.script("bucket", Verb::Look, [Turn::Works, taken()]);
    let ran = teardown(&cloud, "", &["acme"]).await;
    assert_eq!((ran.code, cloud.found("bucket")), (exit::REFUSED, Some((3, beta()))));
}

#[tokio::test]
async fn nobody_is_asked_where_nothing_would_be_changed() {
    let ran = provision(&holding(1, Owner::Ours), "", &[]).await;
    assert_eq!((ran.code, ran.stdout.as_str(), ran.calls.len()), (exit::DONE, SETTINGS, 1));
    let ran = provision(&Memory::new(), "--dry-run", &[]).await;
    assert_eq!((ran.code, ran.calls.len()), (exit::DONE, 1));
    assert!(ran.stdout.contains("test/bucket/acme"), "{}", ran.stdout);
    let ran = teardown(&Memory::new(), "", &[]).await;
    assert_eq!((ran.code, ran.calls.len()), (exit::DONE, 1));
    assert!(ran.stderr.contains("list them"), "{}", ran.stderr);
    let cloud = holding(1, Owner::Ours);
    let ran = teardown(&cloud, "--dry-run", &[]).await;
    assert_eq!((ran.code, ran.calls.len()), (exit::DONE, 1));
}

#[tokio::test]
async fn consent_does_not_help_a_plan_that_is_refused_or_not_the_reviewed_one() {
    let unmarked = || holding(1, Owner::Other(None));
    for line in ["--yes", "--dry-run"] {
        let ran = provision(&unmarked(), line, &[]).await;
        assert_eq!((ran.code, ran.calls.len()), (exit::REFUSED, 1), "{line}");
    }
    let other = format!("--expect {}", "0".repeat(32));
    let ran = provision(&Memory::new(), &format!("--yes {other}"), &[]).await;
    assert_eq!((ran.code, ran.calls.len()), (exit::REFUSED, 1), "{}", ran.error);
    let cloud = holding(1, Owner::Ours);
    let ran = teardown(&cloud, &format!("--confirm acme {other}"), &[]).await;
    assert_eq!((ran.code, ran.calls.len()), (exit::REFUSED, 1), "{}", ran.error);
    let unknown = holding(1, Owner::Unknown("no tags".to_owned()));
    let ran = teardown(&unknown, "--confirm acme", &[]).await;
    assert_eq!((ran.code, ran.calls.len()), (exit::REFUSED, 1), "{}", ran.error);
}

#[tokio::test]
async fn what_was_reviewed_is_applied() {
    let cloud = Memory::new();
    let plan = provision(&cloud, "--dry-run", &[]).await.stdout;
    let digest = plan.split_whitespace().find(|word| word.len() == 32).unwrap();
    let ran = provision(&cloud, &format!("--yes --expect {digest}"), &[]).await;
    assert_eq!((ran.code, cloud.found("bucket")), (exit::DONE, Some((1, Owner::Ours))), "{}", ran.error);
}

#[tokio::test]
async fn a_deletion_takes_the_name_of_the_deployment() {
    for (line, answers, error) in [
        ("", &[][..], "nothing was deleted: confirmation requires a terminal"),
        ("--confirm beta", &[], "nothing was deleted: the name typed is not `acme`"),
        // What was said on the command line is not asked for again.
        ("--confirm beta", &["acme"], "nothing was deleted: the name typed is not `acme`"),
        ("", &["yes"], "nothing was deleted: the name typed is not `acme`"),
        ("", &[""], "nothing was deleted: the name typed is not `acme`"),
    ] {
        let cloud = holding(1, Owner::Ours);
        let ran = teardown(&cloud, line, answers).await;
        assert_eq!((ran.code, ran.error.as_str(), ran.calls.len()), (exit::USAGE, error, 1));
    }
    for (line, answers) in [
        ("--confirm acme", &[][..]),
        ("--yes", &[]),
        ("--yes --confirm acme", &[]),
        ("", &["acme"]),
        ("", &[" acme "]),
    ] {
        let cloud = holding(1, Owner::Ours);
        let ran = teardown(&cloud, line, answers).await;
        assert_eq!((ran.code, cloud.found("bucket")), (exit::DONE, None), "{}", ran.error);
        assert_eq!(ran.calls, ["look bucket", "look bucket", "delete bucket"]);
    }
}

#[tokio::test]
async fn a_run_that_fails_prints_no_settings_and_says_whether_anything_was_changed() {
    let denied = || Error::new(Kind::Denied, "it was denied");
    let failed = || Error::new(Kind::Failed, "it broke");
    for (turn, code) in [
        (Turn::Refused(denied()), exit::REFUSED),
        (Turn::Refused(failed()), exit::FAILED),
        (Turn::Half(denied()), exit::PARTIAL),
        (Turn::Lost(failed()), exit::PARTIAL),
    ] {
        let cloud = Memory::new();
        cloud.script("bucket", Verb::Write, [turn]);
        let ran = provision(&cloud, "--yes", &[]).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("failed: it"), "{}", ran.stderr);
    }
    let cloud = holding(1, Owner::Ours);
    cloud.script("bucket", Verb::Delete, [Turn::Until(jiff::Timestamp::UNIX_EPOCH)]);
    let ran = teardown(&cloud, "--confirm acme", &[]).await;
    assert_eq!(ran.code, exit::PARTIAL);
    assert!(ran.stderr.contains("1970-01-01T00:00:00Z"), "{}", ran.stderr);
}
