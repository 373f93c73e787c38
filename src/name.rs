//! The names of what wbstore manages: the storage of a W&B server, and that of one of its teams.

use std::fmt;

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

checked_name! {
    /// Names a team of a deployment, with the rules of a [`DeploymentName`].
    TeamName,
    what: "team name",
    form: "1 to 40 of a-z, 0-9 and -, such as `vision`",
    letters: DeploymentName::RULE.letters,
    first: DeploymentName::RULE.first,
    last: DeploymentName::RULE.last,
    length: 1..=DeploymentName::MAX,
    ..Rule::ANY
}

/// Names the storage of a deployment, or of one of its teams. Each is its own: what one of them has is
/// another's for the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StorageName {
    pub deployment: DeploymentName,
    pub team: Option<TeamName>,
}

/// What is between deployment and team in an [entry id](StorageName::entry_id). No name has a capital letter.
pub(crate) const OF_TEAM: &str = "-Team-";

impl StorageName {
    /// The most characters of a [stem](Self::stem): `wbstore-<stem>-<8 hex digits>` must fit into the 63 characters
    /// of a bucket name.
    const LONGEST_STEM: usize = 46;

    /// The name of the deployment, and that of the team after it: the middle of derived names. Two storages may have
    /// the same, so that derived names end with digits of the [parts](Self::parts).
    pub(crate) fn stem(&self) -> String {
        let Some(team) = &self.team else { return self.deployment.to_string() };
        let stem = format!("{}-{team}", self.deployment);
        let kept: String = stem.chars().take(Self::LONGEST_STEM).collect();
        kept.trim_end_matches('-').to_owned()
    }

    /// What tells this storage from every other, and the `place` it is in, for [`digits`](crate::names::digits). A
    /// deployment alone and a team differ in their number.
    pub(crate) fn parts<'a>(&'a self, place: &[&'a str]) -> Vec<&'a str> {
        let team = self.team.iter().flat_map(|team| ["team", team.as_str()]);
        std::iter::once(self.deployment.as_str()).chain(team).chain(place.iter().copied()).collect()
    }

    /// The id of wbstore's entry in a shared document: `wbstore-acme`, or `wbstore-acme-Team-vision`, which no
    /// deployment has.
    pub(crate) fn entry_id(&self) -> String {
        match &self.team {
            None => format!("wbstore-{}", self.deployment),
            Some(team) => format!("wbstore-{}{OF_TEAM}{team}", self.deployment),
        }
    }
}

impl From<DeploymentName> for StorageName {
    fn from(deployment: DeploymentName) -> Self {
        Self { deployment, team: None }
    }
}

/// `acme`, or `acme/vision`.
impl fmt::Display for StorageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.team {
            None => self.deployment.fmt(f),
            Some(team) => write!(f, "{}/{team}", self.deployment),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::names::laws::obeys;

    pub(crate) fn storage(deployment: &str, team: Option<&str>) -> StorageName {
        StorageName { deployment: deployment.parse().unwrap(), team: team.map(|team| team.parse().unwrap()) }
    }

    #[test]
    fn the_team_of_a_deployment_is_not_a_deployment_of_both_names() {
        let team = storage("acme", Some("vision"));
        assert_eq!((team.to_string().as_str(), team.stem().as_str()), ("acme/vision", "acme-vision"));
        assert_eq!(team.entry_id(), "wbstore-acme-Team-vision");
        assert_eq!(storage("acme", None).entry_id(), "wbstore-acme");
    }

    proptest! {
        #[test]
        fn no_two_storages_share_a_name(
            one in "[a-b]([a-b-]{0,4}[a-b])?", of_one in proptest::option::of("[a-b]([a-b-]{0,3}[a-b])?"),
            two in "[a-b]([a-b-]{0,4}[a-b])?", of_two in proptest::option::of("[a-b]([a-b-]{0,3}[a-b])?"),
        ) {
            let (one, two) = (storage(&one, of_one.as_deref()), storage(&two, of_two.as_deref()));
            let is_same = one == two;
            prop_assert_eq!(one.entry_id() == two.entry_id(), is_same);
            prop_assert_eq!(one.to_string() == two.to_string(), is_same);
            prop_assert_eq!(one.parts(&["x"]) == two.parts(&["x"]), is_same);
        }

        #[test]
        fn a_stem_fits(deployment in "[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", team in "[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?") {
            let stem = storage(&deployment, Some(&team)).stem();
            prop_assert!(stem.len() <= StorageName::LONGEST_STEM && !stem.ends_with('-'));
        }
    }

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
