//! `BUCKET`: the published guide, and "Object store" in `docs/infra-connection-settings.md` of W&B's operator.

use std::fmt;

use super::go_value::go_bool;
use super::malformed::{Flaw, Grammar, Warning};
use super::url_parts::{UrlForm, UrlParts, encoded, unknown_parameter};
use crate::secret::Secret;

/// What stands for a secret that is not shown.
const MASK: &str = "***";

const FORM: UrlForm = UrlForm {
    schemes: &["s3", "gs", "az", "cw"],
    mistaken: &[
        ("gcs", "gs", None),
        ("azure", "az", None),
        ("minio", "s3", None),
        ("s3a", "s3", None),
        ("coreweave", "cw", None),
    ],
    parameters: &["tls", "region", "forcePathStyle"],
    example: "s3://acme-wandb",
};

/// The address of a bucket of an S3-compatible store with a pair of keys, to be written.
pub(crate) struct StoreAddress<'a> {
    pub coreweave: bool,
    pub id: &'a str,
    pub secret: &'a str,
    pub host: &'a str,
    pub port: u16,
    pub bucket: &'a str,
    pub region: &'a str,
    pub tls: bool,
    pub force_path_style: bool,
}

impl fmt::Display for StoreAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { coreweave, id, secret, host, port, bucket, region, tls, force_path_style } = self;
        // Three asterisks stand for a secret that is not shown.
        let secret = if *secret == MASK { MASK.to_owned() } else { encoded(secret) };
        let keys = format!("{}:{secret}", encoded(id));
        if *coreweave {
            return write!(f, "cw://{keys}@{host}/{bucket}?tls={tls}");
        }
        let region = encoded(region);
        write!(
            f,
            "s3://{keys}@{host}:{port}/{bucket}?region={region}&tls={tls}&forcePathStyle={force_path_style}"
        )
    }
}

/// The endpoint of a store that is not Amazon's default one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreEndpoint {
    pub host: String,
    pub port: Option<u16>,
}

/// A pair of keys, or an e-mail address and a key.
#[derive(Debug)]
pub(crate) struct StoreKeys {
    pub id: Option<String>,
    pub secret: Option<Secret>,
}

/// The bucket, or on Azure the container.
#[derive(Debug)]
pub(crate) struct BucketAddress {
    pub store: Store,
    /// On Azure the container.
    pub bucket: String,
    /// Without slashes around it.
    pub prefix: Option<String>,
    pub keys: Option<StoreKeys>,
    pub region: Option<String>,
    pub tls: Option<bool>,
    pub force_path_style: Option<bool>,
    /// The query as typed.
    pub query: Option<String>,
    masked: String,
    warnings: Vec<Warning>,
}

/// Where the bucket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    S3,
    S3Compatible(StoreEndpoint),
    CoreWeave(StoreEndpoint),
    Gcs,
    Azure { account: String },
}

impl Grammar for BucketAddress {
    fn read(text: &str) -> Result<Self, Flaw> {
        let url = UrlParts::split(text, &FORM)?;
        let (id, secret) = url.credentials();
        let keys = url.userinfo.map(|_| StoreKeys { id, secret });
        let mut warnings = vec![];
        let segments: Vec<&str> = url.path.trim_matches('/').splitn(2, '/').collect();
        let (first, rest) = (segments.first().copied().unwrap_or_default(), segments.get(1).copied());
        let whole_path = Some(url.path.trim_matches('/')).filter(|path| !path.is_empty());
        let form = |form: &str| format!("use `{form}`");
        let (store, bucket, prefix) = match url.scheme {
            "s3" if url.host.is_empty() && url.userinfo.is_none() && !first.is_empty() => {
                warnings.push(Warning::new(
                    "three slashes: a form of old versions of W&B",
                    "use two, `s3://BUCKET`",
                ));
                (Store::S3, first, rest)
            }
            "s3" if is_endpoint(&url) => {
                url.check_host(&FORM)?;
                (Store::S3Compatible(endpoint(&url)?), first, rest)
            }
            "s3" => (Store::S3, url.host, whole_path),
            "cw" => {
                url.check_host(&FORM)?;
                let endpoint = endpoint(&url)?;
                match url.host.split_once(".cwobject.com").or_else(|| url.host.split_once(".cwlota.com")) {
                    // W&B's pages show both forms; this is what clients of CoreWeave send.
                    Some((bucket, "")) => (Store::CoreWeave(endpoint), bucket, whole_path),
                    _ => (Store::CoreWeave(endpoint), first, rest),
                }
            }
            "gs" => (Store::Gcs, url.host, whole_path),
            _ => {
                if url.host.is_empty() || url.host.contains('.') {
                    return Err(Flaw::new(
                        url.host_at,
                        "not the name of a storage account",
                        form("az://ACCOUNT/CONTAINER"),
                    ));
                }
                (Store::Azure { account: url.host.to_owned() }, first, rest)
            }
        };
        if bucket.is_empty() {
            let (what, example) = match store {
                Store::Azure { .. } => ("container", "az://ACCOUNT/CONTAINER"),
                Store::S3Compatible(_) => {
                    ("bucket", "s3://KEY_ID:SECRET@HOST:PORT/BUCKET?region=REGION&tls=true")
                }
                Store::CoreWeave(_) => ("bucket", "cw://KEY_ID:SECRET@cwobject.com/BUCKET?tls=true"),
                Store::S3 => ("bucket", "s3://BUCKET"),
                Store::Gcs => ("bucket", "gs://BUCKET"),
            };
            return Err(Flaw::new(url.path_at, format!("the name of the {what} is missing"), form(example)));
        }
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if !bucket.bytes().all(letter) {
            return Err(Flaw::new(url.host_at, "not the name of a bucket or container", "check the name"));
        }
        if let (Some(port), Store::S3 | Store::Gcs | Store::Azure { .. }) = (url.port, &store) {
            return Err(Flaw::new(url.path_at - port.len() - 1, "a port", "remove it"));
        }
        let mut read = Self {
            store,
            bucket: bucket.to_owned(),
            prefix: prefix.filter(|prefix| !prefix.is_empty()).map(str::to_owned),
            keys,
            region: None,
            tls: None,
            force_path_style: None,
            query: url.query.map(str::to_owned),
            masked: url.masked(&FORM, false),
            warnings,
        };
        for parameter in url.parameters()? {
            let truth = || {
                let reason = format!("`{}` is no truth value", parameter.name);
                go_bool(&parameter.value)
                    .ok_or_else(|| Flaw::new(parameter.at, reason, "use `true` or `false`"))
            };
            match parameter.name {
                "region" => read.region = Some(parameter.value).filter(|region| !region.is_empty()),
                "tls" => read.tls = Some(truth()?),
                "forcePathStyle" => read.force_path_style = Some(truth()?),
                name => read.warnings.push(Warning::new(
                    format!("column {}: an unknown parameter, which W&B ignores", parameter.at - name.len()),
                    unknown_parameter(name, FORM.parameters),
                )),
            }
        }
        read.check_keys(&url)?;
        read.check_endpoint(&url)?;
        Ok(read)
    }

