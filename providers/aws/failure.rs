//! The failure codes of AWS.

use std::fmt::Display;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::error::{Error, Kind};
use crate::explain::{Explanations, Row};
use crate::providers::s3_protocol::failure::{codes, failure_by, wrong_clock_by};
use crate::text::clean;

pub(crate) use crate::providers::s3_protocol::failure::{
    LOG_IN, code, header, is_unsupported, message, status,
};

/// How long two updates of one bucket may conflict in S3 (A19).
const CONFLICT_WITHIN: Duration = Duration::from_secs(300);

const NOT_ACCEPTED: &str = "AWS rejected these credentials; check AWS_PROFILE, AWS_ACCESS_KEY_ID and the \
                            secret; a region that is not enabled for the account rejects all credentials";

const GRANT: &str = "grant {permission} to these credentials (`wbstore policy aws --for operator` prints all \
                     required permissions)";

/// The codes of S3 ("Error responses"), SQS and STS ("Common errors").
pub(super) const AWS: Explanations = Explanations {
    cloud: "AWS",
    rows: &[
        Row::new(
            codes::EXPIRED,
            Kind::Credentials,
            "the credentials have expired; refresh them (for SSO: `aws sso login`) and run again",
        ),
        Row::new(codes::UNACCEPTED, Kind::Credentials, NOT_ACCEPTED),
        Row::new(
            codes::SKEWED,
            Kind::Credentials,
            "the clock of this machine is off by more than 15 minutes; set it and run again",
        ),
        Row::new(codes::THROTTLED, Kind::Throttled, ""),
        Row::new(codes::CONFLICTING, Kind::Conflict, "").within(CONFLICT_WITHIN),
        Row::new(
            codes::ELSEWHERE,
            Kind::Refused,
            "the bucket is in another region: add `--region {region}`, or choose another name with --bucket",
        ),
        Row::new(
            &["TooManyBuckets"],
            Kind::Refused,
            "the account has reached its bucket quota: delete a bucket, or request a higher quota with `aws \
             service-quotas request-service-quota-increase --service-code s3 --quota-code L-DC2B2D3D \
             --desired-value <number>`",
        ),
        Row::new(codes::TRANSIENT, Kind::Transient, ""),
        Row::new(
            codes::DENIED,
            Kind::Denied,
            "a service control policy of the organization denies {permission}; ask its administrator",
        )
        .saying("service control policy"),
        Row::new(
            codes::DENIED,
            Kind::Denied,
            "a policy denies {permission} explicitly; see the message for which one, and ask its owner",
        )
        .saying("explicit deny"),
        Row::new(codes::DENIED, Kind::Denied, GRANT),
        // The response to a HEAD has no body, and so no code.
        Row::new(&[""], Kind::Throttled, "").status(503),
        Row::new(&[""], Kind::Conflict, "").status(409),
        Row::new(
            &[""],
            Kind::Credentials,
            "expired credentials are the usual cause; refresh them and run again",
        )
        .status(400),
    ],
    credentials: NOT_ACCEPTED,
    grant: GRANT,
    endpoint: "AWS_ENDPOINT_URL",
};

/// Explains why `action` (an IAM action such as `s3:PutBucketCORS`) failed on `target`.
pub(crate) fn failure<E>(error: SdkError<E, HttpResponse>, action: &str, target: impl Display) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    failure_by(&AWS, error, action, target)
}

/// The explanation of an error that this machine's clock causes.
pub(crate) fn wrong_clock<E>(
    error: &SdkError<E, HttpResponse>,
    action: &str,
    target: impl Display,
) -> Option<Error> {
    wrong_clock_by(&AWS, error, action, target)
}

/// The arguments that an S3 error complains of, as name and value: S3 puts the cause of an
/// `InvalidArgument` there (A8), numbered (`ArgumentName1`) where there are several.
pub(crate) fn arguments<E>(error: &SdkError<E, HttpResponse>) -> Vec<(String, String)> {
    let body = error.raw_response().and_then(|response| response.body().bytes()).unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    let names = elements(&text, "<ArgumentName");
    names.into_iter().zip(elements(&text, "<ArgumentValue")).collect()
}

/// The texts of the elements whose tag starts with `tag`. The answer is small and flat.
fn elements(text: &str, tag: &str) -> Vec<String> {
    let rests = text.split(tag).skip(1);
    rests.filter_map(|rest| Some(clean(rest.split_once('>')?.1.split_once("</")?.0))).collect()
}

/// Explains why a write into a bucket failed. A bucket may be invisible to S3 for a moment after it was
/// created (A19), so a missing one passes.
pub(crate) fn missing_bucket<E>(error: SdkError<E, HttpResponse>, action: &str, target: impl Display) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if code(&error) == "NoSuchBucket" {
        return Error::new(
            Kind::NotYet,
            format!("{action} on {target}: the bucket is not visible to S3 yet"),
        );
    }
    failure(error, action, target)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::elements;
    use crate::outside;

    #[test]
    fn arguments_are_found_with_and_without_a_number() {
        let one = "<Error><ArgumentName>arn:q</ArgumentName><ArgumentValue>gone</ArgumentValue></Error>";
        assert_eq!(elements(one, "<ArgumentName"), ["arn:q"]);
        let two = "<ArgumentValue1>a</ArgumentValue1><ArgumentName2>n</ArgumentName2><ArgumentValue2>b</ArgumentValue2>";
        assert_eq!(elements(two, "<ArgumentValue"), ["a", "b"]);
        assert_eq!(elements("<ArgumentValue", "<ArgumentValue"), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn any_body_has_arguments_or_none(
            before in outside::text(), inside in outside::text(), after in outside::text(), number in 0_u8..3,
        ) {
            let text = format!("{before}<ArgumentName{number}>{inside}</ArgumentName{number}>{after}");
            for text in [text, before, inside] {
                for found in elements(&text, "<ArgumentName") {
                    prop_assert!(!found.contains(char::is_control) && !found.contains('`'), "{found:?}");
                }
            }
        }
    }
}
