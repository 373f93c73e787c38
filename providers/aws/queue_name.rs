//! Names of SQS queues, and the choice of having one.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::name::DeploymentName;
use crate::value::{quoted, text_value};

/// The name of a standard queue: 1 to 80 letters, digits, hyphens and underscores (SQS API,
/// `CreateQueue`).
///
/// FIFO queues, whose names end with `.fifo`, are refused: S3 does not deliver to them (S3 user
/// guide, "Event notification types and destinations").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueName {
    text: String,
}

text_value!(QueueName);

impl QueueName {
    /// The queue of object events where none is named: `wbstore-<deployment>`.
    pub fn default_for(deployment: &DeploymentName) -> Self {
        Self { text: format!("wbstore-{deployment}") }
    }

    /// The queue of run events where none is named: `wbstore-<deployment>-events`.
    pub fn notifications_for(deployment: &DeploymentName) -> Self {
        Self { text: format!("wbstore-{deployment}-events") }
    }
}

impl FromStr for QueueName {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        const FORM: &str = "use 1 to 80 letters, digits, hyphens and underscores, such as `acme-wandb`";
        let refuse = |why: String, hint: &str| {
            Err(Error::input(format!("queue name {} {why}", quoted(input))).hint(hint))
        };
        let length = input.chars().count();
        if input.is_empty() {
            return Err(Error::input("the queue name is empty").hint(FORM));
        }
        if input.ends_with(".fifo") {
            return refuse(
                "is that of a FIFO queue, to which S3 does not deliver events".to_owned(),
                "use a standard queue; its name does not end with `.fifo`",
            );
        }
        if let Some(rest) = input.strip_prefix("sqs://") {
            return refuse("is a URL".to_owned(), &format!("use the name alone: {}", quoted(rest)));
        }
        if input.starts_with("arn:") || input.starts_with("https://") {
            let what = if input.starts_with("arn:") { "is an ARN" } else { "is a URL" };
            return refuse(what.to_owned(), "use the name alone, which is its last part");
        }
        if let Some(bad) = input.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')) {
            return refuse(format!("contains {}", quoted(&bad.to_string())), FORM);
        }
        if length > 80 {
            return refuse(format!("has {length} characters; at most 80 are allowed"), FORM);
        }
        Ok(Self { text: input.to_owned() })
    }
}

/// What `--queue` asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum QueueChoice {
    /// A queue with the deployment's default name.
    #[default]
    Default,
    /// A queue with this name.
    Named(QueueName),
    /// No queue: the server uses its own, which it calls `internal://`.
    Internal,
}

impl QueueChoice {
    /// The name of the queue to make; `None` for the server's internal one.
    pub fn resolve(&self, deployment: &DeploymentName) -> Option<QueueName> {
        match self {
            Self::Default => Some(QueueName::default_for(deployment)),
            Self::Named(name) => Some(name.clone()),
            Self::Internal => None,
        }
    }
}

impl FromStr for QueueChoice {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        match input {
            "internal" | "internal://" => Ok(Self::Internal),
            name => name.parse().map(Self::Named),
        }
    }
}

impl fmt::Display for QueueChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Named(name) => name.fmt(f),
            Self::Internal => f.write_str("internal"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_what_sqs_accepts() {
        for good in ["a", "-", "_", "Acme_Wandb-1", &"q".repeat(80)] {
            assert_eq!(good.parse::<QueueName>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for (bad, why) in [
            ("acme.fifo", "is that of a FIFO queue, to which S3 does not deliver events"),
            ("acme.wandb", "contains `.`"),
            ("acme wandb", "contains ` `"),
            ("sqs://acme", "is a URL"),
            ("https://sqs.us-east-1.amazonaws.com/123456789012/acme", "is a URL"),
            ("arn:aws:sqs:us-east-1:123456789012:acme", "is an ARN"),
            (&"q".repeat(81), "has 81 characters; at most 80 are allowed"),
        ] {
            let error = bad.parse::<QueueName>().unwrap_err();
            assert_eq!(error.to_string(), format!("queue name {} {why}", quoted(bad)));
            assert!(error.what_next().is_some(), "{bad}: no hint");
        }
        assert_eq!("".parse::<QueueName>().unwrap_err().to_string(), "the queue name is empty");
    }

    #[test]
    fn internal_means_no_queue() {
        let deployment: DeploymentName = "acme".parse().unwrap();
        let resolve =
            |choice: &str| choice.parse::<QueueChoice>().unwrap().resolve(&deployment).map(|q| q.to_string());
        assert_eq!(resolve("internal"), None);
        assert_eq!(resolve("internal://"), None);
        assert_eq!(resolve("mine").as_deref(), Some("mine"));
        assert_eq!(QueueChoice::default().resolve(&deployment).unwrap().as_str(), "wbstore-acme");
        assert_eq!(QueueName::notifications_for(&deployment).as_str(), "wbstore-acme-events");
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<QueueChoice>();
        }

        #[test]
        fn the_defaults_are_always_valid(name in "[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?") {
            let name: DeploymentName = name.parse().unwrap();
            for queue in [QueueName::default_for(&name), QueueName::notifications_for(&name)] {
                prop_assert_eq!(queue.as_str().parse::<QueueName>().unwrap(), queue);
            }
        }
    }
}