    fn masked(&self) -> String {
        self.masked.clone()
    }

    fn warnings(&self) -> Vec<Warning> {
        self.warnings.clone()
    }
}

impl BucketAddress {
    fn check_keys(&self, url: &UrlParts<'_>) -> Result<(), Flaw> {
        let Some(keys) = &self.keys else { return Ok(()) };
        let at = url.scheme.len() + 3;
        let (needs_id, form) = match self.store {
            Store::Azure { .. } => (false, "az://:KEY@ACCOUNT/CONTAINER"),
            Store::Gcs => (true, "gs://SERVICE_ACCOUNT_EMAIL:KEY@BUCKET"),
            Store::S3 | Store::S3Compatible(_) | Store::CoreWeave(_) => {
                (true, "s3://KEY_ID:SECRET@HOST/BUCKET")
            }
        };
        if keys.secret.is_none() || (needs_id && keys.id.is_none()) {
            return Err(Flaw::new(at, "only one half of the keys", format!("use the form `{form}`")));
        }
        Ok(())
    }

    fn check_endpoint(&mut self, url: &UrlParts<'_>) -> Result<(), Flaw> {
        match &self.store {
            Store::S3Compatible(endpoint) => {
                if self.region.is_none() {
                    let separator = if url.query.is_some() { '&' } else { '?' };
                    let end = url.text.len();
                    let region = region_in(&endpoint.host);
                    let flaw = Flaw::new(
                        end,
                        "`region` is missing, and the defaults of W&B's versions differ",
                        format!(
                            "add `{separator}region=REGION`; a store without regions accepts `us-east-1`"
                        ),
                    );
                    let repaired = format!("{}{separator}region={}", url.text, region.unwrap_or("us-east-1"));
                    return Err(flaw.repaired(repaired));
                }
                if self.tls.is_none() && endpoint.port == Some(443) {
                    self.warnings.push(Warning::new("port 443 without `tls`", "add `tls=true`"));
                }
            }
            Store::CoreWeave(_) => {
                if self.force_path_style == Some(true) {
                    let reason = "CoreWeave serves buckets by host name only";
                    self.warnings.push(Warning::new(reason, "remove `forcePathStyle=true`"));
                }
            }
            Store::S3 | Store::Gcs | Store::Azure { .. } => {}
        }
        Ok(())
    }
}

/// Whether the host is an endpoint rather than a bucket: `s3://host:port/bucket`, or keys and a path.
fn is_endpoint(url: &UrlParts<'_>) -> bool {
    let has_path = !url.path.trim_matches('/').is_empty();
    url.port.is_some() || (url.userinfo.is_some() && has_path) || is_of_amazon(url.host)
}

/// Whether a host is one of Amazon's endpoints: <https://docs.aws.amazon.com/general/latest/gr/s3.html>.
fn is_of_amazon(host: &str) -> bool {
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

fn endpoint(url: &UrlParts<'_>) -> Result<StoreEndpoint, Flaw> {
    let port = match url.port {
        Some(_) => Some(url.port_or(443)?),
        None => None,
    };
    Ok(StoreEndpoint { host: url.host.to_owned(), port })
}

/// The region in the name of one of Amazon's endpoints.
fn region_in(host: &str) -> Option<&str> {
    let rest = host.strip_prefix("s3.").or_else(|| host.strip_prefix("s3-"))?;
    rest.strip_suffix(".amazonaws.com").filter(|region| !region.contains('.'))
}
