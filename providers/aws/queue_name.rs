//! Names of SQS queues, and the choice of having one.

use crate::name::DeploymentName;
use crate::names::InUrl::{Host, Path};
use crate::names::Part::End;
use crate::names::{Rule, checked_name};
use crate::queue_choice;

checked_name! {
    /// The name of a standard queue (SQS API, `CreateQueue`). S3 does not deliver to FIFO queues (S3 user
    /// guide, "Event notification types and destinations").
    QueueName,
    what: "queue name",
    form: "1 to 80 letters, digits, hyphens and underscores, such as `acme-wandb`",
    letters: "a-zA-Z0-9_-",
    first: "a-zA-Z0-9_-",
    last: "a-zA-Z0-9_-",
    length: 1..=80,
    refused: &[(
        End(".fifo"),
        "which is reserved for FIFO queues, and S3 sends no events to them",
        "use a standard queue; its name does not end with `.fifo`",
    )],
    urls: &[("sqs", Host), ("https", Path)],
    ..Rule::ANY
}

pub(crate) type QueueChoice = queue_choice::QueueChoice<QueueName>;

impl QueueName {
    /// The queue of object events where none is named: `wbstore-<deployment>`.
    pub(crate) fn default_for(deployment: &DeploymentName) -> Self {
        Self { text: format!("wbstore-{deployment}") }
    }

    /// The queue of run events where none is named: `wbstore-<deployment>-events`.
    pub(crate) fn notifications_for(deployment: &DeploymentName) -> Self {
        Self { text: format!("wbstore-{deployment}-events") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::laws::{defaults_are_valid, obeys};

    #[test]
    fn a_queue_name_is_what_sqs_accepts_and_s3_delivers_to() {
        obeys(
            &QueueName::RULE,
            &["a", "-", "_", "Acme_Wandb-1", &"q".repeat(80)],
            &[
                ("", "the queue name is empty", "use 1 to 80"),
                ("acme.fifo", "ends with `.fifo`, which is reserved for FIFO queues", "use a standard queue"),
                ("acme.wandb", "contains `.` at position 5", "use `acme-wandb`"),
                ("sqs://acme", "the queue name is a URL", "use `acme`"),
                ("https://sqs.us-east-1.amazonaws.com/123456789012/acme", "is a URL", "use `acme`"),
                ("arn:aws:sqs:us-east-1:123456789012:acme", "is an ARN", "use `acme`"),
                (&"q".repeat(81), "has 81 characters; 1 to 80 are allowed", "use 1 to 80"),
            ],
        );
        defaults_are_valid(|storage| QueueName::default_for(&storage.deployment));
        defaults_are_valid(|storage| QueueName::notifications_for(&storage.deployment));
    }
}
