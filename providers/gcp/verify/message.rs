//! What Cloud Storage publishes (Cloud Storage documentation, "Pub/Sub notifications", "Attributes").

use std::collections::HashMap;

use super::Target;
use super::probe::Probe;
use crate::providers::gcp::notification::ATTRIBUTE;
use crate::text::clean;

/// An object came to be, new or in the place of another.
const FINALIZED: &str = "OBJECT_FINALIZE";
/// The form of the body that the server reads.
const FORMAT: &str = "JSON_API_V1";

/// Whose a message is, and what it is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Our notification tells of one of our probes: the index of it.
    Ours(usize),
    /// The same, in a form that the server cannot read.
    Unreadable(String),
    /// Somebody else's notification tells of one of our probes; the text names it.
    Strangers(String),
    /// About something else.
    Other,
}

impl Message {
    /// Reads the `attributes` of a message, of which some tell of the probes that were `sent`.
    pub fn read(attributes: &HashMap<String, String>, target: &Target, sent: &[Probe]) -> Self {
        let get = |name: &str| attributes.get(name).map(String::as_str).unwrap_or_default();
        let probe = sent.iter().position(|probe| probe.key == get("objectId"));
        let Some(index) = probe.filter(|_| get("bucketId") == target.bucket.as_str()) else {
            return Self::Other;
        };
        if get("eventType") != FINALIZED {
            return Self::Other;
        }
        if get(ATTRIBUTE) != target.deployment.as_str() {
            return Self::Strangers(clean(get("notificationConfig")));
        }
        match get("payloadFormat") {
            FORMAT => Self::Ours(index),
            format => Self::Unreadable(clean(format)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn target() -> Target {
        Target {
            deployment: "acme".parse().unwrap(),
            bucket: "acme-wandb".parse().unwrap(),
            events: None,
            origin: "https://wandb.acme.com".parse().unwrap(),
        }
    }

    fn read(changes: &[(&str, &str)]) -> Message {
        let good = [
            ("notificationConfig", "projects/_/buckets/acme-wandb/notificationConfigs/7"),
            ("eventType", FINALIZED),
            ("payloadFormat", FORMAT),
            ("bucketId", "acme-wandb"),
            ("objectId", ".wbstore-probe/1/1 +ü.txt"),
            (ATTRIBUTE, "acme"),
        ];
        let attributes = good.iter().chain(changes).map(|(key, value)| ((*key).into(), (*value).into()));
        let probe = |key: &str| Probe { key: key.to_owned(), sent: Instant::now() };
        let sent = [probe(".wbstore-probe/1/0 +ü.txt"), probe(".wbstore-probe/1/1 +ü.txt")];
        Message::read(&attributes.collect(), &target(), &sent)
    }

    #[test]
    fn only_our_notification_about_our_probe_is_the_proof() {
        assert_eq!(read(&[]), Message::Ours(1));
        assert_eq!(read(&[("objectId", "runs/x")]), Message::Other);
        assert_eq!(read(&[("bucketId", "other")]), Message::Other);
        assert_eq!(read(&[("eventType", "OBJECT_DELETE")]), Message::Other);
        assert_eq!(read(&[("payloadFormat", "NONE")]), Message::Unreadable("NONE".to_owned()));
        let stranger = "projects/_/buckets/acme-wandb/notificationConfigs/7".to_owned();
        assert_eq!(read(&[(ATTRIBUTE, "")]), Message::Strangers(stranger));
    }
}
