//! A server that answers as no cloud does: not at all, without an end, with more than fits.
//!
//! It has its own threads, so that a test that waits for `wbstore` needs no runtime.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::ran::Ran;

/// The wait that no client should grant.
pub const FOR_YEARS: &str = "99999999";
/// As far as a client that does not give up is let run.
const LONGEST: Duration = Duration::from_secs(100);
const CHUNK: usize = 1 << 16;

/// A request, as far as an answer depends on it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// `host:port` that it was sent to.
    pub host: String,
    /// What SQS calls an operation.
    pub target: String,
    /// How many came before it.
    pub nth: usize,
}

/// What comes back.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A complete answer: status, content type, body.
    Whole(u16, &'static str, String),
    /// The same, with a wait of [`FOR_YEARS`].
    Later(u16),
    /// Nothing; the connection stays open.
    Nothing,
    /// The head, and then a letter a second.
    Trickle,
    /// A success whose body has no end; each part of it is the text.
    Endless(&'static str),
    /// A success whose body is a gigabyte, as its length says.
    Gigabyte,
}

impl Reply {
    /// A success with JSON.
    pub fn json(body: impl ToString) -> Self {
        Self::Whole(200, "application/json", body.to_string())
    }

    /// A success with XML.
    pub fn xml(body: &str) -> Self {
        Self::Whole(200, "application/xml", body.to_owned())
    }

    /// A web page, with success.
    pub fn page() -> Self {
        Self::Whole(200, "text/html", "<!doctype html><title>Log in</title>".to_owned())
    }
}

/// The server; it runs until the process ends.
#[derive(Clone, Debug)]
pub struct Hostile {
    /// Where it is.
    pub url: String,
    count: Arc<Count>,
}

#[derive(Debug, Default)]
struct Count {
    requests: AtomicUsize,
    bytes: AtomicU64,
}

/// A run of `wbstore`, and what it cost.
#[derive(Debug)]
pub struct Measured {
    /// What it said and how it ended; without a code where it had to be killed.
    pub ran: Ran,
    /// How long it ran.
    pub took: Duration,
    /// The most memory that it had, in megabytes; `None` where the system does not say.
    pub peak: Option<u64>,
}

impl Hostile {
    /// Starts a server whose answers are those of `reply`.
    ///
    /// # Panics
    /// Without a free port.
    pub fn start(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let (reply, count) = (Arc::new(reply), Arc::new(Count::default()));
        let server = Self { url, count: Arc::clone(&count) };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (reply, count) = (Arc::clone(&reply), Arc::clone(&count));
                // A client that goes away ends its connection, and nothing else.
                thread::spawn(move || serve(stream, &*reply, &count));
            }
        });
        server
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.count.requests.load(Ordering::Relaxed)
    }

    /// How many bytes of endless and long bodies were accepted.
    pub fn bytes(&self) -> u64 {
        self.count.bytes.load(Ordering::Relaxed)
    }
}

fn serve(stream: TcpStream, reply: &dyn Fn(&Asked) -> Reply, count: &Count) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    writer.set_nodelay(true)?;
    while let Some(mut asked) = read(&mut reader)? {
        asked.nth = count.requests.fetch_add(1, Ordering::Relaxed);
        let head = |status: u16, kind: &str, rest: &str| {
            format!("HTTP/1.1 {status} Hostile\r\ncontent-type: {kind}\r\nx-ms-request-id: 1\r\n{rest}\r\n")
        };
        match reply(&asked) {
            Reply::Whole(status, kind, body) => {
                let head = head(status, kind, &format!("content-length: {}\r\n", body.len()));
                writer.write_all((head + &body).as_bytes())?;
            }
            Reply::Later(status) => {
                let rest = format!("content-length: 2\r\nretry-after: {FOR_YEARS}\r\n");
                writer.write_all(head(status, "application/json", &rest).as_bytes())?;
                writer.write_all(b"{}")?;
            }
            Reply::Nothing => thread::sleep(LONGEST * 2),
            Reply::Trickle => {
                writer.write_all(head(200, "application/json", "content-length: 1000\r\n").as_bytes())?;
                loop {
                    writer.write_all(b" ")?;
                    writer.flush()?;
                    thread::sleep(Duration::from_secs(1));
                }
            }
            Reply::Endless(part) => {
                let body = part.repeat(CHUNK / part.len());
                let chunk = format!("{:x}\r\n{body}\r\n", body.len());
                writer
                    .write_all(head(200, "application/json", "transfer-encoding: chunked\r\n").as_bytes())?;
                loop {
                    writer.write_all(chunk.as_bytes())?;
                    count.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                }
            }
            Reply::Gigabyte => {
                let rest = format!("content-length: {}\r\n", 1 << 30);
                writer.write_all(head(200, "application/xml", &rest).as_bytes())?;
                let chunk = vec![b' '; CHUNK];
                for _ in 0..(1 << 30) / CHUNK {
                    writer.write_all(&chunk)?;
                    count.bytes.fetch_add(CHUNK as u64, Ordering::Relaxed);
                }
            }
        }
    }
    Ok(())
}

fn read(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut asked = Asked { method, path, host: String::new(), target: String::new(), nth: 0 };
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or_default(),
            "host" => asked.host = value.trim().to_owned(),
            "x-amz-target" => asked.target = value.trim().to_owned(),
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    Ok(Some(asked))
}

/// Runs `command` to its end, and kills it where it comes to none.
///
/// # Panics
/// When it cannot be started.
pub fn measure(mut command: Command) -> Measured {
    let begun = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("it starts");
    let read = |stream: Option<Box<dyn Read + Send>>| {
        let mut stream = stream.expect("it is piped");
        thread::spawn(move || {
            let mut bytes = vec![];
            let _ = stream.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let stdout = read(process.stdout.take().map(|stream| Box::new(stream) as _));
    let stderr = read(process.stderr.take().map(|stream| Box::new(stream) as _));
    let mut peak = None;
    let status = loop {
        peak = high_water(process.id()).max(peak);
        if let Some(status) = process.try_wait().expect("it can be waited for") {
            break status;
        }
        if begun.elapsed() > LONGEST {
            let _ = process.kill();
        }
        thread::sleep(Duration::from_millis(10));
    };
    let text = |reader: thread::JoinHandle<String>| reader.join().expect("it is read");
    let ran = Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) };
    Measured { ran, took: begun.elapsed(), peak }
}

/// The most memory that a process had, in megabytes (proc_pid_status(5), "VmHWM"). `None` while it is still a copy of
/// this one: the system lets the parent go on a moment before the child has left the parent's memory.
fn high_water(process: u32) -> Option<u64> {
    let program = |process: &str| std::fs::read_link(format!("/proc/{process}/exe")).ok();
    let process = process.to_string();
    if program(&process)? == program("self")? {
        return None;
    }
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
