//! Regions of S3-compatible stores: a part of every signature, and otherwise the store's own matter.

use super::store_url::StoreUrl;
use crate::names::{Rule, checked_name};

checked_name! {
    /// A region as a store calls it: `us-east-1`, `auto`, `garage`, `US-EAST-04A`.
    StoreRegion,
    what: "region",
    form: "the word that the store documents, such as `us-east-1` or `auto`",
    letters: "a-zA-Z0-9_-",
    first: "a-zA-Z0-9",
    last: "a-zA-Z0-9",
    length: 1..=63,
    ..Rule::ANY
}

impl StoreRegion {
    /// The region that most stores without regions accept.
    pub(crate) fn usual() -> Self {
        Self { text: "us-east-1".to_owned() }
    }

    /// The region that the host of `endpoint` names, as of Backblaze (`s3.us-west-004.backblazeb2.com`) and Wasabi;
    /// Cloudflare R2 has the one region `auto` (its documentation, "S3 API compatibility").
    pub(crate) fn of(endpoint: &StoreUrl) -> Option<Self> {
        let host = endpoint.host();
        if host.ends_with(".r2.cloudflarestorage.com") {
            return Some(Self { text: "auto".to_owned() });
        }
        let (region, domain) = host.strip_prefix("s3.").or(host.strip_prefix("s3-"))?.split_once('.')?;
        let is_region = domain.contains('.')
            && region.contains('-')
            && region.bytes().any(|letter| letter.is_ascii_digit());
        region.parse().ok().filter(|_| is_region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_names_a_region_where_it_looks_like_one() {
        let of = |url: &str| StoreRegion::of(&url.parse().unwrap()).map(|region| region.to_string());
        assert_eq!(of("https://abc.r2.cloudflarestorage.com").as_deref(), Some("auto"));
        assert_eq!(of("https://s3.us-west-004.backblazeb2.com").as_deref(), Some("us-west-004"));
        assert_eq!(of("https://s3.eu-central-1.wasabisys.com").as_deref(), Some("eu-central-1"));
        for none in [
            "https://minio.acme.com",
            "https://s3.acme.com",
            "https://s3.my-store.com",
            "http://127.0.0.1:9000",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
