//! Names of Pub/Sub topics and subscriptions, and the choice of having them.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::name::DeploymentName;
use crate::names::Part::{Start, Within};
use crate::names::{Rule, checked_name};
use crate::value::quoted;

/// Makes the name of one kind of Pub/Sub resource: what it names, and its collection.
macro_rules! pubsub_name {
    ($type:ident, $what:literal, $collection:literal) => {
        checked_name! {
            /// A name without its project.
            ///
            /// The rules are those of the Pub/Sub documentation, "Guidelines to name a topic, subscription,
            /// schema, or snapshot", and one of our own: no `%`. The name becomes part of `BUCKET_QUEUE`, a
            /// URL, in which a `%` begins an escape.
            $type,
            what: $what,
            form: "3 to 255 letters, digits and -_.~+, beginning with a letter, such as `acme-wandb`",
            letters: "a-zA-Z0-9_.~+-",
            first: "a-zA-Z",
            last: "a-zA-Z0-9_.~+-",
            length: 3..=255,
            refused: &[
                (
                    Start("pubsub:"),
                    "as a URL does",
                    "use --project, --topic and --subscription for the parts of pubsub:/<project>/<topic>/<subscription>",
                ),
                (Within("%"), "which begins an escape in W&B's BUCKET_QUEUE", ""),
                (Start("goog"), "which Google reserves", ""),
            ],
            collection: $collection,
            ..Rule::ANY
        }

        impl $type {
            /// The default name: `wbstore-<deployment>`.
            pub(crate) fn default_for(deployment: &DeploymentName) -> Self {
                Self { text: format!("wbstore-{deployment}") }
            }
        }
    };
}

pubsub_name!(TopicName, "topic name", "topics");
pubsub_name!(SubscriptionName, "subscription name", "subscriptions");

/// The value of `--queue`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum QueueChoice {
    /// A topic and a subscription of Pub/Sub.
    #[default]
    Pubsub,
    /// Neither: the server uses its own queue, which it calls `internal://`.
    Internal,
}

impl QueueChoice {
    /// As the command line has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pubsub => "pubsub",
            Self::Internal => "internal",
        }
    }
}

impl FromStr for QueueChoice {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        match input {
            "pubsub" => Ok(Self::Pubsub),
            "internal" | "internal://" => Ok(Self::Internal),
            _ => Err(Error::input(format!("{} is not a kind of queue", quoted(input)))
                .hint("use `pubsub` or `internal`; --topic and --subscription name the parts of `pubsub`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::laws::{defaults_are_valid, obeys};

    #[test]
    fn a_topic_name_is_what_pubsub_and_wandb_accept() {
        let good = ["abc", "Acme_Wandb-1.x~y+z", &"q".repeat(255)];
        obeys(
            &TopicName::RULE,
            &good,
            &[
                ("", "the topic name is empty", "use 3 to 255"),
                ("ab", "has 2 characters; 3 to 255 are allowed", "use 3 to 255"),
                (&"q".repeat(256), "has 256 characters; 3 to 255 are allowed", "use 3 to 255"),
                ("1acme", "topic name `1acme` begins with `1`", "use 3 to 255"),
                ("goog-acme", "begins with `goog`, which Google reserves", "use 3 to 255"),
                ("acme wandb", "contains ` ` at position 5", "use `acme-wandb`"),
                ("acme%20", "contains `%`, which begins an escape in W&B's BUCKET_QUEUE", "use 3 to 255"),
                ("projects/acme-prod/topics/new", "is a resource name", "use `new` and --project acme-prod"),
                ("projects/acme-prod/snapshots/up", "is a resource name", "use 3 to 255"),
                ("pubsub:/p/t/s", "begins with `pubsub:`", "use --project, --topic and --subscription"),
            ],
        );
        obeys(&SubscriptionName::RULE, &good, &[("ab", "subscription name `ab` has 2 characters", "use 3")]);
        defaults_are_valid(|storage| TopicName::default_for(&storage.deployment));
        defaults_are_valid(|storage| SubscriptionName::default_for(&storage.deployment));
    }

    #[test]
    fn the_queue_is_one_of_two() {
        assert_eq!("internal://".parse::<QueueChoice>().unwrap(), QueueChoice::Internal);
        assert_eq!("pubsub".parse::<QueueChoice>().unwrap(), QueueChoice::Pubsub);
        assert!("acme-topic".parse::<QueueChoice>().unwrap_err().what_next().unwrap().contains("--topic"));
    }
}
