//! What a bucket holds, page by page: every generation of every object.

use jiff::Timestamp;
use serde_json::Value;

use super::GcsStore;
use crate::empty::{Cursor, Entry, Hold, Page, What};
use crate::error::Result;
use crate::providers::gcp::rest::segment;

/// The fields that are read of an object. Without a mask the response is ten times as long.
const FIELDS: &str = "nextPageToken,items(name,generation,size,timeCreated,timeDeleted,temporaryHold,eventBasedHold,\
                      retentionExpirationTime,retention/retainUntilTime)";

/// Holds keep an object for as long as they last (Cloud Storage documentation, "Object holds").
static TEMPORARY: Hold =
    Hold { words: "a temporary hold", hint: |bucket| lift(bucket, "--no-temporary-hold") };
/// When it is lifted the bucket's retention begins.
static EVENT_BASED: Hold =
    Hold { words: "an event-based hold", hint: |bucket| lift(bucket, "--no-event-based-hold") };

fn lift(bucket: &str, option: &str) -> String {
    format!("lift it with `gcloud storage objects update gs://{bucket}/NAME {option}`")
}

impl GcsStore {
    pub(super) async fn objects(&self, prefix: &str, cursor: &Cursor) -> Result<Option<Page>> {
        let from = cursor.key.as_deref();
        let part = format!(
            "/o?versions=true&maxResults=1000&fields={FIELDS}&prefix={}{}{}",
            segment(prefix),
            from.map(|from| format!("&startOffset={}", segment(from))).unwrap_or_default(),
            page_token(cursor)
        );
        let (path, permission) = (self.path(&part), "storage.objects.list");
        let answer = match *cursor == Cursor::default() {
            true => self.rest.find(&path, permission, &self.name).await?,
            // No other look has a use for a page in the middle, and so it is not kept.
            false => self.rest.find_again(&path, permission, &self.name).await?,
        };
        Ok(answer.map(|answer| page(&answer, from, entry)))
    }
}

pub(super) fn page_token(cursor: &Cursor) -> String {
    cursor.token.as_ref().map(|token| format!("&pageToken={}", segment(token))).unwrap_or_default()
}

/// The page of a listing `from` a name on, with which the token of its next page goes.
pub(super) fn page(answer: &Value, from: Option<&str>, entry: fn(&Value) -> Entry) -> Page {
    let token = answer["nextPageToken"].as_str().filter(|token| !token.is_empty());
    Page {
        entries: answer["items"].as_array().into_iter().flatten().map(entry).collect(),
        next: token.map(|token| Cursor { key: from.map(str::to_owned), token: Some(token.to_owned()) }),
    }
}

/// <https://cloud.google.com/storage/docs/json_api/v1/objects#resource>
fn entry(item: &Value) -> Entry {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let seconds = |value: &Value| Some(value.as_str()?.parse::<Timestamp>().ok()?.as_second());
    let hold = match (item["temporaryHold"] == true, item["eventBasedHold"] == true) {
        (true, _) => Some(&TEMPORARY),
        (false, true) => Some(&EVENT_BASED),
        (false, false) => None,
    };
    Entry {
        key: text(&item["name"]).unwrap_or_default(),
        id: text(&item["generation"]),
        what: if item["timeDeleted"].is_null() { What::Current } else { What::Noncurrent },
        size: item["size"].as_str().and_then(|size| size.parse().ok()).unwrap_or_default(),
        created: seconds(&item["timeCreated"]).unwrap_or_default(),
        hold,
        kept_until: seconds(&item["retention"]["retainUntilTime"])
            .max(seconds(&item["retentionExpirationTime"])),
        tries: 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_kept_by_the_longest_of_its_retentions() {
        let stored = entry(&json!({
            "name": "a", "generation": "7", "size": "3", "timeCreated": "1970-01-01T00:00:05.123Z",
            "retention": {"mode": "Locked", "retainUntilTime": "1970-01-01T00:00:20Z"},
            "retentionExpirationTime": "1970-01-01T00:00:10Z",
        }));
        assert_eq!((stored.kept_until, stored.created, stored.size), (Some(20), 5, 3));
        assert_eq!((stored.what, stored.id.as_deref()), (What::Current, Some("7")));
        let held = entry(&json!({"eventBasedHold": true, "timeDeleted": "1970-01-01T00:00:01Z"}));
        assert_eq!(held.hold.map(|hold| hold.words), Some("an event-based hold"));
        assert_eq!((held.kept_until, held.what), (None, What::Noncurrent));
    }

    #[test]
    fn a_page_names_the_next() {
        let next = |token: Value| page(&json!({"nextPageToken": token}), None, entry).next;
        assert_eq!(next(json!("t")).unwrap().token.as_deref(), Some("t"));
        assert_eq!((next(json!("")), next(Value::Null)), (None, None));
    }
}
