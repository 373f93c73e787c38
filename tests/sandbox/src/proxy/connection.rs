//! Connections, and the requests on them.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::outcome::{Body, Dropped, Outcome};
use super::{Refused, Shared, bad_gateway, faithful, meddle};
use crate::call::Call;

/// Enough for a connection to be closed.
const CUT: Duration = Duration::from_millis(100);

pub(super) async fn accept(listener: TcpListener, door: &'static str, shared: Arc<Shared>) {
    // Connections live in the set, and end with it when the proxy is dropped.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(converse(stream, door, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, door: &'static str, shared: Arc<Shared>) {
    // Small answers must not wait for one another (Nagle), or latency is what gets measured.
    let _ = stream.set_nodelay(true);
    let cut = Arc::new(Notify::new());
    let service = {
        let cut = Arc::clone(&cut);
        service_fn(move |request| serve(Arc::clone(&shared), door, Arc::clone(&cut), request))
    };
    let builder = auto::Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An error here is a connection that ended early: by a fault of ours or by the client.
        _ = connection => {}
        // hyper resets one stream of HTTP/2 where it closes a connection of HTTP/1. What is lost is
        // the connection, and with it all that was under way on it.
        () = cut.notified() => {}
    }
}

async fn serve(
    shared: Arc<Shared>,
    door: &'static str,
    cut: Arc<Notify>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Dropped> {
    let version = request.version();
    let outcome = if shared.upstream(door).dialect().streams(request.uri()) {
        flow(&shared, door, request).await
    } else {
        exchange(&shared, door, request).await?
    };
    let lost = matches!(outcome, Outcome::Nothing);
    if lost && version == Version::HTTP_2 {
        cut.notify_one();
        // The connection is gone when this is over, so that no reset of the stream comes before.
        tokio::time::sleep(CUT).await;
    }
    outcome.into_response(version)
}

/// Reads one request whole, and answers it whole.
async fn exchange(
    shared: &Arc<Shared>,
    door: &'static str,
    request: Request<Incoming>,
) -> Result<Outcome, Dropped> {
    let dialect = shared.upstream(door).dialect();
    let mut call = Call::read(dialect, door, request).await.map_err(|_| Dropped)?;
    shared.state.recognise(&mut call);
    let call = Arc::new(call);
    let (ticket, armed) = shared.state.begin(&call);
    let delay = shared.state.delay();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let outcome = match armed {
        Some(armed) => {
            shared.state.meddled(ticket, &format!("{:?}", armed.fault()));
            meddle::answer(shared, &call, &armed).await
        }
        None => Outcome::Whole(faithful(shared, &call).await),
    };
    if let Outcome::Whole(reply) = &outcome
        && let Some(rule) = reply.extensions().get::<Refused>()
    {
        shared.state.meddled(ticket, rule.0);
    }
    shared.state.finish(ticket, outcome.status(), outcome.is_refusal());
    Ok(outcome)
}

/// Passes on what has no end of its own. It is in the journal with its head, and ends there when the
/// answer begins.
async fn flow(shared: &Arc<Shared>, door: &'static str, request: Request<Incoming>) -> Outcome {
    let upstream = shared.upstream(door);
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let mut call =
        Call::new(upstream.dialect(), door, method.clone(), uri.clone(), headers.clone(), Bytes::new());
    call.version = request.version();
    let (ticket, armed) = shared.state.begin(&call);
    tokio::time::sleep(shared.state.delay()).await;
    let struck = match armed {
        Some(armed) => {
            shared.state.meddled(ticket, &format!("{:?}", armed.fault()));
            meddle::before_it_flows(&call, &armed).await
        }
        None => None,
    };
    let outcome = match struck {
        Some(outcome) => outcome,
        None => match upstream.stream(request).await {
            Ok(response) => Outcome::Flowing(response),
            Err(error) => Outcome::Whole(bad_gateway(&error.to_string())),
        },
    };
    shared.state.finish(ticket, outcome.status(), outcome.is_refusal());
    outcome
}
