//! What S3 writes into a queue (S3 user guide, "Event message structure").

use serde::Deserialize;

use crate::providers::s3_protocol::form;
use crate::verify::{Object, Says};

/// Reads the body of a queue's message.
pub(super) fn read(body: &str) -> Says {
    match serde_json::from_str(body) {
        Ok(Envelope { event: Some(event), .. }) if event == "s3:TestEvent" => Says::Test("s3:TestEvent"),
        Ok(Envelope { records, .. }) if !records.is_empty() => {
            // In events, unlike in listings, the key is always encoded.
            let object = |Entry { s3: Place { bucket, object } }| Object {
                bucket: bucket.name,
                key: form::decode(&object.key),
            };
            Says::Created(records.into_iter().map(object).collect())
        }
        _ => Says::Other,
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Event")]
    event: Option<String>,
    #[serde(rename = "Records", default)]
    records: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    s3: Place,
}

#[derive(Deserialize)]
struct Place {
    bucket: Named,
    object: Keyed,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Keyed {
    key: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outside;

    #[test]
    fn a_key_is_decoded() {
        let body = r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},
            "object":{"key":".wbstore-probe/0+%2B%C3%BC.txt","size":1}}}]}"#;
        let object = Object { bucket: "b".to_owned(), key: ".wbstore-probe/0 +ü.txt".to_owned() };
        assert_eq!(read(body), Says::Created(vec![object]));
    }

    #[test]
    fn a_test_and_what_is_no_event_are_recognised() {
        let test = read(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#);
        assert_eq!(test, Says::Test("s3:TestEvent"));
        for other in ["", "text", "[]", "{}", r#"{"Records":[]}"#, r#"{"Records":[{"eventName":"x"}]}"#] {
            assert_eq!(read(other), Says::Other, "{other}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_can_be_in_a_queue_breaks_it(
            json in outside::json(&["Records", "Event", "s3:TestEvent", "s3", "bucket", "name", "object", "key", "%"]),
            text in outside::text(),
        ) {
            read(&json.to_string());
            read(&text);
            let body = serde_json::json!({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": text}}}]});
            prop_assert!(matches!(read(&body.to_string()), Says::Created(_)));
        }
    }
}
