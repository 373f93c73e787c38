//! The name of a deployment: one W&B server's storage.

use crate::names::{Rule, checked_name};

checked_name! {
    /// Names one deployment. It is part of resource names, tags and statement ids in every cloud, so
    /// it keeps to what all of them allow.
    ///
    /// Two hyphens in a row are allowed: the slug of an international host has them (`xn--…`).
    DeploymentName,
    what: "deployment name",
    form: "1 to 40 of a-z, 0-9 and -, such as `acme-prod`",
    letters: "a-z0-9-",
    first: "a-z0-9",
    last: "a-z0-9",
    length: 1..=DeploymentName::MAX,
    ..Rule::ANY
}

impl DeploymentName {
    /// The most characters a name has. `wbstore-<name>-<8 hex digits>` must fit into the 63
    /// characters of a bucket name.
    pub(crate) const MAX: usize = 40;

    /// A name of two parts that are known to be in order: `kept` begins with a letter or digit,
    /// `hash` is hexadecimal, and together they are short enough.
    pub(crate) fn from_parts(kept: &str, hash: &str) -> Self {
        let text = if kept.is_empty() { hash.to_owned() } else { format!("{kept}-{hash}") };
        Self { text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::laws::obeys;

    #[test]
    fn a_name_is_what_every_cloud_accepts() {
        obeys(
            &DeploymentName::RULE,
            &["a", "7", "acme-prod", "xn--bcher-kva-example", &"a".repeat(40)],
            &[
                ("", "the deployment name is empty", "use 1 to 40"),
                ("Acme", "deployment name `Acme` has uppercase letters", "use `acme`"),
                ("a_b", "deployment name `a_b` contains `_` at position 2", "use `a-b`"),
                ("büro", "contains `ü` at position 2", "use 1 to 40"),
                ("-a", "begins with `-`", "use `a`"),
                ("a-", "ends with `-`", "use `a`"),
                (&"a".repeat(41), "has 41 characters; 1 to 40 are allowed", "use 1 to 40"),
            ],
        );
    }
}
