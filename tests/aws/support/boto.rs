//! boto3, the independent client: what wbstore made is looked at through it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// Python with boto3, started once for all tests; it ends with them.
struct Server {
    port: u16,
    _process: Child,
}

/// Sends one request to the Python side and returns the value of its last expression.
///
/// # Panics
/// When the code fails, with its traceback.
pub async fn run(python: Command, request: Value) -> Value {
    let shown = request["code"].to_string();
    // The proxy lives on this runtime, so nothing may block it.
    let mut answer = tokio::task::spawn_blocking(move || {
        static SERVER: OnceLock<Server> = OnceLock::new();
        ask(SERVER.get_or_init(|| start(python)).port, &request)
    })
    .await
    .expect("the request does not panic");
    assert!(answer["error"].is_null(), "{shown}\n{}", answer["error"].as_str().unwrap_or_default());
    answer["value"].take()
}

fn start(mut python: Command) -> Server {
    python.args(["-c", include_str!("boto.py")]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = python.spawn().expect("Python starts");
    let stdout: ChildStdout = process.stdout.take().expect("it is piped");
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("Python says where it listens");
    Server { port: line.trim().parse().expect("a port"), _process: process }
}

fn ask(port: u16, request: &Value) -> Value {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("Python listens");
    writeln!(stream, "{request}").expect("Python reads");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("Python answers");
    serde_json::from_str(&line).expect("Python answers with JSON")
}
