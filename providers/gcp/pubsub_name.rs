//! Names of Pub/Sub topics and subscriptions, and the choice of having them.

use std::str::FromStr;

use super::project::ProjectId;
use crate::error::{Error, Result};
use crate::name::DeploymentName;
use crate::value::{quoted, text_value};

/// Makes the name of one kind of Pub/Sub resource: its singular, and its plural in resource names.
macro_rules! pubsub_name {
    ($type:ident, $what:literal, $plural:literal) => {
        impl $type {
            /// The name where none is given: `wbstore-<deployment>`.
            pub fn default_for(deployment: &DeploymentName) -> Self {
                Self { text: format!("wbstore-{deployment}") }
            }

            #[doc = concat!("`projects/<project>/", $plural, "/<name>`, as the API has it.")]
            pub fn in_project(&self, project: &ProjectId) -> String {
                format!("projects/{project}/{}/{self}", $plural)
            }
        }

        text_value!($type);

        impl FromStr for $type {
            type Err = Error;

            fn from_str(input: &str) -> Result<Self> {
                match fault(input, $plural) {
                    None => Ok(Self { text: input.to_owned() }),
                    Some((why, hint)) => {
                        let words = format!(concat!($what, " name {} {}"), quoted(input), why);
                        Err(Error::input(words).hint(hint))
                    }
                }
            }
        }
    };
}

/// The name of a topic, without its project.
///
/// The rules are those of the Pub/Sub documentation, "Guidelines to name a topic, subscription,
/// schema, or snapshot", and one of our own: no `%`. The name becomes part of `BUCKET_QUEUE`, a URL,
/// in which a `%` begins an escape.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicName {
    text: String,
}

pubsub_name!(TopicName, "topic", "topics");

/// The name of a subscription, without its project. The rules are those of [`TopicName`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionName {
    text: String,
}

pubsub_name!(SubscriptionName, "subscription", "subscriptions");

/// What is wrong with a name, and what to do about it.
fn fault(name: &str, plural: &str) -> Option<(String, String)> {
    const FORM: &str =
        "use 3 to 255 letters, digits and -_.~+, beginning with a letter, such as `acme-wandb`";
    let plain = |why: String| Some((why, FORM.to_owned()));
    let length = name.chars().count();
    if let Some((project, rest)) = name.strip_prefix("projects/").and_then(|rest| rest.split_once('/')) {
        let hint = match rest.strip_prefix(plural).and_then(|rest| rest.strip_prefix('/')) {
            Some(alone) => format!("use {} and --project {project}", quoted(alone)),
            None => "use the last part alone".to_owned(),
        };
        return Some(("is a resource name".to_owned(), hint));
    }
    if name.starts_with("pubsub:") {
        let hint =
            "pubsub:/<project>/<topic>/<subscription> is said with --project, --topic and --subscription";
        return Some(("is a URL".to_owned(), hint.to_owned()));
    }
    if name.contains('%') {
        return plain("contains `%`, which begins an escape in W&B's BUCKET_QUEUE".to_owned());
    }
    let fits = |c: &char| c.is_ascii_alphanumeric() || "-_.~+".contains(*c);
    if let Some(bad) = name.chars().find(|c| !fits(c)) {
        return plain(format!("contains {}", quoted(&bad.to_string())));
    }
    if !(3..=255).contains(&length) {
        return plain(format!("has {length} characters; 3 to 255 are allowed"));
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return plain("does not begin with a letter".to_owned());
    }
    if name.starts_with("goog") {
        return plain("begins with `goog`, which Google reserves".to_owned());
    }
    None
}

/// What `--queue` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueueChoice {
    /// A topic and a subscription of Pub/Sub.
    #[default]
    Pubsub,
    /// Neither: the server uses its own queue, which it calls `internal://`.
    Internal,
}

impl FromStr for QueueChoice {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        match input {
            "pubsub" => Ok(Self::Pubsub),
            "internal" | "internal://" => Ok(Self::Internal),
            _ => Err(Error::input(format!("{} is no kind of queue", quoted(input)))
                .hint("use `pubsub` or `internal`; --topic and --subscription name the parts of the first")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_what_pubsub_accepts() {
        for good in ["abc", "Acme_Wandb-1.x~y+z", &"q".repeat(255)] {
            assert_eq!(good.parse::<TopicName>().unwrap().as_str(), good);
            assert_eq!(good.parse::<SubscriptionName>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for (bad, why, hint) in [
            ("", "has 0 characters; 3 to 255 are allowed", "use 3 to 255"),
            ("ab", "has 2 characters; 3 to 255 are allowed", "use 3 to 255"),
            (&"q".repeat(256), "has 256 characters; 3 to 255 are allowed", "use 3 to 255"),
            ("1acme", "does not begin with a letter", "use 3 to 255"),
            ("goog-acme", "begins with `goog`, which Google reserves", "use 3 to 255"),
            ("acme wandb", "contains ` `", "use 3 to 255"),
            ("acme%20", "contains `%`, which begins an escape in W&B's BUCKET_QUEUE", "use 3 to 255"),
            ("projects/acme-prod/topics/up", "is a resource name", "use `up` and --project acme-prod"),
            ("projects/acme-prod/snapshots/up", "is a resource name", "use the last part alone"),
            ("pubsub:/p/t/s", "is a URL", "pubsub:/<project>"),
        ] {
            let error = bad.parse::<TopicName>().unwrap_err();
            assert_eq!(error.to_string(), format!("topic name {} {why}", quoted(bad)));
            assert!(error.what_next().unwrap().starts_with(hint), "{bad}: {:?}", error.what_next());
        }
    }

    #[test]
    fn names_are_given_their_project() {
        let (deployment, project) = ("acme".parse().unwrap(), "acme-prod".parse().unwrap());
        let topic = TopicName::default_for(&deployment).in_project(&project);
        assert_eq!(topic, "projects/acme-prod/topics/wbstore-acme");
        let subscription = SubscriptionName::default_for(&deployment).in_project(&project);
        assert_eq!(subscription, "projects/acme-prod/subscriptions/wbstore-acme");
    }

    #[test]
    fn the_queue_is_one_of_two() {
        assert_eq!("internal://".parse::<QueueChoice>().unwrap(), QueueChoice::Internal);
        assert_eq!("pubsub".parse::<QueueChoice>().unwrap(), QueueChoice::Pubsub);
        assert!("acme-topic".parse::<QueueChoice>().unwrap_err().what_next().unwrap().contains("--topic"));
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<TopicName>();
        }

        #[test]
        fn the_defaults_are_always_valid(name in "[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?") {
            let topic = TopicName::default_for(&name.parse().unwrap());
            prop_assert_eq!(topic.as_str().parse::<TopicName>().unwrap(), topic);
        }
    }
}
