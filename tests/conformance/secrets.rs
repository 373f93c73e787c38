//! The canary: no secret is in what a run shows, leaves behind or passes on as an argument.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use wbstore_sandbox::cloud::{Cloud, NAME, PROVISION, TEARDOWN, in_full};
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::ran::{Ran, finish};

/// How a signature begins in a presigned URL of any cloud, and a token in a header.
const SIGNATURES: [&str; 6] =
    ["X-Amz-Signature=", "X-Amz-Security-Token=", "X-Goog-Signature=", "sig=", "Bearer ", "PRIVATE KEY"];

/// How often the command lines are read.
const LOOK: Duration = Duration::from_millis(10);

/// The life of a deployment: commands with their arguments.
const LIFE: [(&str, &[&str]); 16] = [
    ("plan", &["-v"]),
    ("plan", &["-v", "--format", "json"]),
    ("plan", &["-v", "--format", "markdown"]),
    ("provision", &["-v", "--dry-run"]),
    ("provision", &["-v", PROVISION[0], "--output", "json"]),
    ("config", &["-v"]),
    ("config", &["-v", "--output", "k8s-secret"]),
    ("verify", &["-v", "--within", "10s"]),
    ("verify", &["-v", "--within", "10s", "--format", "json"]),
    ("verify", &["-v", "--within", "10s", "--as", "node"]),
    ("policy", &["-v", "--for", "operator"]),
    ("doctor", &["-v"]),
    ("doctor", &["-v", "--format", "json"]),
    ("doctor", &["-v", "--format", "markdown"]),
    ("teardown", &["-v", "--dry-run", "--format", "json"]),
    ("teardown", &["-v", TEARDOWN[0], NAME, TEARDOWN[2], "--format", "json"]),
];

/// The folders that a program writes into without being asked to.
struct Folders {
    all: TempDir,
}

impl Folders {
    const NAMES: [&str; 3] = ["home", "tmp", "here"];

    fn new() -> Self {
        let all = tempfile::tempdir().expect("a folder");
        for name in Self::NAMES {
            fs::create_dir(all.path().join(name)).expect("a new folder");
        }
        Self { all }
    }

    fn given_to(&self, mut command: Command) -> Command {
        let [home, tmp, here] = Self::NAMES.map(|name| self.all.path().join(name));
        command.env("HOME", &home).env("TMPDIR", tmp).env_remove("XDG_CACHE_HOME").current_dir(here);
        command
    }

    fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        walk(self.all.path(), &mut found);
        found
    }
}

fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            let text = fs::read(&path).unwrap_or_default();
            found.insert(path, String::from_utf8_lossy(&text).into_owned());
        }
    }
}

/// The processes of this one's children, and theirs, that run `wbstore`, with their command lines.
fn command_lines(of: u32, all: &mut Vec<String>) {
    let threads = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    for thread in threads {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|id| id.parse().ok()) {
            let line = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if !all.contains(&line) {
                all.push(line);
            }
            command_lines(child, all);
        }
    }
}

/// Runs it to its end, and returns all command lines that were seen meanwhile.
async fn watched(command: Command) -> (Ran, Vec<String>) {
    let mut lines = vec![];
    let mut ran = std::pin::pin!(finish(command));
    loop {
        tokio::select! {
            ran = &mut ran => return (ran, lines),
            () = tokio::time::sleep(LOOK) => command_lines(std::process::id(), &mut lines),
        }
    }
}

/// Runs one command, and checks everything that it leaves. What it says is returned.
async fn silent<C: Cloud>(cloud: &C, what: &str, command: Command) -> Ran {
    let folders = Folders::new();
    let mut command = folders.given_to(command);
    // A storage account's key, as `verify --as node` uses it: 64 bytes.
    if let Some(key) = cloud.secrets().iter().find(|secret| secret.len() == 88 && secret.ends_with("==")) {
        command.env("AZURE_STORAGE_KEY", key);
    }
    let (ran, lines) = watched(command).await;
    let secrets = cloud.secrets();
    assert!(!secrets.is_empty());
    assert!(lines.iter().any(|line| line.contains("wbstore")), "{what}: no command line was seen: {lines:?}");
    let files = folders.files();
    assert!(files.is_empty(), "{what} leaves {:?}", files.keys());
    let secrets = secrets.iter().map(String::as_str).chain(SIGNATURES);
    for secret in secrets {
        assert!(!ran.stdout.contains(secret), "{what} shows `{secret}` on stdout: {ran}");
        assert!(!ran.stderr.contains(secret), "{what} shows `{secret}` on stderr: {ran}");
        let told = lines.iter().find(|line| line.contains(secret));
        assert!(told.is_none(), "{what} has `{secret}` in an argument: {told:?}");
    }
    ran
}

async fn list_silently<C: Cloud>(cloud: &C, what: &str) {
    for more in [&["-v"][..], &["-v", "--format", "json"]] {
        silent(cloud, &format!("list {what}"), cloud.command_on("list", more)).await;
    }
}

pub async fn no_run_tells_a_secret<C: Cloud>() {
    let cloud = C::fresh().await;
    for (verb, more) in LIFE {
        silent(&cloud, &format!("{verb} {}", more.join(" ")), cloud.command(verb, more)).await;
    }
    list_silently(&cloud, "of nothing").await;
    cloud.run("plan", &["--exit-code"]).await.ends(5);
}

pub async fn no_failure_tells_a_secret<C: Cloud>() {
    let cloud = C::fresh().await;
    cloud.run("provision", PROVISION).await.ends(0);
    let faults = [
        ("denied", Fault::fail(Failure::AccessDenied), usize::MAX),
        ("expired", Fault::fail(Failure::ExpiredToken), usize::MAX),
        ("with faults of the server", Fault::fail(Failure::Internal), 2),
        ("before a web page", Fault::Html, 2),
        ("behind a portal", Fault::Portal, usize::MAX),
        ("cut off", Fault::Truncate, 2),
        ("without an answer", Fault::DropAfter, 2),
    ];
    let reads = LIFE.iter().filter(|(verb, more)| *verb != "policy" && !more.contains(&TEARDOWN[0]));
    let reads: Vec<_> = reads.filter(|(_, more)| !more.contains(&"markdown")).collect();
    for (what, fault, times) in faults.into_iter().step_by(if in_full() { 1 } else { 3 }) {
        for (verb, more) in &reads {
            cloud.proxy().clear_journal();
            cloud.proxy().arm(When::every("*").times(times), fault.clone());
            silent(&cloud, &format!("{verb} {} {what}", more.join(" ")), cloud.command(verb, more)).await;
            cloud.proxy().disarm();
        }
        cloud.proxy().arm(When::every("*").times(times), fault);
        list_silently(&cloud, what).await;
        cloud.proxy().disarm();
    }
}
