//! Names of Cloud Storage buckets.

use super::location::Location;
use super::project::ProjectId;
use crate::name::StorageName;
use crate::names::InUrl::Host;
use crate::names::Part::{Alike, Start, Within};
use crate::names::{Rule, checked_name, digits, look_alike};

checked_name! {
    /// The name of a bucket.
    ///
    /// The rules are those of the Cloud Storage documentation, "Bucket naming rules", and one of our
    /// own: no dots. A name with a dot is a domain's, and creating it requires proof of owning the domain
    /// ("Domain-named bucket verification").
    BucketName,
    what: "bucket name",
    form: "3 to 63 of a-z, 0-9, - and _, such as `acme-wandb`",
    letters: "a-z0-9_-",
    first: "a-z0-9",
    last: "a-z0-9",
    length: 3..=63,
    refused: &[
        (Within("."), "and Cloud Storage requires you to verify ownership of the domain", ""),
        (Start("goog"), "which Google reserves", ""),
        (Alike("google"), "which Google reserves", ""),
    ],
    urls: &[("gs", Host)],
    ..Rule::ANY
}

impl BucketName {
    /// The bucket where none is named: `wbstore-<deployment>-<8 hex digits>`, with the team after the deployment. The
    /// digits differ by project and location.
    pub(crate) fn default_for(storage: &StorageName, project: &ProjectId, location: &Location) -> Self {
        let digits = digits(&storage.parts(&[project.as_str(), location.as_str()]));
        let stem = storage.stem();
        // The server's address may contain what Google reserves; the digits keep the names distinct.
        match look_alike(&stem, "google") {
            Some(_) => Self { text: format!("wbstore-{digits}") },
            None => Self { text: format!("wbstore-{stem}-{digits}") },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::tests::storage;
    use crate::names::laws::{defaults_are_valid, obeys};

    #[test]
    fn a_bucket_name_is_what_cloud_storage_accepts() {
        obeys(
            &BucketName::RULE,
            &["abc", "acme-wandb", "acme_wandb", "0-0", "1234", "my-goog", &"a".repeat(63)],
            &[
                ("", "the bucket name is empty", "use 3 to 63"),
                ("ab", "has 2 characters; 3 to 63 are allowed", "use 3 to 63"),
                (&"a".repeat(64), "has 64 characters; 3 to 63 are allowed", "use 3 to 63"),
                ("Acme", "has uppercase letters", "use `acme`"),
                ("acme wandb", "contains ` ` at position 5", "use `acme-wandb`"),
                ("acme/wandb", "contains `/` at position 5", "use 3 to 63"),
                ("bücher", "contains `ü` at position 2", "use 3 to 63"),
                ("gs://acme", "the bucket name is a URL", "use `acme`"),
                ("gs://acme/path", "is a URL", "use `acme`"),
                ("https://storage.googleapis.com/acme", "is a URL", "use 3 to 63"),
                ("-acme", "begins with `-`", "use `acme`"),
                ("acme_", "ends with `_`", "use `acme`"),
                ("192.168.5.4", "is formatted as an IP address", "use "),
                ("wandb.acme.com", "contains `.`, and Cloud Storage requires", "use `wandb-acme-com`"),
                ("goog-acme", "begins with `goog`, which Google reserves", "use 3 to 63"),
                ("my-google", "contains `google`, which Google reserves", "use 3 to 63"),
                ("my-g00gle", "contains `g00gle`, which Google reserves", "use 3 to 63"),
                ("my-goog1e", "contains `goog1e`, which Google reserves", "use 3 to 63"),
            ],
        );
    }

    #[test]
    fn the_default_is_stable_and_differs_by_project_and_location() {
        let name = |project: &str, location: &str| {
            BucketName::default_for(
                &storage("wandb-acme-com", None),
                &project.parse().unwrap(),
                &location.parse().unwrap(),
            )
        };
        let first = name("acme-prod", "US");
        // Written out, because a changed default would no longer find existing buckets.
        assert_eq!(first.as_str(), "wbstore-wandb-acme-com-dc3effdb");
        assert_eq!(first, name("acme-prod", "us"));
        assert_ne!(first, name("acme-test", "US"));
        assert_ne!(first, name("acme-prod", "EU"));
        defaults_are_valid(|storage| {
            BucketName::default_for(storage, &"acme-prod".parse().unwrap(), &Location::us())
        });
    }
}
