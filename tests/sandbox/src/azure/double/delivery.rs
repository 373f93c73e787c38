//! Event Grid: from a blob that was written to a message in a queue.
//!
//! <https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage>

use std::sync::Arc;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::Reply;
use super::data::Ask;
use super::store::{Account, EventSubscription, State, guid, now};
use super::{Service, Shared};

/// Delivers what the request has caused to all who asked for it.
pub(super) async fn consider(shared: &Arc<Shared>, account: &Account, ask: &Ask, reply: &Reply) {
    let Some((kind, api)) = cause(ask) else { return };
    let length = length(shared, ask).await;
    let event = event(shared, account, ask, reply, (kind, api, length));
    let world = shared.world();
    let asked = |one: &&EventSubscription| {
        one.source.eq_ignore_ascii_case(&account.id()) && one.state == State::Succeeded && wants(one, &event)
    };
    let targets: Vec<_> =
        world.event_subscriptions.values().filter(asked).filter_map(|one| Target::of(&world, one)).collect();
    drop(world);
    for target in targets {
        tokio::spawn(deliver(Arc::clone(shared), target, event.to_string()));
    }
}

/// The type of the event and the operation that it names.
fn cause(ask: &Ask) -> Option<(&'static str, &'static str)> {
    if ask.service != Service::Blob || ask.child.is_empty() {
        return None;
    }
    let created = "Microsoft.Storage.BlobCreated";
    match (&ask.method, ask.query("comp")) {
        (&Method::PUT, "") if ask.header("x-ms-copy-source").is_some() => Some((created, "CopyBlob")),
        (&Method::PUT, "") => Some((created, "PutBlob")),
        (&Method::PUT, "blocklist") => Some((created, "PutBlockList")),
        (&Method::DELETE, "") => Some(("Microsoft.Storage.BlobDeleted", "DeleteBlob")),
        _ => None,
    }
}

/// The size of the whole blob, however it came together; none for one that is gone.
async fn length(shared: &Shared, ask: &Ask) -> u64 {
    let head = shared.plane.ask(Service::Blob, Method::HEAD, ask.path(), &[], "").await;
    let length =
        head.ok().and_then(|reply| reply.headers().get("content-length")?.to_str().ok()?.parse().ok());
    length.unwrap_or_default()
}

fn event(
    shared: &Shared,
    account: &Account,
    ask: &Ask,
    reply: &Reply,
    (kind, api, length): (&str, &str, u64),
) -> Value {
    let text =
        |name: &str| reply.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ask { parent: container, child: blob, .. } = ask;
    let sequencer = shared.world().next();
    json!({
        "topic": account.id(),
        "subject": format!("/blobServices/default/containers/{container}/blobs/{blob}"),
        "eventType": kind, "id": guid(), "eventTime": now(), "dataVersion": "", "metadataVersion": "1",
        "data": {
            "api": api, "clientRequestId": ask.header("x-ms-client-request-id").unwrap_or_default(),
            "requestId": text("x-ms-request-id"), "eTag": text("etag").trim_matches('"'),
            "contentType": ask.header("x-ms-blob-content-type").or(ask.header("content-type"))
                .unwrap_or("application/octet-stream"),
            "contentLength": length, "blobType": "BlockBlob", "accessTier": "Default",
            "url": format!("https://{}.blob.core.windows.net/{container}/{blob}", account.name),
            "sequencer": format!("{sequencer:032}"),
            "storageDiagnostics": { "batchId": guid() },
        },
    })
}

/// "All event types" when none are listed; subjects are compared without case unless it is wished.
/// <https://learn.microsoft.com/azure/event-grid/event-filtering>
fn wants(one: &EventSubscription, event: &Value) -> bool {
    let filter = &one.properties["filter"];
    let types = filter["includedEventTypes"].as_array().filter(|types| !types.is_empty());
    let typed = types.is_none_or(|types| {
        types.iter().any(|kind| kind == &event["eventType"] || kind.as_str() == Some("All"))
    });
    let exact = filter["isSubjectCaseSensitive"].as_bool().unwrap_or(false);
    let folded = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        if exact { text.to_owned() } else { text.to_lowercase() }
    };
    let subject = folded(&event["subject"]);
    typed
        && subject.starts_with(&folded(&filter["subjectBeginsWith"]))
        && subject.ends_with(&folded(&filter["subjectEndsWith"]))
}

/// A queue that gets the message.
struct Target {
    path: String,
    rests: String,
}

impl Target {
    fn of(world: &super::store::World, one: &EventSubscription) -> Option<Self> {
        let destination = &one.properties["destination"];
        let properties = &destination["properties"];
        let account = world.account_at(properties["resourceId"].as_str()?)?;
        let queue = properties["queueName"].as_str()?;
        // "By default, messages expire in 7 days"; -1 lasts for ever.
        let lasts = properties["queueMessageTimeToLiveInSeconds"].as_i64().unwrap_or(7 * 24 * 3600);
        let rests = format!("/{}/{queue}", account.name);
        Some(Self { path: format!("{rests}/messages?messagettl={lasts}"), rests })
    }
}

/// One attempt; what cannot be delivered is dropped, as without a dead-letter destination.
async fn deliver(shared: Arc<Shared>, target: Target, event: String) {
    tokio::time::sleep(shared.options.delivery).await;
    if shared.world().resting.contains_key(&target.rests) {
        return;
    }
    let text = if shared.options.plain_events {
        event.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    } else {
        STANDARD.encode(event)
    };
    let body = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
    let headers = [("content-type", "application/xml")];
    let _ = shared.plane.ask(Service::Queue, Method::POST, &target.path, &headers, body).await;
}
