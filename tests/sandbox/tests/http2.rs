//! gRPC through the proxy: trailers, errors, lost connections, streams.

use std::convert::Infallible;
use std::time::Duration;

use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use wbstore_sandbox::dialect::Dialect;
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::proxy::Proxy;
use wbstore_sandbox::strict::Strict;

const UNARY: &str = "/google.storage.v2.Storage/CreateBucket";
const STREAM: &str = "/google.pubsub.v1.Subscriber/StreamingPull";

type Body = BoxBody<Bytes, Infallible>;

/// Answers every request with its own body, message by message, and a good end.
async fn echo(request: Request<Incoming>) -> Result<Response<BoxBody<Bytes, hyper::Error>>, Infallible> {
    let version = request.version();
    let body = request.into_body();
    let end = async {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        Some(Ok(trailers))
    };
    let mut response = Response::new(body.with_trailers(end).boxed());
    response.headers_mut().insert("x-version", HeaderValue::from_str(&format!("{version:?}")).expect("text"));
    Ok(response)
}

async fn bench() -> (Proxy, Client<HttpConnector, Body>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service_fn(echo)).await;
            });
        }
    });
    let proxy = Proxy::start(&url, Dialect::Gcp, Strict::default()).await.expect("loopback has free ports");
    (proxy, Client::builder(TokioExecutor::new()).http2_only(true).build_http())
}

fn request(proxy: &Proxy, path: &str, body: Body) -> Request<Body> {
    Request::builder()
        .method(Method::POST)
        .version(Version::HTTP_2)
        .uri(format!("{}{path}", proxy.url()))
        .header("te", "trailers")
        .body(body)
        .expect("a request")
}

fn text(text: &'static str) -> Body {
    Full::new(Bytes::from_static(text.as_bytes())).boxed()
}

#[tokio::test]
async fn trailers_come_through_and_both_versions_share_a_port() {
    let (proxy, client) = bench().await;
    let answer = client.request(request(&proxy, UNARY, text("hello"))).await.expect("an answer");
    assert_eq!(answer.headers()["x-version"], "HTTP/2.0");
    let body = answer.collect().await.expect("a body");
    assert_eq!(body.trailers().expect("gRPC has trailers")["grpc-status"], "0");
    assert_eq!(body.to_bytes(), "hello");
    let http1: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let mut plain = request(&proxy, "/storage/v1/b/acme", text("hello"));
    *plain.version_mut() = Version::HTTP_11;
    let answer = http1.request(plain).await.expect("an answer");
    assert_eq!(answer.headers()["x-version"], "HTTP/1.1");
    let names: Vec<_> = proxy.journal().into_iter().map(|exchange| exchange.operation).collect();
    assert_eq!(names, ["storage.CreateBucket", "storage.buckets.insert"].map(str::to_owned));
}

#[tokio::test]
async fn an_error_is_nothing_but_headers() {
    let (proxy, client) = bench().await;
    for (failure, code) in [
        (Failure::AccessDenied, "7"),
        (Failure::Throttled, "8"),
        (Failure::OperationAborted, "10"),
        (Failure::Internal, "13"),
        (Failure::Unavailable, "14"),
        (Failure::ExpiredToken, "16"),
    ] {
        proxy.clear_journal();
        let armed = proxy.arm(When::operation("storage.*", 0), Fault::fail(failure));
        let answer = client.request(request(&proxy, UNARY, text(""))).await.expect("an answer");
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["grpc-status"]),
            (200, &HeaderValue::from_static(code))
        );
        assert_eq!(armed.hits(), 1);
    }
}

#[tokio::test]
async fn a_connection_is_lost_with_all_that_was_on_it() {
    let (proxy, client) = bench().await;
    for fault in [Fault::DropBefore, Fault::DropAfter] {
        proxy.arm(When::operation("storage.CreateBucket", 0), fault);
        assert!(client.request(request(&proxy, UNARY, text("hello"))).await.is_err());
        let next = client.request(request(&proxy, UNARY, text("hello"))).await;
        assert_eq!(next.expect("there is another connection").status(), 200);
        proxy.disarm();
    }
    proxy.arm(When::operation("storage.CreateBucket", 0), Fault::Truncate);
    let answer = client.request(request(&proxy, UNARY, text("hello"))).await.expect("it begins well");
    assert!(answer.collect().await.is_err());
}

#[tokio::test]
async fn a_stream_is_passed_on_as_it_comes() {
    let (proxy, client) = bench().await;
    let first = Frame::data(Bytes::from_static(b"first"));
    let endless = stream::StreamExt::chain(stream::iter([Ok(first)]), stream::pending());
    let asked = client.request(request(&proxy, STREAM, BodyExt::boxed(StreamBody::new(endless))));
    let soon = Duration::from_secs(60);
    let answer =
        tokio::time::timeout(soon, asked).await.expect("it answers before the end").expect("an answer");
    let frame = tokio::time::timeout(soon, answer.into_body().frame()).await.expect("a first message");
    assert_eq!(frame.expect("one").expect("a good one").into_data().expect("data"), "first");
    assert_eq!(proxy.journal()[0].operation, "pubsub.StreamingPull");
}
