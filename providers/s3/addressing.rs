//! Where the name of the bucket is in the URLs of objects.

use clap::ValueEnum;

use super::bucket_name::BucketName;
use super::store_url::StoreUrl;
use crate::error::{Error, Result};

/// The hosts of CoreWeave, which serves buckets by host name only.
pub(crate) const COREWEAVE: [&str; 3] = ["cwobject.com", "cwlota.com", "coreweave.com"];

/// How URLs name the bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Addressing {
    /// The one that the store accepts
    #[default]
    Auto,
    /// In the path: https://host/bucket/key
    Path,
    /// In the host name: https://bucket.host/key
    Virtual,
}

/// Whether the store at `endpoint` is CoreWeave's.
pub(crate) fn is_coreweave(endpoint: &StoreUrl) -> bool {
    let host = endpoint.host();
    COREWEAVE
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

impl Addressing {
    /// The one to try first: by path, which nearly every store accepts and which requires neither a wildcard name nor
    /// a wildcard certificate.
    pub(crate) fn first(self, endpoint: &StoreUrl) -> Self {
        match self {
            Self::Auto if is_coreweave(endpoint) => Self::Virtual,
            Self::Auto => Self::Path,
            chosen => chosen,
        }
    }

    pub(crate) fn is_path(self) -> bool {
        self != Self::Virtual
    }

    /// Refuses what no URL can be made of.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input).
    pub(crate) fn check(self, endpoint: &StoreUrl, bucket: Option<&BucketName>) -> Result<()> {
        if self != Self::Virtual {
            return Ok(());
        }
        if endpoint.is_address() {
            return Err(Error::input(
                "--addressing virtual requires a host name in the endpoint, not an address",
            )
            .hint("use `--addressing path`, or the name of the host"));
        }
        if let Some(bucket) = bucket.filter(|bucket| endpoint.is_https() && bucket.as_str().contains('.')) {
            return Err(Error::input(format!(
                "--addressing virtual cannot serve `{bucket}` over https: a wildcard certificate does not cover a name \
                 with a dot"
            ))
            .hint("use `--addressing path`, or a bucket without a dot in its name"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coreweave_is_addressed_by_host_and_the_rest_by_path() {
        let first = |url: &str| Addressing::Auto.first(&url.parse().unwrap());
        assert_eq!(first("https://cwobject.com"), Addressing::Virtual);
        assert_eq!(first("http://cwlota.com"), Addressing::Virtual);
        assert_eq!(first("https://notcwobject.com"), Addressing::Path);
        assert_eq!(first("https://minio.acme.com"), Addressing::Path);
    }

    #[test]
    fn a_bucket_in_the_host_name_has_to_fit_there() {
        let check = |url: &str, bucket: &str| {
            Addressing::Virtual.check(&url.parse().unwrap(), Some(&bucket.parse().unwrap()))
        };
        assert!(check("https://minio.acme.com", "acme").is_ok());
        assert!(check("http://minio.acme.com", "acme.wandb").is_ok());
        assert!(check("https://minio.acme.com", "acme.wandb").is_err());
        assert!(check("http://127.0.0.1:9000", "acme").is_err());
    }
}
