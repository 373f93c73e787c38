//! The Cloud KMS key that encrypts a bucket.

use std::str::FromStr;

use super::location::Location;
use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

/// The name of a key, `projects/<p>/locations/<l>/keyRings/<r>/cryptoKeys/<k>` (Cloud KMS
/// documentation, "Getting a Cloud KMS resource ID").
///
/// A version is refused: Cloud Storage encrypts with the key's primary version of the day.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KmsKeyName {
    text: String,
    location: String,
}

text_value!(KmsKeyName);

impl KmsKeyName {
    /// `name` as a bucket shows it, in the spelling of an option: without a version, and with the location in lower
    /// case.
    pub(crate) fn spelled(name: &str) -> String {
        let key = name.split_once("/cryptoKeyVersions/").map_or(name, |(key, _)| key);
        key.parse::<Self>().map_or_else(|_| name.to_owned(), |key| key.text)
    }

    /// Checks that a bucket in `location` can use the key, which has to be in the same place (Cloud
    /// Storage documentation, "Customer-managed encryption keys").
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when it cannot.
    pub(crate) fn require_location(&self, location: &Location) -> Result<()> {
        if location.takes_key_in(&self.location) {
            return Ok(());
        }
        Err(Error::input(format!("the KMS key is in {}, but the bucket is in {location}", self.location))
            .hint("use a key in the bucket's location, or create the bucket in the key's location"))
    }
}

impl FromStr for KmsKeyName {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        const FORM: &str = "use the key's full name, such as \
                            `projects/acme-prod/locations/us/keyRings/wandb/cryptoKeys/bucket`";
        let refuse =
            |why: &str, hint: &str| Err(Error::input(format!("KMS key {} {why}", quoted(input))).hint(hint));
        let parts: Vec<_> = input.split('/').collect();
        let [
            "projects",
            project,
            "locations",
            location,
            "keyRings",
            ring,
            "cryptoKeys",
            key,
            ref version @ ..,
        ] = parts[..]
        else {
            return refuse("is not the name of a key", FORM);
        };
        match version {
            [] => {}
            ["cryptoKeyVersions", _] => {
                let key = parts[..8].join("/");
                return refuse("is a version of a key", &format!("use the key: {}", quoted(&key)));
            }
            _ => return refuse("is not the name of a key", FORM),
        }
        let word = |text: &str| {
            (1..=63).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        let project = project.split(':').all(|part| part.split('.').all(word));
        if !project || ![location, ring, key].into_iter().all(word) {
            return refuse("is not the name of a key", FORM);
        }
        if location == "global" {
            return refuse(
                "is in `global`, and Cloud Storage accepts only keys of the bucket's own location",
                "use a key in the bucket's location",
            );
        }
        let lower = location.to_ascii_lowercase();
        let text = input.replacen(&format!("/locations/{location}/"), &format!("/locations/{lower}/"), 1);
        Ok(Self { text, location: lower })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "projects/acme-prod/locations/us/keyRings/wandb/cryptoKeys/bucket";

    #[test]
    fn takes_the_name_of_a_key() {
        let key: KmsKeyName = KEY.parse().unwrap();
        assert_eq!(key.as_str(), KEY);
        assert!(key.require_location(&Location::us()).is_ok());
        assert_eq!(KEY.replace("/us/", "/US/").parse::<KmsKeyName>().unwrap(), key);
        assert_eq!(KmsKeyName::spelled(&format!("{}/cryptoKeyVersions/3", KEY.replace("/us/", "/US/"))), KEY);
        assert_eq!(KmsKeyName::spelled("not/a/key"), "not/a/key");
        let error = key.require_location(&"us-east1".parse().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "the KMS key is in us, but the bucket is in US-EAST1");
        assert!(
            KEY.replace("/us/", "/europe/")
                .parse::<KmsKeyName>()
                .unwrap()
                .require_location(&"EU".parse().unwrap())
                .is_ok()
        );
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        let version = format!("{KEY}/cryptoKeyVersions/1");
        let global = KEY.replace("/us/", "/global/");
        for (bad, why) in [
            ("", "is not the name of a key"),
            ("bucket", "is not the name of a key"),
            ("projects/p/locations/us/keyRings/r", "is not the name of a key"),
            ("projects/p/locations/us/keyRings/r/cryptoKeys/", "is not the name of a key"),
            ("projects/p/locations/us/keyRings/r/cryptoKeys/a b", "is not the name of a key"),
            (&format!("{KEY}/more"), "is not the name of a key"),
            ("arn:aws:kms:us-east-1:123456789012:key/x", "is not the name of a key"),
            (&version, "is a version of a key"),
            (&global, "is in `global`, and Cloud Storage accepts only keys of the bucket's own location"),
        ] {
            let error = bad.parse::<KmsKeyName>().unwrap_err();
            assert_eq!(error.to_string(), format!("KMS key {} {why}", quoted(bad)));
            assert!(error.what_next().is_some(), "{bad}: no hint");
        }
        let hint = version.parse::<KmsKeyName>().unwrap_err();
        assert_eq!(hint.what_next(), Some(format!("use the key: `{KEY}`").as_str()));
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>(), field in "[a-z0-9:/-]{0,40}") {
            let _ = input.parse::<KmsKeyName>();
            let _ = format!("projects/{field}").parse::<KmsKeyName>();
        }
    }
}
