//! Nothing outlives the sandbox, however it ends.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

/// A `cargo sandbox up`, the address of its emulator, and what it goes on to speak into: closed, that
/// would be the end of it.
fn up() -> (Child, String, BufReader<ChildStderr>) {
    let mut sandbox = Command::new(env!("CARGO_BIN_EXE_wbstore-sandbox"))
        .args(["up", "aws"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cargo has built it");
    let mut stderr = BufReader::new(sandbox.stderr.take().expect("it is piped"));
    let line = stderr
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("ministack is at http://"))
        .expect("it says where the emulator is");
    let (_, rest) = line.split_once("http://").expect("that is how it was found");
    let address = rest.split(' ').next().unwrap_or(rest).to_owned();
    TcpStream::connect(&address).expect("the emulator listens");
    (sandbox, address, stderr)
}

fn assert_gone(address: &str) {
    let started = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(started.elapsed() < Duration::from_secs(60), "{address} still answers");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[ignore = "needs the emulators: cargo sandbox test"]
fn a_killed_sandbox_takes_its_emulator_along() {
    let (mut sandbox, emulator, _stderr) = up();
    sandbox.kill().expect("it runs");
    sandbox.wait().expect("it was ours");
    assert_gone(&emulator);
}

#[test]
#[ignore = "needs the emulators: cargo sandbox test"]
fn a_terminated_sandbox_cleans_up_and_says_so() {
    let (mut sandbox, emulator, _stderr) = up();
    let pid = sandbox.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("there is a kill command");
    assert!(sent.success());
    assert_eq!(sandbox.wait().expect("it was ours").code(), Some(130));
    assert_gone(&emulator);
}
