//! A cloud small enough to see through, and a client for it.
#![allow(dead_code, reason = "each test file uses its part")]

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use wbstore_sandbox::backend::Backend;
use wbstore_sandbox::call::Call;
use wbstore_sandbox::proxy::Proxy;
use wbstore_sandbox::reply::Reply;
use wbstore_sandbox::strict::Strict;
use wbstore_sandbox::upstream::Upstream;

pub const OWNER: &str = "111122223333";
pub const STRANGER: &str = "444455556666";

/// What a handler makes of a request: status and body.
pub type Handler = fn(&Call) -> (u16, String);

/// An HTTP server that answers as a function says and remembers what it was asked.
pub struct Cloud {
    pub url: String,
    seen: Arc<Mutex<Vec<Call>>>,
}

impl Cloud {
    pub async fn start(handler: Handler, headers: &'static [(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let log = Arc::clone(&log);
                let service = service_fn(move |request| {
                    let log = Arc::clone(&log);
                    async move {
                        let call = Call::read(Backend::Ministack.into(), "front", request)
                            .await
                            .expect("proxies send whole requests");
                        let (status, body) = handler(&call);
                        log.lock().expect("nobody panics with it").push(call);
                        let mut response = Response::new(Full::new(Bytes::from(body)));
                        *response.status_mut() = status.try_into().expect("a handler's status is one");
                        for (name, value) in headers {
                            response.headers_mut().insert(*name, HeaderValue::from_static(value));
                        }
                        Ok::<_, Infallible>(response)
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, seen }
    }

    /// What reached it, by operation.
    pub fn seen(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.operation).collect()
    }

    pub fn calls(&self) -> Vec<Call> {
        self.seen.lock().expect("nobody panics with it").clone()
    }
}

/// A proxy with the given rules before a cloud, and a client of that proxy.
pub struct Bench {
    pub cloud: Cloud,
    pub proxy: Proxy,
    client: Upstream,
}

impl Bench {
    pub async fn new(handler: Handler, strict: Strict) -> Self {
        Self::with(Backend::Ministack, handler, strict).await
    }

    pub async fn with(backend: Backend, handler: Handler, strict: Strict) -> Self {
        Self::before(Cloud::start(handler, &[]).await, backend, strict).await
    }

    pub async fn with_headers(handler: Handler, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self::before(Cloud::start(handler, headers).await, Backend::Ministack, Strict::default()).await
    }

    async fn before(cloud: Cloud, backend: Backend, strict: Strict) -> Self {
        let proxy = Proxy::start(&cloud.url, backend, strict).await.expect("loopback has free ports");
        let client = Upstream::new(&proxy.url(), backend);
        Self { cloud, proxy, client }
    }

    pub async fn s3(&self, method: &str, path: &str, body: &str) -> io::Result<Reply> {
        self.s3_as(OWNER, method, path, &[("content-md5", "x")], body).await
    }

    pub async fn s3_as(
        &self,
        account: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Reply> {
        let method: Method = method.parse().expect("tests use real methods");
        self.client.ask(account, "us-east-1", "s3", (method, path), headers, body.to_owned()).await
    }

    pub async fn sqs(&self, operation: &str, body: &str) -> io::Result<Reply> {
        let target = format!("AmazonSQS.{operation}");
        let headers = [("x-amz-target", target.as_str())];
        self.client.ask(OWNER, "us-east-1", "sqs", (Method::POST, "/"), &headers, body.to_owned()).await
    }

    pub async fn sts(&self) -> io::Result<Reply> {
        let body = "Action=GetCallerIdentity&Version=2011-06-15".to_owned();
        self.client.ask(OWNER, "us-east-1", "sts", (Method::POST, "/"), &[], body).await
    }
}

/// Says yes to everything.
pub fn agreeable(_: &Call) -> (u16, String) {
    (200, "<Fine/>".to_owned())
}

pub fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(reply.body()).into_owned()
}

/// A cloud with one bucket `b` of OWNER's and one queue `q` that lets S3 in for it.
pub fn one_bucket(call: &Call) -> (u16, String) {
    let owners = call.account.as_deref() == Some(OWNER);
    match (call.operation.as_str(), call.bucket.as_deref(), call.queue.as_deref()) {
        ("s3:ListBuckets", ..) if owners => (200, "<Bucket><Name>b</Name></Bucket>".to_owned()),
        ("s3:HeadBucket", Some("nobodys"), _) => (404, String::new()),
        ("sqs:GetQueueAttributes", _, Some("q")) => (200, queue_policy("b")),
        ("sqs:GetQueueAttributes", _, Some("closed")) => (200, "{}".to_owned()),
        ("sqs:GetQueueAttributes", ..) => (400, "{}".to_owned()),
        _ => (200, String::new()),
    }
}

pub fn queue_policy(bucket: &str) -> String {
    let policy = serde_json::json!({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": arn("q"), "Condition": {"ArnLike": {"aws:SourceArn": format!("arn:aws:s3:::{bucket}")}},
    }]});
    serde_json::json!({"Attributes": {"Policy": policy.to_string()}}).to_string()
}

pub fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{OWNER}:{queue}")
}

pub async fn bench() -> Bench {
    Bench::new(one_bucket, Strict::default()).await
}

pub fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status(), status, "{}", text(reply));
    assert!(text(reply).contains(&format!("<Code>{code}</Code>")), "{}", text(reply));
}

pub fn passed(reply: &Reply) {
    assert_eq!(reply.status(), 200, "{}", text(reply));
}

pub async fn put(bench: &Bench, path: &str, body: &str) -> Reply {
    bench.s3("PUT", path, body).await.expect("an answer")
}
