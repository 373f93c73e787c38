//! The failure codes of S3-compatible stores.

use std::fmt::Display;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::error::{Error, Kind};
use crate::explain::{Explanations, Row};
use crate::providers::s3_protocol::failure::{codes, failure_by};

pub(crate) use crate::providers::s3_protocol::failure::{code, status};

const NOT_ACCEPTED: &str = "the store rejected these credentials; check AWS_PROFILE, AWS_ACCESS_KEY_ID and the secret, and that they are a key \
     of this store";

const GRANT: &str = "grant {permission} to these credentials (`wbstore policy s3 --for operator` prints all required \
                     permissions)";

/// What Alibaba Cloud OSS and Tencent COS answer to a path with the bucket in it.
pub(crate) const VIRTUAL_ONLY: &[&str] = &["SecondLevelDomainForbidden", "PathStyleDomainForbidden"];

const TOO_LARGE: &str = "a proxy before the store limits the size of bodies: raise its limit (nginx: `client_max_body_size 0`, also as the \
     annotation `nginx.ingress.kubernetes.io/proxy-body-size`)";

/// The codes that stores have in common with Amazon S3, and those of the best-known stores.
pub(crate) const STORE: Explanations = Explanations {
    cloud: "the store",
    rows: &[
        Row::new(
            codes::EXPIRED,
            Kind::Credentials,
            "the credentials have expired; refresh them and run again",
        ),
        Row::new(codes::UNACCEPTED, Kind::Credentials, NOT_ACCEPTED),
        Row::new(
            codes::SKEWED,
            Kind::Credentials,
            "the clock of this machine or of the store is off by more than 15 minutes; set it and run again",
        ),
        Row::new(codes::THROTTLED, Kind::Throttled, ""),
        Row::new(codes::CONFLICTING, Kind::Conflict, ""),
        Row::new(&["PermanentRedirect"], Kind::Refused, "check `--endpoint`, or add `--region {region}`"),
        Row::new(
            &[
                "AuthorizationHeaderMalformed",
                "AuthorizationQueryParametersError",
                "IllegalLocationConstraintException",
                "InvalidLocationConstraint",
                "InvalidRegion",
                "InvalidRegionName",
            ],
            Kind::Refused,
            "the store has another region: add `--region {region}`",
        ),
        Row::new(VIRTUAL_ONLY, Kind::Refused, "add `--addressing virtual`"),
        Row::new(
            &["TooManyBuckets", "QuotaExceeded"],
            Kind::Refused,
            "delete a bucket, or request a higher quota",
        ),
        Row::new(codes::TRANSIENT, Kind::Transient, ""),
        Row::new(codes::DENIED, Kind::Denied, GRANT),
        Row::new(
            &[""],
            Kind::Failed,
            "this may be plain http to an https port, or another service than the S3 API; check {endpoint}",
        )
        .status(400),
    ],
    credentials: NOT_ACCEPTED,
    grant: GRANT,
    endpoint: "--endpoint",
};

/// Explains why `action` (an IAM action such as `s3:PutBucketCORS`, which most stores have too) failed on `target`.
pub(crate) fn failure<E>(error: SdkError<E, HttpResponse>, action: &str, target: impl Display) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = status(&error);
    explained(status, failure_by(&STORE, error, action, target))
}

/// `failed`, an answer with this HTTP status or none, with what its text shows of the cause.
pub(crate) fn explained(status: u16, failed: Error) -> Error {
    // What rustls makes of the answer of a plain server.
    if failed.chain().contains("InvalidContentType") {
        return failed.hint(
            "the port speaks plain http: use http:// in --endpoint, with `--allow-http` on another machine",
        );
    }
    let ended = ["onnection reset", "connection closed", "invalid HTTP version"];
    if ended.iter().any(|words| failed.chain().contains(words)) {
        return failed.hint(
            "check the network, any proxy, and --endpoint: a port that expects TLS ends plain http like this, so use https:// there",
        );
    }
    // Cloudflare's R2 lists the regions that it accepts, and names none.
    if failed.chain().contains("InvalidRegionName") && failed.chain().contains(" auto") {
        return failed.hint("the store has another region: add `--region auto`");
    }
    if status == 413 { failed.hint(TOO_LARGE) } else { failed }
}
