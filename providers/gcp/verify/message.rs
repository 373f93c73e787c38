//! What Cloud Storage publishes (Cloud Storage documentation, "Pub/Sub notifications", "Attributes").

use std::collections::HashMap;

use crate::providers::gcp::notification::ATTRIBUTE;
use crate::text::clean;
use crate::verify::{Object, Says};

/// An object was created, or replaced another.
const FINALIZED: &str = "OBJECT_FINALIZE";
/// The form of the body that the server reads.
const FORMAT: &str = "JSON_API_V1";

/// Reads the `attributes` of a message, which proves something only if it is sent by the notification of
/// `deployment`, or by one of `sufficient`, the IDs of those that have the same effect.
pub(super) fn read(attributes: &HashMap<String, String>, deployment: &str, sufficient: &[String]) -> Says {
    let get = |name: &str| attributes.get(name).map(String::as_str).unwrap_or_default();
    if get("eventType") != FINALIZED {
        return Says::Other;
    }
    let object = Object { bucket: get("bucketId").to_owned(), key: get("objectId").to_owned() };
    let sender = sender(attributes);
    if get(ATTRIBUTE) != deployment && !sufficient.iter().any(|id| id == sender) {
        let theirs = clean(get("notificationConfig"));
        let why = format!("only {theirs}, which is not wbstore's, sends events of the probe");
        return Says::Unproven(object, why);
    }
    match get("payloadFormat") {
        FORMAT => Says::Created(vec![object]),
        format => Says::Unproven(
            object,
            format!("the event has the payload format {}, which the server cannot read", clean(format)),
        ),
    }
}

/// The ID of the notification that sent a message with these `attributes`.
pub(super) fn sender(attributes: &HashMap<String, String>) -> &str {
    let full = attributes.get("notificationConfig").map(String::as_str).unwrap_or_default();
    full.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outside;

    fn reads(changes: &[(&str, &str)]) -> Says {
        let good = [
            ("notificationConfig", "projects/_/buckets/acme-wandb/notificationConfigs/7"),
            ("eventType", FINALIZED),
            ("payloadFormat", FORMAT),
            ("bucketId", "acme-wandb"),
            ("objectId", ".wbstore-probe/1/1 +ü.txt"),
            (ATTRIBUTE, "acme"),
        ];
        let attributes = good.iter().chain(changes).map(|(key, value)| ((*key).into(), (*value).into()));
        read(&attributes.collect(), "acme", &["8".to_owned()])
    }

    #[test]
    fn only_our_notification_in_the_servers_form_is_proof() {
        let object = Object { bucket: "acme-wandb".to_owned(), key: ".wbstore-probe/1/1 +ü.txt".to_owned() };
        assert_eq!(reads(&[]), Says::Created(vec![object.clone()]));
        let theirs = "projects/_/buckets/acme-wandb/notificationConfigs/8";
        assert_eq!(reads(&[(ATTRIBUTE, ""), ("notificationConfig", theirs)]), Says::Created(vec![object]));
        assert_eq!(reads(&[("eventType", "OBJECT_DELETE")]), Says::Other);
        for (change, why) in [(("payloadFormat", "NONE"), "NONE"), ((ATTRIBUTE, ""), "notificationConfigs/7")]
        {
            let Says::Unproven(_, says) = reads(&[change]) else { panic!("{change:?}") };
            assert!(says.contains(why), "{says}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_can_be_in_a_queue_breaks_it(key in outside::text(), value in outside::text()) {
            for (name, value) in [(key.as_str(), value.as_str()), ("notificationConfig", &value), ("payloadFormat", &value)] {
                reads(&[(name, value), (ATTRIBUTE, &key)]);
            }
        }
    }
}
