//! The GitHub Action, run as a runner does: inputs as variables, files for what it reports, GitHub's API by its schema.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;
use wbstore_sandbox::archive::Release;
use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::cloud::{Cloud, HOST};
use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::services::github::{GitHub, LONGEST, READER, WRITER};

use crate::{beside, host, packed, root, run, script};

/// The author of the comments that the token writes.
const AUTHOR: &str = "github-actions";

/// A runner with a pull request.
struct Runner {
    github: GitHub,
    aws: Aws,
    folder: TempDir,
}

/// What a run reported, besides its log.
struct Reported {
    ran: Ran,
    outputs: String,
    summary: String,
}

impl Reported {
    fn output(&self, name: &str) -> Option<&str> {
        self.outputs.lines().find_map(|line| line.strip_prefix(&format!("{name}=")))
    }
}

impl Runner {
    /// One with a release of the built wbstore.
    async fn new() -> Self {
        let runner = Self::without_release().await;
        let (archive, release) = (packed(), runner.release());
        fs::copy(archive, release.join(archive.file_name().expect("a name"))).expect("a file");
        fs::copy(archive.with_extension("gz.sha256"), release.join("SHA256SUMS")).expect("a file");
        runner
    }

    /// One with a release whose program is this shell script.
    async fn with_program(lines: &str) -> Self {
        let runner = Self::without_release().await;
        let name = format!("wbstore-{}-{}", Release::VERSION, host());
        let program = runner.folder.path().join(&name).join("wbstore");
        fs::create_dir(program.parent().expect("a folder")).expect("a folder");
        script(&program, lines);
        let archive = format!("{name}.tar.gz");
        let tar = ["-czf", &archive, "-C"];
        run(Command::new("tar").args(tar).arg(runner.folder.path()).arg(&name).current_dir(runner.release()));
        let sums = run(Command::new("sha256sum").arg(&archive).current_dir(runner.release()));
        fs::write(runner.release().join("SHA256SUMS"), sums).expect("a file");
        runner
    }

