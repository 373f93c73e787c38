//! `wbstore` next to an endpoint that must not be called.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::{Command, Output};

/// What came of a run.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// Whether it opened a connection to its endpoint.
    pub connected: bool,
}

/// Runs `wbstore` with credentials and an endpoint, so that only its own judgement keeps it from
/// using them.
pub fn wbstore(arguments: &[&str]) -> Ran {
    wbstore_with(&[], arguments)
}

/// The same with more variables in its environment.
pub fn wbstore_with(variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    run(|process| {
        process.args(arguments).envs(variables.iter().copied());
    })
}

/// `wbstore` as a command to which `set_up` gives arguments and all that is special, run to its end.
pub fn run(set_up: impl FnOnce(&mut Command)) -> Ran {
    let endpoint = TcpListener::bind("127.0.0.1:0").expect("a free port");
    endpoint.set_nonblocking(true).expect("a socket that does not block");
    let url = format!("http://{}", endpoint.local_addr().expect("its address"));
    let mut process = command(&url);
    set_up(&mut process);
    let Output { status, stdout, stderr } = process.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let connected = !matches!(endpoint.accept(), Err(error) if error.kind() == ErrorKind::WouldBlock);
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr), connected }
}

/// `wbstore` with credentials of every cloud, and `url` in the place of all clouds.
pub fn command(url: &str) -> Command {
    let mut process = Command::new(env!("CARGO_BIN_EXE_wbstore"));
    process
        .env_clear()
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_ACCESS_KEY_ID", "123456789012")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("STORAGE_EMULATOR_HOST", url)
        .env("PUBSUB_EMULATOR_HOST", url.trim_start_matches("http://"))
        .env("AZURE_AUTHORITY_HOST", url)
        .env("AZURE_TENANT_ID", "0b1f6471-1bf0-4dda-aec3-cb9272f09590")
        .env("AZURE_CLIENT_ID", "0b1f6471-1bf0-4dda-aec3-cb9272f09591")
        .env("AZURE_CLIENT_SECRET", "secret");
    process
}

/// Checks that it is refused as bad input: exit code 2, one error, a hint, nothing on stdout, and
/// no request.
#[track_caller]
pub fn is_refused(arguments: &[&str]) -> String {
    let Ran { code, stdout, stderr, connected } = wbstore(arguments);
    assert_eq!(code, Some(2), "{arguments:?}: {stderr}");
    assert_eq!(stderr.matches("error:").count(), 1, "{arguments:?}: {stderr}");
    assert!(stderr.contains("hint:"), "{arguments:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    assert_eq!(stdout, "", "{arguments:?}");
    assert!(!connected, "{arguments:?} sent a request");
    stderr
}
