//! Ctrl-C and SIGTERM while a thread is blocked that nothing can wake.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::command;

/// How soon a program must begin what it does, and end when it was asked to.
const SOON: Duration = Duration::from_secs(20);
/// A place that answers nobody.
const NOWHERE: &str = "http://127.0.0.1:9";
/// How many bytes a pipe holds (`man 7 pipe`).
const PIPE_HOLDS: usize = 65536;

/// Waits until `come` gives something.
#[track_caller]
fn awaited<T>(what: &str, mut come: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        match come() {
            Some(come) => return come,
            None if begun.elapsed() > SOON => panic!("{what} does not come"),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Sends `signal` once, and waits for the end.
#[track_caller]
fn ended(mut process: Child, signal: &str) -> Output {
    // Unsafe code is forbidden here, and the standard library has no signals.
    let sent = Command::new("kill").args([signal, &process.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    awaited("the end", || process.try_wait().expect("it is asked"));
    process.wait_with_output().expect("its output is read")
}

/// A FIFO, which blocks whoever reads it.
fn fifo(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
    path
}

/// The other end of the FIFO, once somebody reads it. Nothing is ever written.
fn reader_of(path: &Path) -> File {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let open = || OpenOptions::new().write(true).custom_flags(flags).open(path).ok();
    awaited("a reader of the FIFO", open)
}

/// That each command ends with the first signal while it reads `variable`, which names a FIFO.
#[track_caller]
fn ends_while_it_reads(variable: &str, env: &[(&str, &str)], place: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fifo(folder.path());
    for (signal, arguments) in [
        ("-INT", &["plan"][..]),
        ("-TERM", &["provision", "--yes"]),
        ("-TERM", &["teardown", "--confirm", "wandb-acme-com"]),
        ("-TERM", &["verify", "--format", "json"]),
    ] {
        let mut process = command(NOWHERE);
        process
            .args([&arguments[..1], place, &["--host", "https://wandb.acme.com"], &arguments[1..]].concat());
        for (name, value) in env {
            match *value {
                "" => process.env_remove(name),
                value => process.env(name, value),
            };
        }
        process.env(variable, &path).stdout(Stdio::piped()).stderr(Stdio::piped());
        let process = process.spawn().expect("it starts");
        let held = reader_of(&path);
        let Output { status, stdout, stderr } = ended(process, signal);
        drop(held);
        let said = String::from_utf8(stderr).expect("text");
        assert_eq!(status.code(), Some(130), "{variable} {arguments:?}: {said}");
        assert!(said.contains("interrupted while reading") && stdout.is_empty(), "{said}");
        if arguments.contains(&"json") {
            let said: serde_json::Value = serde_json::from_str(&said).expect("an object");
            assert_eq!((&said["event"], &said["exit_code"]), (&"error".into(), &130.into()));
        }
    }
}

#[test]
fn while_the_credentials_of_aws_are_a_fifo() {
    let none = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""), ("AWS_REGION", "us-east-1")];
    ends_while_it_reads("AWS_SHARED_CREDENTIALS_FILE", &none, &["aws"]);
}

#[test]
fn while_the_credentials_of_google_are_a_fifo() {
    let place = ["gcp", "--project", "acme-prod"];
    ends_while_it_reads("GOOGLE_APPLICATION_CREDENTIALS", &[], &place);
}

#[test]
fn while_the_credentials_of_azure_are_a_fifo() {
    let subscription = "0b1f6471-1bf0-4dda-aec3-cb9272f09590";
    let place = ["azure", "--subscription", subscription, "--resource-group", "acme"];
    let none = [("AZURE_CLIENT_SECRET", "")];
    ends_while_it_reads("AZURE_CLIENT_CERTIFICATE_PATH", &none, &place);
    ends_while_it_reads("AZURE_FEDERATED_TOKEN_FILE", &none, &place);
}

#[test]
fn while_a_program_that_gives_credentials_hangs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, begun) = (folder.path().join("config"), folder.path().join("begun"));
    let program = format!("sh -c 'touch {}; exec sleep 60'", begun.display());
    std::fs::write(&config, format!("[default]\ncredential_process = {program}\n")).expect("a file");
    let mut process = command(NOWHERE);
    process.args(["plan", "aws", "--host", "https://wandb.acme.com", "--region", "us-east-1"]);
    process.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    process.env("AWS_CONFIG_FILE", &config).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    process.stdout(Stdio::piped()).stderr(Stdio::piped());
    let process = process.spawn().expect("it starts");
    awaited("the program", || begun.exists().then_some(()));
    assert_eq!(ended(process, "-TERM").status.code(), Some(130));
}

#[test]
fn while_nobody_reads_its_output() {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    // Room for the beginning of the page, and not for all of it.
    let filled = PIPE_HOLDS - 4096;
    writer.write_all(&vec![b' '; filled]).expect("it is taken");
    let mut process = command(NOWHERE);
    let process = process
        .args(["man", "plan", "aws"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    awaited("output", || {
        let waiting = rustix::io::ioctl_fionread(&reader).expect("it is a pipe");
        (waiting > filled as u64).then_some(())
    });
    let Output { status, stderr, .. } = ended(process, "-TERM");
    let said = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted while writing to stdout"), "{said}");
}
