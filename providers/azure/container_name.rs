//! Names of blob containers.

use crate::name::{DeploymentName, StorageName};
use crate::names::InUrl::Path;
use crate::names::Part::Start;
use crate::names::{checked_name, digits};

checked_name! {
    /// The name of a blob container (Blob service REST API, "Naming and referencing containers, blobs, and
    /// metadata").
    ContainerName,
    what: "container name",
    form: "3 to 63 of a-z, 0-9 and single hyphens, such as `acme-wandb`",
    letters: "a-z0-9-",
    first: "a-z0-9",
    last: "a-z0-9",
    length: 3..=63,
    single: Some('-'),
    refused: &[(Start("$"), "which Azure reserves for containers such as `$root` and `$web`", "")],
    urls: &[("https", Path), ("az", Path)],
    collection: "containers"
}

impl ContainerName {
    /// The container where none is named: `wbstore-<deployment>`, or `wbstore-<deployment>-<team>-<8 hex digits>`.
    pub(crate) fn default_for(storage: &StorageName) -> Self {
        Self { text: default_name(storage) }
    }

    /// The container of the events that could not be delivered: `wbstore-<deployment>-dead`.
    pub(crate) fn dead_letters_for(deployment: &DeploymentName) -> Self {
        Self { text: format!("{}-dead", default_name(&deployment.clone().into())) }
    }
}

/// `wbstore-<deployment>`. Of a team, and where two hyphens in a row became one, 8 hex digits tell two names of one
/// spelling apart.
pub(super) fn default_name(storage: &StorageName) -> String {
    let stem = storage.stem();
    let parts: Vec<_> = stem.split('-').filter(|part| !part.is_empty()).collect();
    let single = parts.join("-");
    if single == stem && storage.team.is_none() {
        return format!("wbstore-{single}");
    }
    format!("wbstore-{single}-{}", digits(&storage.parts(&[])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::tests::storage;
    use crate::names::laws::{defaults_are_valid, obeys};

    #[test]
    fn a_container_name_is_what_azure_accepts() {
        obeys(
            &ContainerName::RULE,
            &["abc", "a-b-c", "123", &"a".repeat(63)],
            &[
                ("", "the container name is empty", "use 3 to 63"),
                ("ab", "has 2 characters; 3 to 63 are allowed", "use 3 to 63"),
                (&"a".repeat(64), "has 64 characters; 3 to 63 are allowed", "use 3 to 63"),
                ("Acme", "has uppercase letters", "use `acme`"),
                ("acme_wandb", "contains `_` at position 5", "use `acme-wandb`"),
                ("acme.wandb", "contains `.` at position 5", "use `acme-wandb`"),
                ("-acme", "begins with `-`", "use `acme`"),
                ("acme-", "ends with `-`", "use `acme`"),
                ("acme--wandb", "contains `--`", "use `acme-wandb`"),
                ("$root", "begins with `$`, which Azure reserves", "use 3 to 63"),
                ("az://acme/wandb", "the container name is a URL", "use `wandb`"),
                ("https://acme.blob.core.windows.net/wandb/", "is a URL", "use `wandb`"),
            ],
        );
    }

    #[test]
    fn defaults_differ_as_the_deployments_do() {
        let name = |deployment: &str| ContainerName::default_for(&storage(deployment, None));
        let of_team = |deployment, team| ContainerName::default_for(&storage(deployment, Some(team)));
        assert_eq!(name("wandb-acme-com").as_str(), "wbstore-wandb-acme-com");
        assert!(name("a--b").as_str().starts_with("wbstore-a-b-"));
        assert_ne!(name("a--b"), name("a---b"));
        assert_ne!(name("a--b"), name("a-b"));
        assert_eq!(of_team("acme", "vision").as_str(), "wbstore-acme-vision-0c0a5a1f");
        assert_ne!(of_team("acme", "a-b"), of_team("acme-a", "b"));
        defaults_are_valid(ContainerName::default_for);
        defaults_are_valid(|storage| ContainerName::dead_letters_for(&storage.deployment));
    }
}
