//! Names of storage queues, and the choice of having one.

use super::container_name::{ContainerName, default_name};
use crate::name::DeploymentName;
use crate::names::checked_name;
use crate::queue_choice;

checked_name! {
    /// The name of a queue in a storage account (Queue service REST API, "Naming queues and metadata").
    QueueName,
    what: "queue name",
    refused: &[],
    collection: "queues",
    ..ContainerName::RULE
}

pub(crate) type QueueChoice = queue_choice::QueueChoice<QueueName>;

impl QueueName {
    /// The queue where none is named: `wbstore-<deployment>`.
    pub(crate) fn default_for(deployment: &DeploymentName) -> Self {
        Self { text: default_name(&deployment.clone().into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::laws::{defaults_are_valid, obeys};

    #[test]
    fn a_queue_name_is_what_azure_accepts() {
        obeys(
            &QueueName::RULE,
            &["acme-wandb"],
            &[
                ("ab", "has 2 characters; 3 to 63 are allowed", "use 3 to 63"),
                ("acme--wandb", "contains `--`", "use `acme-wandb`"),
                ("az://acme/uploads", "the queue name is a URL", "use `uploads`"),
                ("$logs", "contains `$` at position 1", "use 3 to 63"),
            ],
        );
        defaults_are_valid(|storage| QueueName::default_for(&storage.deployment));
    }
}
