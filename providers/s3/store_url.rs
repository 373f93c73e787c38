//! The address of a store: `https`, or `http` where that is allowed.

use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

use super::bucket_name::BucketName;
use crate::endpoint::is_loopback;
use crate::error::{Error, Result};
use crate::text::word;
use crate::value::text_value;

const FORM: &str = "use https://host[:port], such as https://minio.acme.com:9000";

/// Scheme, host and port, in the form in which they are printed: without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreUrl {
    text: String,
    url: Url,
}

text_value!(StoreUrl);

impl StoreUrl {
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port, also where it is the usual one of the scheme.
    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the host is an address, which no name of a bucket can precede.
    pub(crate) fn is_address(&self) -> bool {
        !matches!(self.url.host(), Some(Host::Domain(_)))
    }

    fn is_loopback(&self) -> bool {
        self.url.host().as_ref().is_some_and(is_loopback)
    }

    /// Refuses plain http to another machine, unless that `is_allowed`: the content of uploads can then be read on
    /// the way. The keys cannot, as requests are signed. Returns what a reviewer should know.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input), with what `option` gave the address.
    pub(crate) fn require_secure(&self, option: &str, is_allowed: bool) -> Result<Option<String>> {
        if self.is_https() || self.is_loopback() {
            return Ok(None);
        }
        if is_allowed {
            return Ok(Some(format!("{option} is plain http: files and their URLs can be read on the way")));
        }
        Err(Error::input(format!("{option} is plain http on another machine"))
            .hint("use https; for a trusted network, add `--allow-http`"))
    }

    /// Refuses a host that already begins with the name of the bucket.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input), with the address to use.
    pub(crate) fn require_without(&self, bucket: Option<&BucketName>) -> Result<()> {
        let start = bucket.map(|bucket| format!("{bucket}."));
        let Some(rest) = start.and_then(|start| self.host().strip_prefix(&start).map(str::to_owned)) else {
            return Ok(());
        };
        let whole = self.text.replacen(self.host(), &rest, 1);
        Err(Error::input(format!("the endpoint {self} begins with the name of the bucket"))
            .hint(format!("use `--endpoint {whole}`, and `--addressing virtual` if the store requires it")))
    }

    /// Why browsers elsewhere cannot reach the host, if so: its name or address is one of a network of its own.
    pub(crate) fn unreachable(&self) -> Option<&'static str> {
        let host = self.host().trim_start_matches('[').trim_end_matches(']');
        if self.is_loopback() {
            return Some("is an address of this machine");
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            let is_private = match address {
                IpAddr::V4(address) => address.is_private() || address.is_link_local(),
                IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
            };
            return is_private.then_some("is a private address");
        }
        if [".svc", ".cluster.local"].iter().any(|end| host.ends_with(end)) || host.contains(".svc.") {
            return Some("is a name inside a Kubernetes cluster");
        }
        if !host.contains('.') {
            return Some("is a name of one network");
        }
        [".local", ".internal", ".lan", ".home.arpa"]
            .iter()
            .any(|end| host.ends_with(end))
            .then_some("is a name of one network")
    }
}

impl FromStr for StoreUrl {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        // The address is not repeated: it may hold a password or a signature.
        let refuse = |why: &str, hint: &str| Err(Error::input(format!("the endpoint {why}")).hint(hint));
        let Ok(mut url) = input.trim().parse::<Url>() else { return refuse("is not a URL", FORM) };
        match url.scheme() {
            "http" | "https" => {}
            "s3" | "cw" => {
                return refuse(
                    "is the address of a bucket",
                    "use the https:// address of the store, and `--bucket`",
                );
            }
            _ => return refuse("is neither https nor http", FORM),
        }
        if url.host().is_none() {
            return refuse("has no host", FORM);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                "contains a user name or password",
                "remove them; keys are read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE",
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("has a query or fragment", FORM);
        }
        let path = url.path().trim_matches('/').to_owned();
        if !path.is_empty() {
            url.set_path("");
            let whole = url.as_str().trim_end_matches('/').to_owned();
            let bucket = word(&path).filter(|path| path.parse::<BucketName>().is_ok());
            return refuse(
                "has a path",
                &match bucket {
                    Some(bucket) => format!("use `--endpoint {whole} --bucket {bucket}`"),
                    None => format!("use `--endpoint {whole}`: the S3 API is at the root of a host"),
                },
            );
        }
        Ok(Self { text: url.as_str().trim_end_matches('/').to_owned(), url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> StoreUrl {
        text.parse().unwrap()
    }

    #[test]
    fn scheme_host_and_port_are_kept() {
        for (given, kept, port) in [
            ("https://MinIO.acme.com:9000/", "https://minio.acme.com:9000", 9000),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000", 9000),
            ("https://s3.acme.com:443", "https://s3.acme.com", 443),
            ("http://[::1]:1", "http://[::1]:1", 1),
        ] {
            assert_eq!((url(given).as_str(), url(given).port()), (kept, port));
        }
    }

    #[test]
    fn the_rest_is_rejected_and_never_repeated() {
        for bad in [
            "",
            "hunter2",
            "minio.acme.com:9000",
            "https://",
            "https://me:hunter2@minio.acme.com",
            "https://minio.acme.com/?X-Amz-Signature=hunter2",
            "https://minio.acme.com/#hunter2",
            "s3://key:hunter2@minio.acme.com/bucket",
            "ftp://hunter2",
        ] {
            let error = bad.parse::<StoreUrl>().unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
            assert!(error.what_next().is_some(), "{bad}: no hint");
        }
        let hint = |bad: &str| bad.parse::<StoreUrl>().unwrap_err().what_next().unwrap().to_owned();
        assert_eq!(
            hint("https://minio.acme.com/wandb"),
            "use `--endpoint https://minio.acme.com --bucket wandb`"
        );
        assert!(
            hint("https://minio.acme.com/minio/login").starts_with("use `--endpoint https://minio.acme.com`")
        );
    }

    #[test]
    fn http_to_another_machine_has_to_be_allowed() {
        assert_eq!(url("http://localhost:9000").require_secure("--endpoint", false).unwrap(), None);
        assert_eq!(url("https://minio.acme.com").require_secure("--endpoint", false).unwrap(), None);
        let plain = url("http://minio.acme.com");
        assert!(
            plain
                .require_secure("--endpoint", false)
                .unwrap_err()
                .what_next()
                .unwrap()
                .contains("--allow-http")
        );
        assert!(plain.require_secure("--endpoint", true).unwrap().is_some());
    }

    #[test]
    fn the_name_of_the_bucket_is_no_part_of_the_endpoint() {
        let bucket: BucketName = "acme-wandb".parse().unwrap();
        let error = url("https://acme-wandb.s3.acme.com:9000").require_without(Some(&bucket)).unwrap_err();
        assert!(error.what_next().unwrap().starts_with("use `--endpoint https://s3.acme.com:9000`"));
        assert!(url("https://s3.acme.com").require_without(Some(&bucket)).is_ok());
    }

    #[test]
    fn a_host_of_one_network_is_known() {
        for unreachable in [
            "http://minio:9000",
            "http://minio.wandb.svc:9000",
            "http://minio.wandb.svc.cluster.local",
            "http://10.0.0.7",
            "http://192.168.1.1:9000",
            "http://127.0.0.1:9000",
            "http://[fd00::1]",
        ] {
            assert!(url(unreachable).unreachable().is_some(), "{unreachable}");
        }
        for reachable in ["https://minio.acme.com", "https://203.0.113.7", "https://svc.acme.com"] {
            assert_eq!(url(reachable).unreachable(), None);
        }
    }
}
