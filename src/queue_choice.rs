//! What `--queue` asks for, on the clouds where it names a queue.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::name::DeploymentName;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum QueueChoice<N> {
    /// A queue with the deployment's default name.
    #[default]
    Default,
    Named(N),
    /// No queue: the server uses its own, `internal://`.
    Internal,
}

impl<N: Clone> QueueChoice<N> {
    /// The name of the queue; `None` for the server's internal one.
    pub(crate) fn resolve(
        &self,
        deployment: &DeploymentName,
        default: fn(&DeploymentName) -> N,
    ) -> Option<N> {
        match self {
            Self::Default => Some(default(deployment)),
            Self::Named(name) => Some(name.clone()),
            Self::Internal => None,
        }
    }
}

impl<N: FromStr<Err = Error>> FromStr for QueueChoice<N> {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self, Error> {
        match input {
            "internal" | "internal://" => Ok(Self::Internal),
            name => name.parse().map(Self::Named),
        }
    }
}

impl<N: fmt::Display> fmt::Display for QueueChoice<N> {
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
    use super::*;

    #[test]
    fn internal_means_no_queue() {
        let deployment: DeploymentName = "acme".parse().unwrap();
        let resolve = |choice: QueueChoice<DeploymentName>| choice.resolve(&deployment, Clone::clone);
        for choice in ["internal", "internal://"] {
            assert_eq!(resolve(choice.parse().unwrap()), None);
        }
        assert_eq!(resolve("mine".parse().unwrap()), Some("mine".parse().unwrap()));
        assert_eq!(resolve(QueueChoice::Default), Some(deployment.clone()));
        assert!("Mine".parse::<QueueChoice<DeploymentName>>().is_err());
    }
}
