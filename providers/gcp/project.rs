//! The id and the number of a Google Cloud project.

use crate::names::Part::{Digits, Within};
use crate::names::{Rule, checked_name};

checked_name! {
    /// The id of a project (Resource Manager documentation, "Creating and managing projects").
    ///
    /// Ids with a domain, `example.com:wandb`, are rejected: the published form of `BUCKET_QUEUE`,
    /// `pubsub:/<project>/<topic>/<subscription>`, does not define what a colon in it means.
    ProjectId,
    what: "project",
    form: "the ID that `gcloud config get project` prints: 6 to 30 of a-z, 0-9 and -, such as `acme-prod`",
    letters: "a-z0-9-",
    first: "a-z",
    last: "a-z0-9",
    length: 6..=30,
    refused: &[
        (
            Digits,
            "is a project number",
            "use the ID, which `gcloud projects describe {name} --format='value(projectId)'` prints",
        ),
        (
            Within(":"),
            "as IDs with a domain do, for which W&B does not define a BUCKET_QUEUE",
            "use a project whose ID has no domain",
        ),
    ],
    collection: "projects",
    ..Rule::ANY
}

checked_name! {
    /// The number of a project, by which Google names the accounts of its own services.
    ProjectNumber,
    what: "project number",
    form: "the number that `gcloud projects describe <id> --format='value(projectNumber)'` prints",
    letters: "0-9",
    first: "1-9",
    last: "0-9",
    length: 1..=19,
    ..Rule::ANY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::laws::obeys;

    #[test]
    fn a_project_is_what_google_accepts() {
        obeys(
            &ProjectId::RULE,
            &["acme-prod", "wandb-123456", "abcdef", &format!("a{}", "b".repeat(29))],
            &[
                ("", "the project is empty", "use the ID"),
                ("123456789012", "is a project number", "use the ID, which `gcloud projects describe 1234"),
                ("projects/acme-prod/topics/x", "is a resource name", "use `acme-prod`"),
                ("example.com:wandb", "contains `:`, as IDs with a domain do", "use a project whose ID"),
                ("Acme-Prod", "has uppercase letters", "use `acme-prod`"),
                ("acme_prod", "contains `_` at position 5", "use `acme-prod`"),
                ("acme", "has 4 characters; 6 to 30 are allowed", "use the ID"),
                (&"a".repeat(31), "has 31 characters; 6 to 30 are allowed", "use the ID"),
                ("1-acme", "begins with `1`", "use the ID"),
                ("acme-prod-", "ends with `-`", "use `acme-prod`"),
            ],
        );
        obeys(
            &ProjectNumber::RULE,
            &["123456789012"],
            &[
                ("", "the project number is empty", "use the number"),
                ("acme-prod", "contains `a` at position 1", "use the number"),
                ("0123", "begins with `0`", "use the number"),
                ("12 34", "contains ` ` at position 3", "use `1234`"),
                (&"9".repeat(20), "has 20 characters; 1 to 19 are allowed", "use the number"),
            ],
        );
    }
}
