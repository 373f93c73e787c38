//! `BUCKET_QUEUE` and `NOTIFICATIONS_QUEUE`.

use super::malformed::{Flaw, Grammar};

/// The queue of the events of new objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum QueueAddress {
    Sqs {
        name: String,
    },
    PubSub {
        project: String,
        topic: String,
        subscription: String,
    },
    Azure {
        account: String,
        queue: String,
    },
    /// The server's own queue, in its Redis.
    Internal,
}

const FORMS: &str =
    "use `sqs://QUEUE`, `pubsub:/PROJECT/TOPIC/SUBSCRIPTION`, `az://ACCOUNT/QUEUE` or `internal://`";

impl Grammar for QueueAddress {
    fn read(text: &str) -> Result<Self, Flaw> {
        let trimmed = text.trim();
        if trimmed != text {
            return Err(
                Flaw::new(0, "white space around the value", "remove it").repaired(trimmed.to_owned())
            );
        }
        let Some((scheme, rest)) = text.split_once(':') else {
            if text == "internal" {
                return Err(
                    Flaw::new(text.len(), "`://` is missing", "add it").repaired("internal://".to_owned())
                );
            }
            return Err(Flaw::new(0, "the scheme is missing", FORMS));
        };
        let at = scheme.len() + 1;
        let slashes = rest.len() - rest.trim_start_matches('/').len();
        let bare = &rest[slashes..];
        let path: Vec<&str> = bare.trim_end_matches('/').split('/').collect();
        let is_name = |name: &&str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+%".contains(&byte))
        };
        let is_named = path.iter().all(is_name) && !bare.ends_with('/');
        let owned = |part: &str| part.to_owned();
        let wrong = |advice: &str| Flaw::new(at, "another form than W&B reads", advice);
        match (scheme, slashes, path.as_slice()) {
            ("internal", 2, [""]) if bare.is_empty() => Ok(Self::Internal),
            ("internal", ..) => Err(wrong("write `internal://`").repaired("internal://".to_owned())),
            ("sqs", 2, [name]) if is_named => Ok(Self::Sqs { name: owned(name) }),
            ("sqs", _, [name]) => Err(wrong("write `sqs://QUEUE`").repaired(format!("sqs://{name}"))),
            ("sqs", _, [.., name]) => {
                Err(wrong("write the name of the queue alone, `sqs://QUEUE`")
                    .repaired(format!("sqs://{name}")))
            }
            ("pubsub", 1, [project, topic, subscription]) if is_named => Ok(Self::PubSub {
                project: owned(project),
                topic: owned(topic),
                subscription: owned(subscription),
            }),
            ("pubsub", _, [project, topic, subscription]) => {
                Err(wrong("write one slash after `pubsub:`, `pubsub:/PROJECT/TOPIC/SUBSCRIPTION`")
                    .repaired(format!("pubsub:/{project}/{topic}/{subscription}")))
            }
            ("pubsub", ..) => {
                Err(wrong("write project, topic and subscription, `pubsub:/PROJECT/TOPIC/SUBSCRIPTION`"))
            }
            ("az", 2, [account, queue]) if is_named => {
                Ok(Self::Azure { account: owned(account), queue: owned(queue) })
            }
            ("az", _, [account, queue]) => {
                Err(wrong("write `az://ACCOUNT/QUEUE`").repaired(format!("az://{account}/{queue}")))
            }
            ("az", ..) => Err(wrong("write account and queue, `az://ACCOUNT/QUEUE`")),
            ("azure", ..) => {
                Err(Flaw::new(0, "the scheme `azure://`, which W&B does not accept", "use `az://`")
                    .repaired(format!("az://{bare}")))
            }
            ("https", 2, [host, .., name]) if host.starts_with("sqs.") => {
                Err(Flaw::new(0, "the URL of a queue, where W&B reads its name", "use `sqs://QUEUE`")
                    .repaired(format!("sqs://{name}")))
            }
            ("arn", ..) => {
                Err(Flaw::new(0, "an ARN, where W&B reads the name of a queue", "use `sqs://QUEUE`")
                    .repaired(format!("sqs://{}", text.rsplit(':').next().unwrap_or_default())))
            }
            _ => Err(Flaw::new(0, "an unknown scheme", FORMS)),
        }
    }

    fn masked(&self) -> String {
        match self {
            Self::Sqs { name } => format!("sqs://{name}"),
            Self::PubSub { project, topic, subscription } => {
                format!("pubsub:/{project}/{topic}/{subscription}")
            }
            Self::Azure { account, queue } => format!("az://{account}/{queue}"),
            Self::Internal => "internal://".to_owned(),
        }
    }
}