    async fn without_release() -> Self {
        let github = GitHub::start().await.unwrap_or_else(|error| panic!("{error}"));
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("event.json"), github.event().to_string()).expect("a file");
        Self { github, aws: Aws::fresh().await, folder }
    }

    /// The folder of the files of the release.
    fn release(&self) -> std::path::PathBuf {
        self.github.release(Release::VERSION)
    }

    /// Runs the action with these inputs, in the account.
    async fn runs(&self, inputs: &[(&str, &str)]) -> Reported {
        let file = |name: &str| self.folder.path().join(name);
        for name in ["output", "path", "summary"] {
            fs::write(file(name), "").expect("a file");
        }
        let mut node = Command::new("node");
        node.arg(root().join("action/main.mjs")).current_dir(self.folder.path());
        node.env("RUNNER_TEMP", self.folder.path()).env("GITHUB_GRAPHQL_URL", self.github.graphql());
        node.env("GITHUB_SERVER_URL", "https://github.com").env("GITHUB_REPOSITORY", "acme/infra");
        node.env("GITHUB_RUN_ID", "17").env("GITHUB_EVENT_PATH", file("event.json"));
        node.env("GITHUB_OUTPUT", file("output")).env("GITHUB_PATH", file("path"));
        node.env("GITHUB_STEP_SUMMARY", file("summary")).env("INPUT_RELEASE-URL", self.github.releases());
        node.env("INPUT_TOKEN", WRITER);
        for (name, value) in inputs {
            node.env(format!("INPUT_{}", name.to_uppercase()), value);
        }
        let ran = beside(node, &self.aws.wbstore()).await;
        let text = |name| fs::read_to_string(file(name)).expect("text");
        Reported { ran, outputs: text("output"), summary: text("summary") }
    }

    /// The bodies of the comments that the action wrote. Those of others are as they were.
    async fn written(&self) -> Vec<String> {
        let comments = self.github.comments().await;
        let (own, others): (Vec<_>, Vec<_>) = comments.into_iter().partition(|(author, _)| author == AUTHOR);
        assert_eq!(others.len(), 121);
        assert_eq!(others[0].1, "<!-- wbstore plan default -->\nPlan: nothing to do");
        own.into_iter().map(|(_, body)| body).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_plan_becomes_one_comment_that_is_written_again_and_its_digest_applies() {
    let runner = Runner::new().await;
    let plan = [("command", "plan"), ("args", "aws --host 'https://wandb.acme.com'")];
    let first = runner.runs(&plan).await;
    assert_eq!((first.ran.code, first.output("exit-code")), (Some(0), Some("0")), "{}", first.ran);
    let digest = first.output("digest").expect("an output").to_owned();
    let json = runner.aws.run(&["plan", "aws", "--host", HOST, "--format", "json"]).await.ends(0).json();
    assert_eq!(json["digest"], json!(digest));
    let [comment] = &runner.written().await[..] else { panic!("not one comment") };
    assert!(comment.starts_with("<!-- wbstore plan default -->\n") && comment.contains(&digest), "{comment}");
    assert!(
        comment.contains("[this run](https://github.com/acme/infra/actions/runs/17) for 5f0c2b1"),
        "{comment}"
    );
    assert!(comment.contains(first.summary.trim_end()), "{comment}");
    assert!(first.output("comment-url").is_some_and(|url| url.starts_with("https://")), "{}", first.outputs);

    let provision = format!("aws --host {HOST} --yes --expect {digest}");
    let applied = runner.runs(&[("command", "provision"), ("args", &provision)]).await;
    assert_eq!(applied.ran.code, Some(0), "{}", applied.ran);

    let second = runner.runs(&plan).await;
    assert_eq!((second.ran.code, second.output("digest")), (Some(0), Some("")), "{}", second.ran);
    let [comment] = &runner.written().await[..] else { panic!("not one comment") };
    assert!(comment.contains("No changes") && !comment.contains(&digest), "{comment}");

    runner.runs(&[&plan[..], &[("comment-key", "other")]].concat()).await;
    assert_eq!(runner.written().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_exit_code_of_the_command_is_that_of_the_step() {
    let runner = Runner::new().await;
    let drift = format!("aws --host {HOST} --exit-code");
    let pending = runner.runs(&[("command", "plan"), ("args", &drift)]).await;
    assert_eq!((pending.ran.code, pending.output("exit-code")), (Some(5), Some("5")), "{}", pending.ran);
    assert!(pending.output("digest").is_some_and(|digest| digest.len() == 32), "{}", pending.outputs);

    // An input is never part of a script: wbstore receives its words as they are.
    let hostile =
        runner.runs(&[("command", "plan"), ("args", "aws --host $(touch${IFS}owned);`touch owned`")]).await;
    assert_eq!((hostile.ran.code, hostile.output("digest")), (Some(2), Some("")), "{}", hostile.ran);
    assert!(!runner.folder.path().join("owned").exists());
    // An older plan must not stay beside a failure.
    let [comment] = &runner.written().await[..] else { panic!("not one comment") };
    assert!(comment.contains("failed** with exit code 2") && !comment.contains("--expect"), "{comment}");

    for (input, value) in
        [("command", "plan;ls"), ("version", "latest"), ("args", "aws 'x"), ("comment-key", "-->")]
    {
        let refused = runner.runs(&[("command", "plan"), (input, value)]).await;
        assert_eq!(refused.ran.code, Some(1), "{}", refused.ran);
        assert!(refused.ran.stdout.contains(&format!("invalid `{input}`")), "{}", refused.ran);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_archive_with_another_checksum_is_not_installed() {
    let runner = Runner::with_program("touch started").await;
    let started = |runner: &Runner| runner.folder.path().join("started").exists();
    let pinned = runner.runs(&[("command", "list"), ("sha256", &"0".repeat(64))]).await;
    assert_eq!((pinned.ran.code, started(&runner)), (Some(1), false), "{}", pinned.ran);
    let archive = runner.release().join(format!("wbstore-{}-{}.tar.gz", Release::VERSION, host()));
    let original = fs::read(&archive).expect("a file");
    fs::write(&archive, [&original[..], b"0"].concat()).expect("a file");
    let changed = runner.runs(&[("command", "list")]).await;
    assert_eq!((changed.ran.code, started(&runner)), (Some(1), false), "{}", changed.ran);
    assert!(changed.ran.stdout.contains("it was not installed"), "{}", changed.ran);
    fs::write(&archive, original).expect("a file");
    let intact = runner.runs(&[("command", "list")]).await;
    assert_eq!((intact.ran.code, started(&runner)), (Some(0), true), "{}", intact.ran);
    let absent = runner.runs(&[("command", "list"), ("version", "9.9.9")]).await;
    assert_eq!(absent.ran.code, Some(1), "{}", absent.ran);
    assert!(absent.ran.stdout.contains("HTTP status 404"), "{}", absent.ran);
}

/// 200 kB, with a fence and a section open where it has to be cut.
const LONG: &str = r"echo '<details><summary>fields</summary>'
echo
echo '````mermaid'
i=0; while [ $i -lt 5000 ]; do echo '```'; echo '  s0[`ä`] --> s1 and some more words'; i=$((i+1)); done
echo '````'
echo '</details>'
echo 'To apply exactly this plan: `wbstore provision … --expect 4dd1a193aa48fd3196ed389b50f13a31`'
echo '::set-output name=digest::evil' >&2";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_plan_that_no_comment_can_hold_is_cut_where_it_still_reads() {
    let runner = Runner::with_program(LONG).await;
    let ran = runner.runs(&[("command", "plan"), ("args", "aws")]).await;
    assert_eq!(ran.output("digest"), Some("4dd1a193aa48fd3196ed389b50f13a31"), "{}", ran.outputs);
    let [comment] = &runner.written().await[..] else { panic!("not one comment") };
    assert!(comment.len() <= LONGEST && comment.len() > LONGEST - 500, "{}", comment.len());
    let (_, end) = comment.rsplit_once("some more words\n").expect("it is cut after a line");
    let end = end.strip_prefix("```\n").unwrap_or(end);
    assert!(end.starts_with("````\n</details>\n\n**The plan is longer than a comment can be.**"), "{end}");
    assert!(end.contains("--expect 4dd1a193aa48fd3196ed389b50f13a31`"), "{end}");
    assert!(ran.summary.len() > 200_000 && ran.summary.ends_with("31`\n"), "{}", ran.summary.len());

    // The runner obeys no line of the program.
    let log = &ran.ran.stdout;
    let token =
        log.strip_prefix("::stop-commands::").and_then(|rest| rest.lines().next()).expect("it is first");
    assert!(log.contains(&format!("\n::{token}::\n")), "commands are obeyed again at the end");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn without_a_pull_request_or_the_permission_the_plan_is_in_the_summary_alone() {
    let runner = Runner::with_program("echo '# A plan'").await;
    let plan = [("command", "plan"), ("args", "aws")];
    let fork = runner.runs(&[&plan[..], &[("token", READER)]].concat()).await;
    assert_eq!((fork.ran.code, fork.summary.as_str()), (Some(0), "# A plan\n"), "{}", fork.ran);
    let warned = "::warning title=wbstore::the plan is in the job's summary, but not in a comment: Resource not accessible";
    assert!(fork.ran.stdout.contains(warned), "{}", fork.ran);
    let quiet = runner.runs(&[&plan[..], &[("comment", "false")]].concat()).await;
    assert_eq!((quiet.ran.code, quiet.summary.as_str()), (Some(0), "# A plan\n"), "{}", quiet.ran);
    fs::write(runner.folder.path().join("event.json"), "{}").expect("a file");
    let push = runner.runs(&plan).await;
    assert_eq!((push.ran.code, push.summary.as_str()), (Some(0), "# A plan\n"), "{}", push.ran);
    assert!(!push.ran.stdout.contains("::warning"), "{}", push.ran);
    assert!(runner.written().await.is_empty());

    // Without a command it installs, for the steps that follow.
    runner.runs(&[]).await;
    let folder = fs::read_to_string(runner.folder.path().join("path")).expect("text");
    assert!(Path::new(folder.trim_end()).join("wbstore").is_file(), "{folder}");
}
