//! Whether the bucket is closed to the public: by S3's own evaluation of its policy, and its four access blocks.

use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::error::{Kind, Result};
use crate::providers::aws::failure::{code, failure, is_unsupported};
use crate::providers::aws::session::Api;
use crate::verify::{Verdict, failed, inconclusive, passed};

/// What came of asking for one setting.
enum Asked<T> {
    Told(T),
    /// The endpoint does not support the call, or the call is denied; the text has the reason.
    Untold(String),
}

/// Checks that no policy makes `bucket` public and that all four public access blocks are on.
///
/// # Errors
/// Those of the bucket as a whole: missing, in another region, of another account.
pub(super) async fn check(api: &Api, bucket: &str) -> Result<Verdict> {
    let (policy, blocks) = tokio::join!(policy_is_public(api, bucket), open_blocks(api, bucket));
    Ok(match (policy?, blocks?) {
        (Asked::Told(true), _) => failed(
            "the bucket policy makes it public",
            format!("`aws s3api get-bucket-policy --bucket {bucket}` shows the statement to remove"),
        ),
        (_, Asked::Told(open)) if !open.is_empty() => failed(
            format!("public access is not blocked: {} off", open.join(", ")),
            "`wbstore provision aws` enables all four blocks",
        ),
        (_, Asked::Untold(why)) => inconclusive(why),
        // The blocks alone prevent public access, whatever the policy.
        (Asked::Untold(_), _) => passed("all four access blocks are on"),
        (Asked::Told(_), _) => passed("no policy makes it public, and all four access blocks are on"),
    })
}

async fn policy_is_public(api: &Api, bucket: &str) -> Result<Asked<bool>> {
    let answer =
        api.s3.get_bucket_policy_status().bucket(bucket).expected_bucket_owner(api.owner()).send().await;
    match answer {
        Ok(answer) => {
            Ok(Asked::Told(answer.policy_status.and_then(|status| status.is_public).unwrap_or_default()))
        }
        Err(error) if code(&error) == "NoSuchBucketPolicy" => Ok(Asked::Told(false)),
        Err(error) => untold(error, "s3:GetBucketPolicyStatus", bucket),
    }
}

/// The names of the blocks that are off.
async fn open_blocks(api: &Api, bucket: &str) -> Result<Asked<Vec<&'static str>>> {
    let answer =
        api.s3.get_public_access_block().bucket(bucket).expected_bucket_owner(api.owner()).send().await;
    let blocks = match answer {
        Ok(answer) => answer.public_access_block_configuration,
        Err(error) if code(&error) == "NoSuchPublicAccessBlockConfiguration" => None,
        Err(error) => return untold(error, "s3:GetBucketPublicAccessBlock", bucket),
    };
    Ok(Asked::Told(off(&blocks.unwrap_or_else(|| PublicAccessBlockConfiguration::builder().build()))))
}

fn off(blocks: &PublicAccessBlockConfiguration) -> Vec<&'static str> {
    [
        (blocks.block_public_acls, "BlockPublicAcls"),
        (blocks.ignore_public_acls, "IgnorePublicAcls"),
        (blocks.block_public_policy, "BlockPublicPolicy"),
        (blocks.restrict_public_buckets, "RestrictPublicBuckets"),
    ]
    .into_iter()
    .filter(|(on, _)| *on != Some(true))
    .map(|(_, name)| name)
    .collect()
}

/// A denied or unsupported call makes the check inconclusive. Any other error concerns the bucket as a whole.
fn untold<T, E>(error: SdkError<E, HttpResponse>, action: &str, bucket: &str) -> Result<Asked<T>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let lacking = is_unsupported(&error);
    let error = failure(error, action, bucket);
    if lacking || error.kind() == Kind::Denied { Ok(Asked::Untold(error.chain())) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_is_not_mentioned_is_off() {
        let blocks =
            PublicAccessBlockConfiguration::builder().block_public_acls(true).ignore_public_acls(false);
        assert_eq!(off(&blocks.build()), ["IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]);
    }
}
