//! Names of Cloud Storage buckets.

use std::net::Ipv4Addr;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::location::Location;
use super::project::ProjectId;
use crate::error::{Error, Result};
use crate::name::DeploymentName;
use crate::value::{quoted, text_value};

/// The name of a bucket.
///
/// The rules are those of the Cloud Storage documentation, "Bucket naming rules", and one of our
/// own: no dots. A name with a dot is a domain's, and creating it takes proof that the domain is
/// one's own ("Domain-named bucket verification").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BucketName {
    text: String,
}

text_value!(BucketName);

impl BucketName {
    /// The name of a deployment's bucket where none is given:
    /// `wbstore-<deployment>-<8 hex digits>`.
    ///
    /// The digits come from a hash of deployment, project and location. So every machine finds the
    /// same bucket without a state file, and the name is unlikely to be taken: names of buckets are
    /// shared by all of Google Cloud.
    pub fn default_for(deployment: &DeploymentName, project: &ProjectId, location: &Location) -> Self {
        let digest = Sha256::digest(format!("{deployment}\n{project}\n{location}"));
        let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        // What Cloud Storage keeps for Google may stand in the address of somebody's server; the
        // digits tell the names apart.
        let text = format!("wbstore-{deployment}-{hash}");
        match look_alike(&text) {
            Some(_) => Self { text: format!("wbstore-{hash}") },
            None => Self { text },
        }
    }
}

impl FromStr for BucketName {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        match fault(input) {
            None => Ok(Self { text: input.to_owned() }),
            Some((why, hint)) => Err(Error::input(format!("bucket name {} {why}", quoted(input))).hint(hint)),
        }
    }
}

/// What is wrong with a name, and what to do about it. The most telling fault comes first.
fn fault(name: &str) -> Option<(String, String)> {
    const FORM: &str = "use 3 to 63 of a-z, 0-9, - and _, such as `acme-wandb`";
    let plain = |why: String| Some((why, FORM.to_owned()));
    let instead = |better: &str, or: &str| match fault(better) {
        None => format!("{or} `{better}`"),
        Some(_) => FORM.to_owned(),
    };
    let length = name.chars().count();
    if let Some(rest) = name.strip_prefix("gs://") {
        let bucket = rest.split('/').next().unwrap_or_default();
        return Some(("is a URL".to_owned(), instead(bucket, "use the name alone:")));
    }
    if name.contains("://") {
        return Some(("is a URL".to_owned(), "use the name alone, such as `acme-wandb`".to_owned()));
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return plain("is formatted as an IP address".to_owned());
    }
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        let hint = instead(&name.to_ascii_lowercase(), "use");
        return Some(("has upper case letters".to_owned(), hint));
    }
    if name.contains('.') {
        let why = "has a dot, and such names need proof that the domain is yours";
        return Some((why.to_owned(), instead(&name.replace('.', "-"), "use hyphens instead, such as")));
    }
    if let Some(bad) = name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-' | '_')) {
        return plain(format!("contains {}", quoted(&bad.to_string())));
    }
    if length < 3 {
        return plain(format!("has {length} characters; at least 3 are needed"));
    }
    if length > 63 {
        return plain(format!("has {length} characters; at most 63 are allowed"));
    }
    if name.starts_with(['-', '_']) || name.ends_with(['-', '_']) {
        return plain("does not begin and end with a letter or digit".to_owned());
    }
    if name.starts_with("goog") {
        return plain("begins with `goog`, which Google reserves".to_owned());
    }
    let alike = look_alike(name)?;
    plain(format!("contains {}, which Google keeps for itself", quoted(alike)))
}

/// The part of `name` that is `google`, or close to it in the way of `g00gle`, which the rules give
/// as their example.
fn look_alike(name: &str) -> Option<&str> {
    let plain: String = name
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' => 'l',
            '3' => 'e',
            c => c,
        })
        .collect();
    let at = plain.find("google")?;
    name.get(at..at + "google".len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_what_cloud_storage_accepts() {
        for good in ["abc", "acme-wandb", "acme_wandb", "0-0", "1234", "my-goog", &"a".repeat(63)] {
            assert_eq!(good.parse::<BucketName>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn each_rule_has_its_own_message() {
        for (bad, why, hint) in [
            ("", "has 0 characters; at least 3 are needed", "use 3 to 63"),
            ("ab", "has 2 characters; at least 3 are needed", "use 3 to 63"),
            (&"a".repeat(64), "has 64 characters; at most 63 are allowed", "use 3 to 63"),
            ("Acme", "has upper case letters", "use `acme`"),
            ("acme wandb", "contains ` `", "use 3 to 63"),
            ("acme/wandb", "contains `/`", "use 3 to 63"),
            ("bücher", "contains `ü`", "use 3 to 63"),
            ("gs://acme", "is a URL", "use the name alone: `acme`"),
            ("gs://acme/path", "is a URL", "use the name alone: `acme`"),
            ("https://storage.googleapis.com/acme", "is a URL", "use the name alone"),
            ("-acme", "does not begin and end with a letter or digit", "use 3 to 63"),
            ("acme_", "does not begin and end with a letter or digit", "use 3 to 63"),
            ("192.168.5.4", "is formatted as an IP address", "use 3 to 63"),
            (
                "wandb.acme.com",
                "has a dot, and such names need proof that the domain is yours",
                "use hyphens instead, such as `wandb-acme-com`",
            ),
            ("goog-acme", "begins with `goog`, which Google reserves", "use 3 to 63"),
            ("my-google", "contains `google`, which Google keeps for itself", "use 3 to 63"),
            ("my-g00gle", "contains `g00gle`, which Google keeps for itself", "use 3 to 63"),
            ("my-goog1e", "contains `goog1e`, which Google keeps for itself", "use 3 to 63"),
        ] {
            let error = bad.parse::<BucketName>().unwrap_err();
            assert_eq!(error.to_string(), format!("bucket name {} {why}", quoted(bad)));
            assert!(error.what_next().unwrap().starts_with(hint), "{bad}: {:?}", error.what_next());
        }
    }

    #[test]
    fn the_default_is_stable_and_differs_by_project_and_location() {
        let name = |project: &str, location: &str| {
            let deployment: DeploymentName = "wandb-acme-com".parse().unwrap();
            BucketName::default_for(&deployment, &project.parse().unwrap(), &location.parse().unwrap())
        };
        let first = name("acme-prod", "US");
        // Written out, because a changed default would lose sight of everybody's bucket.
        assert_eq!(first.as_str(), "wbstore-wandb-acme-com-dc3effdb");
        assert_eq!(first, name("acme-prod", "us"));
        assert_ne!(first, name("acme-test", "US"));
        assert_ne!(first, name("acme-prod", "EU"));
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<BucketName>();
        }

        #[test]
        fn the_default_is_always_valid(
            name in "[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?|wandb-(google|g00g1e)-com",
            project in "[a-z][a-z0-9-]{4,28}[a-z0-9]",
        ) {
            let (name, project) = (name.parse().unwrap(), project.parse().unwrap());
            let bucket = BucketName::default_for(&name, &project, &Location::us());
            prop_assert_eq!(bucket.as_str().parse::<BucketName>().unwrap(), bucket);
        }
    }
}
