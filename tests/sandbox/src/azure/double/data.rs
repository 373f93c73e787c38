//! The doors to blobs and queues: Azurite, and what Azurite leaves out.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/>
//!
//! Signatures are checked by Azurite, with the account's own keys. Tokens are checked here.

mod delegation;
mod request;
mod rules;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request};
use hyper::body::Bytes;

use super::answer::Reply;
use super::store::{self, Account, guid};
use super::{Service, Shared, delivery, trouble};

pub(super) use request::Ask;
use rules::Fault;

/// The whole of one door.
pub(super) fn router(service: Service, shared: &Arc<Shared>) -> Router {
    let handler = move |State(shared): State<Arc<Shared>>, request: Request<Body>| async move {
        // What the cloud has received it does, whether or not the client is still there.
        let work = tokio::spawn(async move { serve(service, &shared, request).await });
        work.await.unwrap_or_else(|panic| Fault::broken(panic).reply()).map(Body::from)
    };
    Router::new().fallback(handler).with_state(Arc::clone(shared))
}

async fn serve(service: Service, shared: &Arc<Shared>, request: Request<Body>) -> Reply {
    match pass(service, shared, request).await {
        Ok(reply) => reply,
        Err(fault) => fault.reply(),
    }
}

async fn pass(service: Service, shared: &Arc<Shared>, request: Request<Body>) -> Result<Reply, Fault> {
    let ask = Ask::read(service, request).await?;
    let account = ready(shared, &ask)?;
    // A preflight is answered by the rules alone.
    if ask.method == Method::OPTIONS {
        return Ok(shared.plane.pass(service, ask.request()).await?);
    }
    let struck = trouble::strike(shared, ask.action()).map_err(|refusal| Fault::from(&refusal))?;
    let vouched = rules::admit(shared, &account, &ask)?;
    rules::check(shared, &ask)?;
    if let Some(reply) = delegation::answer(shared, &account, &ask) {
        return Ok(reply);
    }
    let request = ask.request();
    let reply = match vouched {
        true => shared.plane.vouch(service, request).await?,
        false => shared.plane.pass(service, request).await?,
    };
    if reply.status().is_success() {
        learn(shared, &ask);
        delivery::consider(shared, &account, &ask, &reply).await;
    }
    match struck.is_some() {
        true => Err(Fault::new(503, "ServerBusy", "The server is currently unable to receive requests.")),
        false => Ok(reply),
    }
}

/// The account of the path. In Azure there would be no such host.
fn ready(shared: &Shared, ask: &Ask) -> Result<Account, Fault> {
    let unknown =
        || Fault::new(404, "ResourceNotFound", "The specified resource does not exist: no such account.");
    let mut world = shared.world();
    let account =
        world.accounts.get_mut(&ask.account).filter(|account| account.state == store::State::Succeeded);
    let account = account.ok_or_else(unknown)?;
    if let Some(left) = account.lag.checked_sub(1) {
        account.lag = left;
        return Err(unknown());
    }
    Ok(account.clone())
}

/// The name of what was deleted rests for a while.
fn learn(shared: &Shared, ask: &Ask) {
    if ask.method != Method::DELETE {
        return;
    }
    if matches!(
        (ask.service, ask.is_container(), ask.is_queue()),
        (Service::Blob, true, _) | (Service::Queue, _, true)
    ) {
        shared.lay_to_rest(ask.resting_name());
    }
}

/// An error of the data plane has an id too.
fn fault_body(code: &str, message: &str) -> Bytes {
    let (id, time) = (guid(), store::now());
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}\n\
         RequestId:{id}\nTime:{time}</Message></Error>"
    )
    .into()
}
