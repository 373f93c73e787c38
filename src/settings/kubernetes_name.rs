//! What the server is known by in Kubernetes.

use crate::names::Rule;
use crate::names::{Part, checked_name};

checked_name! {
    /// A namespace: a label of DNS (Kubernetes documentation, "Object Names and IDs").
    Namespace,
    what: "namespace",
    form: "1 to 63 of a-z, 0-9 and -, such as `wandb`",
    letters: "a-z0-9-",
    first: "a-z0-9",
    last: "a-z0-9",
    ..Rule::ANY
}

checked_name! {
    /// A service account: a subdomain of DNS (Kubernetes documentation, "Configure Service Accounts for Pods").
    KubernetesServiceAccount,
    what: "service account",
    form: "1 to 253 of a-z, 0-9, - and ., such as `wandb-app`; `kubectl get serviceaccounts` prints those of a namespace",
    letters: "a-z0-9.-",
    first: "a-z0-9",
    last: "a-z0-9",
    length: 1..=253,
    single: Some('.'),
    refused: &[
        (Part::Within("@"), "as the address of a Google service account does", ""),
        (Part::Within(":"), "as the subject of a token does", "use what follows the last `:` of it"),
        (Part::Within(".-"), "so that a part begins with `-`", ""),
        (Part::Within("-."), "so that a part ends with `-`", ""),
    ],
    ..Rule::ANY
}

checked_name! {
    /// The version of the server, which version 2 of the operator requires to be a certain one.
    ServerVersion,
    what: "server version",
    form: "the tag of a release, such as `0.78.0`",
    letters: "a-zA-Z0-9._-",
    first: "a-zA-Z0-9",
    last: "a-zA-Z0-9",
    length: 1..=128,
    refused: &[(Part::Start("latest"), "which the operator does not accept", "")],
    ..Rule::ANY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::laws::obeys;

    #[test]
    fn a_namespace_is_a_label() {
        obeys(
            &Namespace::RULE,
            &["wandb", "w", "team-1", &"a".repeat(63)],
            &[
                ("", "the namespace is empty", "use 1 to 63"),
                ("Wandb", "has uppercase letters", "use `wandb`"),
                ("-a", "begins with `-`", "use `a`"),
                (&"a".repeat(64), "has 64 characters", "use 1 to 63"),
            ],
        );
    }

    #[test]
    fn a_service_account_is_a_subdomain() {
        obeys(
            &KubernetesServiceAccount::RULE,
            &["wandb-app", "w", "wandb.v2", &"a".repeat(253)],
            &[
                ("", "the service account is empty", "use 1 to 253"),
                ("Wandb-App", "has uppercase letters", "use `wandb-app`"),
                ("wandb_app", "contains `_` at position 6", "use `wandb-app`"),
                ("wandb..app", "contains `..`", "use 1 to 253"),
                ("wandb.-app", "contains `.-`", "use 1 to 253"),
                (
                    "wandb@acme.iam.gserviceaccount.com",
                    "as the address of a Google service account",
                    "use 1 to 253",
                ),
                ("system:serviceaccount:wandb:wandb-app", "as the subject of a token", "use what follows"),
                ("a*", "contains `*` at position 2", "use 1 to 253"),
                (&"a".repeat(254), "has 254 characters", "use 1 to 253"),
            ],
        );
    }

    #[test]
    fn a_version_is_a_certain_one() {
        obeys(
            &ServerVersion::RULE,
            &["0.78.0", "0.84.0-rc1"],
            &[
                ("latest", "begins with `latest`", "use the tag"),
                ("", "the server version is empty", "use the tag"),
            ],
        );
    }
}
