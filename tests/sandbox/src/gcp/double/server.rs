//! One port for everything.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::asked::Asked;
use super::caller::{self, Caller};
use super::refusal::{Answer, Refusal};
use super::{Shared, accounts, grpc, projects, pubsub, storage};

/// What is sent.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Connections live in the set, and end with it when the double is dropped.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(converse(stream, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(serve(&shared, request).await) }
    });
    // An error here is a connection that ended early.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn serve(shared: &Arc<Shared>, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let counted = |headers: &HeaderMap| {
        headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING)
    };
    if parts.method == Method::POST && parts.version < Version::HTTP_2 && !counted(&parts.headers) {
        return length_required();
    }
    if parts.uri.path() == "/google.pubsub.v1.Subscriber/StreamingPull" {
        return pubsub::streaming_pull(shared, parts, body).await;
    }
    match body.collect().await {
        Ok(body) => answer(shared, &Asked::new(parts, body.to_bytes(), &shared.address)).await,
        Err(_) => empty(400),
    }
}

/// Answers a whole request, and publishes what has happened by it before the client hears of it.
async fn answer(shared: &Shared, asked: &Asked) -> Response<Body> {
    let parts = asked.parts();
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    let reply = match parts[..] {
        // Policies of buckets are in both services, and Google's Rust client asks the second:
        // <https://cloud.google.com/storage/docs/reference/rpc/google.storage.control.v2>.
        ["google.storage.v2.Storage" | "google.storage.control.v2.StorageControl", method] => {
            storage::rpc(&mut shared.state(), asked, method)
        }
        ["google.pubsub.v1.Publisher" | "google.pubsub.v1.Subscriber", _] => pubsub::rpc(shared, asked).await,
        ["storage", "v1", ..]
        | ["upload" | "download", "storage", "v1", ..]
        | ["resumable", "upload", "storage", "v1", ..] => storage::json(&mut shared.state(), asked),
        ["token"] => respond(caller::exchange(asked)),
        ["v1", "projects", _, "topics" | "subscriptions" | "snapshots" | "schemas", ..] => {
            respond(pubsub::answer(shared, asked).await)
        }
        ["v1", "projects", _, "serviceAccounts", _] => respond(
            Caller::known(asked).and_then(|caller| accounts::answer(&mut shared.state(), &caller, asked)),
        ),
        ["tokeninfo"] => respond(caller::tokeninfo(asked)),
        ["v1" | "v3", "projects", project] => {
            respond(Caller::known(asked).and_then(
                |caller| match project.strip_suffix(":testIamPermissions") {
                    Some(project) => projects::test_permissions(&shared.state(), &caller, asked, project),
                    None => projects::get(&shared.state(), &caller, asked, project),
                },
            ))
        }
        _ if is_grpc(asked) => grpc::reply::<()>(Err(Refusal::unknown_call(&asked.path))),
        _ => storage::xml(&mut shared.state(), asked),
    };
    pubsub::deliver(shared).await;
    reply
}

/// What Google's front end says of a POST with neither a body nor a length, before any API sees it
/// (googleapis/google-cloud-rust#1936).
fn length_required() -> Response<Body> {
    let page = "<!DOCTYPE html><html lang=en><title>Error 411 (Length Required)!!1</title><p><b>411.</b> \
                <ins>That's an error.</ins><p>POST requests require a <code>Content-length</code> header.";
    with(bytes(411, page.into()), &[("content-type", "text/html; charset=UTF-8")])
}

/// Asks as the operator, from inside.
pub(super) async fn ask(shared: &Shared, method: &str, path: &str, body: Value) -> (u16, Value) {
    let operator = shared.state().project.account("operator");
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::try_from(format!("Bearer {}", caller::token(&operator))) {
        headers.insert(header::AUTHORIZATION, value);
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let asked = Asked {
        method: Method::try_from(method).unwrap_or_default(),
        path: path.to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers,
        host: shared.address.clone(),
        body: if body.is_null() { Bytes::new() } else { body.to_string().into() },
    };
    let reply = answer(shared, &asked).await;
    let status = reply.status().as_u16();
    let body = reply.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn is_grpc(asked: &Asked) -> bool {
    asked.header("content-type").is_some_and(|kind| kind.starts_with("application/grpc"))
}

fn respond(answer: Answer<Value>) -> Response<Body> {
    match answer {
        Ok(value) => json(200, &value),
        Err(refusal) => json(refusal.http, &refusal.json()),
    }
}

pub(super) fn json(status: u16, value: &Value) -> Response<Body> {
    let reply = bytes(status, value.to_string().into());
    with(reply, &[("content-type", "application/json; charset=UTF-8")])
}

pub(super) fn empty(status: u16) -> Response<Body> {
    bytes(status, Bytes::new())
}

pub(super) fn bytes(status: u16, body: Bytes) -> Response<Body> {
    let mut reply = Response::new(Full::new(body).map_err(|never| match never {}).boxed_unsync());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply
}

/// Adds headers; one that is no header is left out.
pub(super) fn with(mut reply: Response<Body>, headers: &[(&str, &str)]) -> Response<Body> {
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::try_from(*value)) {
            reply.headers_mut().insert(name, value);
        }
    }
    reply
}
