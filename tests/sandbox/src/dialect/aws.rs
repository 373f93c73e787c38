//! AWS: S3, SQS and STS, each with a protocol of its own.

mod errors;
mod s3;

use hyper::header::{AUTHORIZATION, HeaderMap};

use super::{Head, Meaning, Service, decoded};

pub(super) use errors::{spell, too_skewed, write};

/// What only requests to AWS have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Details {
    pub bucket: Option<String>,
    pub key: Option<String>,
    pub queue: Option<String>,
    pub access_key: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
}

pub(super) fn understand(head: &Head<'_>) -> Meaning {
    let scope = Scope::of(head.headers, head);
    let target = head.header("x-amz-target").unwrap_or_default();
    let form: Vec<(String, String)> = match target {
        "" => form_urlencoded::parse(head.body).into_owned().collect(),
        _ => vec![],
    };
    let action = form.iter().find(|(name, _)| name == "Action").map(|(_, value)| value.clone());
    let service = match (&scope, target.split_once('.')) {
        (Some(scope), _) => named(&scope.service),
        (None, Some((service, _))) => named(service),
        (None, None) => Service::S3,
    };
    let (bucket, key) = match service {
        Service::S3 => bucket_and_key(head),
        _ => (None, None),
    };
    let name = match service {
        Service::S3 => s3::operation(head.method, bucket.is_some(), key.is_some(), head.query),
        _ => target
            .rsplit('.')
            .next()
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .or(action)
            .unwrap_or_else(|| head.method.to_string()),
    };
    let queue = (service == Service::Sqs).then(|| queue_name(head.body, &form)).flatten();
    let (access_key, region) = scope.map(|scope| (scope.access_key, scope.region)).unzip();
    let resource = match (&bucket, &key, &queue) {
        (Some(bucket), Some(key), _) => format!("{bucket}/{key}"),
        (Some(name), None, _) | (None, _, Some(name)) => name.clone(),
        _ => String::new(),
    };
    let aws = Details {
        bucket,
        key,
        queue,
        account: access_key.clone().filter(|key| is_account(key)),
        access_key,
        region,
    };
    let operation = format!("{}:{name}", prefix(service));
    Meaning { service, operation, resource, mutating: mutates(service, &name), aws }
}

/// From the service name in a credential scope or an `X-Amz-Target`.
fn named(name: &str) -> Service {
    match name.to_ascii_lowercase().as_str() {
        "s3" => Service::S3,
        "sqs" | "amazonsqs" => Service::Sqs,
        "sts" => Service::Sts,
        "iam" => Service::Iam,
        _ => Service::Other,
    }
}

/// The prefix of its operations' names.
fn prefix(service: Service) -> &'static str {
    match service {
        Service::S3 => "s3",
        Service::Sqs => "sqs",
        Service::Sts => "sts",
        Service::Iam => "iam",
        _ => "other",
    }
}

/// Whether the named operation changes anything in the cloud.
///
/// Receiving counts: it takes messages away from other consumers for a while.
fn mutates(service: Service, name: &str) -> bool {
    let reads: &[&str] = match service {
        Service::S3 => &["Get", "Head", "List", "Preflight", "Select"],
        Service::Sqs => &["Get", "List"],
        Service::Sts => return false,
        Service::Iam => &["Get", "List", "Simulate"],
        _ => &["Get", "List", "Describe"],
    };
    !reads.iter().any(|verb| name.starts_with(verb))
}

/// What a signature says about its maker.
struct Scope {
    access_key: String,
    region: String,
    service: String,
}

impl Scope {
    fn of(headers: &HeaderMap, head: &Head<'_>) -> Option<Self> {
        let signed = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once("Credential="))
            .and_then(|(_, rest)| rest.split(',').next());
        // A presigned URL carries the same text in its query.
        if let Some(credential) = signed.or_else(|| head.parameter("X-Amz-Credential")) {
            return Self::parse(credential);
        }
        // The scheme before it, which boto3 still uses to presign for an endpoint it does not know.
        head.parameter("AWSAccessKeyId").map(|key| Self {
            access_key: key.to_owned(),
            region: "us-east-1".to_owned(),
            service: "s3".to_owned(),
        })
    }

    /// `<access key>/<date>/<region>/<service>/aws4_request`
    fn parse(credential: &str) -> Option<Self> {
        let mut parts = credential.split('/').map(str::to_owned);
        let access_key = parts.next()?;
        let region = parts.nth(1)?;
        Some(Self { access_key, region, service: parts.next()? })
    }
}

/// Whether a header carries a checksum of the body.
pub fn is_checksum(header: &str) -> bool {
    header == "content-md5" || header.starts_with("x-amz-checksum-")
}

fn is_account(key: &str) -> bool {
    key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_digit())
}

/// The domain of the stores that know virtual-hosted requests, which is reached through a proxy.
pub const VIRTUAL_DOMAIN: &str = "s3.wbstore.test";

/// The domain of CoreWeave, whose stand-in is reached through a proxy too.
pub const COREWEAVE: &str = "cwobject.com";

fn bucket_and_key(head: &Head<'_>) -> (Option<String>, Option<String>) {
    let host = head.header("host").unwrap_or_default().split(':').next().unwrap_or_default();
    let of = |domain: &str| host.strip_suffix(domain).and_then(|bucket| bucket.strip_suffix('.'));
    match of(VIRTUAL_DOMAIN).or_else(|| of(COREWEAVE)) {
        Some(bucket) => {
            let key = decoded(head.uri.path().trim_start_matches('/'));
            (Some(bucket.to_owned()), Some(key).filter(|key| !key.is_empty()))
        }
        None => path_style(head.uri.path()),
    }
}

fn path_style(path: &str) -> (Option<String>, Option<String>) {
    let path = path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let given = |text: &str| (!text.is_empty()).then(|| decoded(text));
    (given(bucket), given(key))
}

fn queue_name(body: &[u8], form: &[(String, String)]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let field = |name: &str| {
        json.get(name)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
            .or_else(|| form.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone()))
    };
    field("QueueName").or_else(|| field("QueueUrl")?.rsplit('/').next().map(str::to_owned))
}
