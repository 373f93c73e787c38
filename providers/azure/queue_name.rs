//! Names of storage queues, and the choice of having one.

use std::str::FromStr;

use super::container_name::{default_name, fault};
use crate::error::{Error, Result};
use crate::name::DeploymentName;
use crate::value::{quoted, text_value};

/// The name of a queue in a storage account: 3 to 63 lowercase letters, digits and single hyphens,
/// beginning and ending with a letter or digit (Queue service REST API, "Naming queues and metadata").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueName {
    text: String,
}

text_value!(QueueName);

impl QueueName {
    /// The queue where none is named: `wbstore-<deployment>`.
    pub fn default_for(deployment: &DeploymentName) -> Self {
        Self { text: default_name(deployment) }
    }
}

impl FromStr for QueueName {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        match fault(input) {
            None => Ok(Self { text: input.to_owned() }),
            Some((why, hint)) => Err(Error::input(format!("queue name {} {why}", quoted(input))).hint(hint)),
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rules_are_those_of_containers() {
        assert_eq!("acme-wandb".parse::<QueueName>().unwrap().as_str(), "acme-wandb");
        for (bad, why) in [
            ("ab", "has 2 characters; 3 to 63 are allowed"),
            ("acme--wandb", "has two hyphens in a row"),
            ("az://acme/uploads", "is a URL"),
            ("$logs", "contains `$`"),
        ] {
            let error = bad.parse::<QueueName>().unwrap_err();
            assert_eq!(error.to_string(), format!("queue name {} {why}", quoted(bad)));
        }
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
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<QueueChoice>();
        }
    }
}
