//! What Event Grid writes into a storage queue.
//!
//! Reports differ on whether the body is base64 or plain, and on whether it is one event or a list of
//! them; the schema is Event Grid's own or that of CloudEvents 1.0 (Event Grid documentation, "Azure
//! Event Grid event schema" and "CloudEvents v1.0 schema"). All of it is read.

use azure_core::base64;
use serde::Deserialize;
use url::form_urlencoded;

use crate::verify::{Object, Says};

/// The event type of a new blob (Event Grid documentation, "Azure Blob Storage as an Event Grid source").
const CREATED: &str = "Microsoft.Storage.BlobCreated";

/// Where the subject of an event has the container and the blob.
const CONTAINER: &str = "/blobServices/default/containers/";
const BLOB: &str = "/blobs/";

/// Reads the text of a queue's message.
pub(in crate::providers::azure) fn read(body: &str) -> Says {
    let events = parse(body.trim().as_bytes()).or_else(|| parse(&decoded(body)?)).unwrap_or_default();
    let created = events.into_iter().filter(|event| event.kind == CREATED);
    let objects: Vec<_> = created.filter_map(|event| object(&event.subject)).collect();
    if objects.is_empty() { Says::Other } else { Says::Created(objects) }
}

/// The blob that the subject of an event names, as in `/blobServices/default/containers/wandb/blobs/a.txt`.
fn object(subject: &str) -> Option<Object> {
    let (container, blob) = subject.strip_prefix(CONTAINER)?.split_once(BLOB)?;
    // Whether it is encoded is not documented. No probe has a `%` in its name.
    let form = blob.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let key = form_urlencoded::parse(form.as_bytes()).map(|(key, _)| key).collect();
    Some(Object { bucket: container.to_owned(), key })
}

/// Base64 without its line breaks.
fn decoded(body: &str) -> Option<Vec<u8>> {
    base64::decode(body.split_ascii_whitespace().collect::<String>()).ok()
}

fn parse(json: &[u8]) -> Option<Vec<Event>> {
    let json = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
    Some(match serde_json::from_slice(json).ok()? {
        Body::Many(events) => events,
        Body::One(event) => vec![event],
    })
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Many(Vec<Event>),
    One(Event),
}

#[derive(Deserialize)]
struct Event {
    /// `eventType` in Event Grid's schema, `type` in that of CloudEvents.
    #[serde(rename = "eventType", alias = "type")]
    kind: String,
    subject: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::outside;

    /// The blobs that were created.
    fn created(body: &str) -> Vec<String> {
        match read(body) {
            Says::Created(objects) => {
                assert!(objects.iter().all(|object| object.bucket == "wandb"));
                objects.into_iter().map(|object| object.key).collect()
            }
            _ => vec![],
        }
    }

    fn event_grid(subject: &str) -> Value {
        json!({
            "topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a",
            "subject": subject, "eventType": CREATED, "id": "1", "eventTime": "2026-01-01T00:00:00Z",
            "data": { "api": "PutBlob", "url": "https://a.blob.core.windows.net/wandb/x" },
            "dataVersion": "", "metadataVersion": "1",
        })
    }

    fn cloud_event(subject: &str) -> Value {
        json!({ "specversion": "1.0", "type": CREATED, "source": "/subscriptions/s", "id": "1",
                "time": "2026-01-01T00:00:00Z", "subject": subject, "data": { "api": "PutBlob" } })
    }

    /// How a body may be written: schema, list or not, base64 or not, in lines or not.
    fn body(subject: &str, cloud: bool, list: bool, encoded: bool, lines: bool) -> String {
        let event = if cloud { cloud_event(subject) } else { event_grid(subject) };
        let event = if list { json!([event]) } else { event };
        let text = if lines { format!("{event:#}") } else { event.to_string() };
        if !encoded {
            return text;
        }
        let text = base64::encode(text);
        if lines {
            text.as_bytes().chunks(76).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\r\n")
        } else {
            text
        }
    }

    proptest! {
        #[test]
        fn a_body_is_read_however_it_is_written(
            blob in "[^%\\pC]{1,40}", cloud: bool, list: bool, encoded: bool, lines: bool,
        ) {
            let subject = format!("{CONTAINER}wandb{BLOB}{blob}");
            prop_assert_eq!(created(&body(&subject, cloud, list, encoded, lines)), [blob]);
        }

        #[test]
        fn nothing_that_can_be_in_a_queue_breaks_it(body in "\\PC*") {
            read(&body);
        }
    }

    #[test]
    fn only_new_blobs_count() {
        let mut deleted = event_grid(&format!("{CONTAINER}wandb{BLOB}x"));
        deleted["eventType"] = json!("Microsoft.Storage.BlobDeleted");
        let both = json!([deleted, event_grid(&format!("{CONTAINER}wandb{BLOB}y"))]).to_string();
        assert_eq!(created(&both), ["y"]);
        for other in ["", "text", "[]", "{}", "bm90IGpzb24=", r#"{"eventType":"x"}"#] {
            assert!(created(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_obstacle() {
        assert_eq!(created(&format!("\u{feff}{}", event_grid(&format!("{CONTAINER}wandb{BLOB}x")))), ["x"]);
    }

    proptest! {
        #[test]
        fn any_json_is_events_or_none(
            json in outside::json(&["eventType", "type", "subject", CREATED, "/blobServices/default/containers/a/blobs/b"]),
            encoded: bool,
        ) {
            let body = json.to_string();
            read(&if encoded { base64::encode(&body) } else { body });
        }
    }
}
