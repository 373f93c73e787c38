//! Names of buckets of S3-compatible stores.

use super::store_url::StoreUrl;
use crate::name::StorageName;
use crate::names::InUrl::Host;
use crate::names::{Rule, checked_name, digits};

checked_name! {
    /// The name of a bucket: the rules of the S3 user guide, "General purpose bucket naming rules", which stores follow,
    /// without the words that Amazon reserves.
    BucketName,
    what: "bucket name",
    form: "3 to 63 of a-z, 0-9, - and ., such as `acme-wandb`",
    letters: "a-z0-9.-",
    first: "a-z0-9",
    last: "a-z0-9",
    length: 3..=63,
    single: Some('.'),
    urls: &[("s3", Host)],
    ..Rule::ANY
}

impl BucketName {
    /// The bucket where none is named: `wbstore-<deployment>-<8 hex digits>`, with the team after the deployment. The
    /// digits differ by endpoint and region, because buckets of several stores may share their names.
    pub(crate) fn default_for(storage: &StorageName, endpoint: &StoreUrl, region: &str) -> Self {
        let digits = digits(&storage.parts(&[endpoint.as_str(), region]));
        Self { text: format!("wbstore-{}-{digits}", storage.stem()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::tests::storage;
    use crate::names::laws::{defaults_are_valid, obeys};

    #[test]
    fn a_bucket_name_is_what_stores_accept() {
        obeys(
            &BucketName::RULE,
            &["abc", "acme-wandb", "wandb.acme.com", "0-0", &"a".repeat(63)],
            &[
                ("", "the bucket name is empty", "use 3 to 63"),
                ("ab", "has 2 characters; 3 to 63 are allowed", "use 3 to 63"),
                ("ACME_WANDB", "has uppercase letters", "use `acme-wandb`"),
                ("acme/wandb", "contains `/` at position 5", "use 3 to 63"),
                ("acme..wandb", "", "use "),
                ("s3://AKIA:secret@example.com/acme", "the bucket name is a URL", "use 3 to 63"),
                ("s3://acme/path", "the bucket name is a URL", "use `acme`"),
            ],
        );
    }

    #[test]
    fn the_default_is_stable_and_differs_by_endpoint_and_region() {
        let name = |endpoint: &str, region| {
            BucketName::default_for(&storage("wandb-acme-com", None), &endpoint.parse().unwrap(), region)
                .to_string()
        };
        let first = name("https://minio.acme.com:9000", "us-east-1");
        assert_eq!(first, name("https://MINIO.acme.com:9000/", "us-east-1"));
        assert_ne!(first, name("https://minio.acme.com", "us-east-1"));
        assert_ne!(first, name("https://minio.acme.com:9000", "auto"));
        let endpoint = "https://minio.acme.com".parse().unwrap();
        defaults_are_valid(|storage| BucketName::default_for(storage, &endpoint, "us-east-1"));
    }
}
