//! What S3 writes into a queue (S3 user guide, "Event message structure").

use serde::Deserialize;

use crate::providers::aws::form;

/// One message, as far as it concerns us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// S3 wrote it when the notification was set up, to see whether it may.
    Test,
    /// Objects were created or changed.
    Objects(Vec<Record>),
    /// Not from S3.
    Other,
}

/// One object of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What happened, such as `ObjectCreated:Put`.
    pub event: String,
    /// The bucket.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
}

impl Message {
    /// Reads the body of a queue's message.
    pub fn read(body: &str) -> Self {
        let Ok(envelope) = serde_json::from_str::<Envelope>(body) else { return Self::Other };
        match envelope {
            Envelope { event: Some(event), .. } if event == "s3:TestEvent" => Self::Test,
            Envelope { records, .. } if !records.is_empty() => Self::Objects(
                records
                    .into_iter()
                    .map(|record| Record {
                        event: record.event,
                        bucket: record.s3.bucket.name,
                        // In events, unlike in listings, the key is always encoded.
                        key: form::decode(&record.s3.object.key),
                    })
                    .collect(),
            ),
            _ => Self::Other,
        }
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
    #[serde(rename = "eventName")]
    event: String,
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
    use super::*;

    #[test]
    fn a_key_is_decoded() {
        let body = r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},
            "object":{"key":".wbstore-probe/0+%2B%C3%BC.txt","size":1}}}]}"#;
        let record = Record {
            event: "ObjectCreated:Put".to_owned(),
            bucket: "b".to_owned(),
            key: ".wbstore-probe/0 +ü.txt".to_owned(),
        };
        assert_eq!(Message::read(body), Message::Objects(vec![record]));
    }

    #[test]
    fn what_is_no_object_event_is_told_apart() {
        assert_eq!(
            Message::read(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#),
            Message::Test
        );
        for other in ["", "text", "[]", "{}", r#"{"Records":[]}"#, r#"{"Records":[{"eventName":"x"}]}"#] {
            assert_eq!(Message::read(other), Message::Other, "{other}");
        }
    }
}
