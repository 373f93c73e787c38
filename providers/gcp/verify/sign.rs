//! The permission of an upload: a signed URL as the W&B server has it, or a token where the credentials
//! cannot sign.

use std::time::Duration;

use google_cloud_auth::signer::Signer;
use google_cloud_storage::builder::storage::SignedUrlBuilder;
use google_cloud_storage::http::Method;

use crate::error::Result;
use crate::providers::gcp::failure::root_cause;
use crate::providers::gcp::rest::headers;
use crate::providers::gcp::session::Api;
use crate::text::clean;
use crate::verify::Signed;

/// How long a signed URL is valid.
const SIGNED_FOR: Duration = Duration::from_secs(600);

/// Permits the upload of `key` to `bucket`, which is at `address` without a signature.
///
/// # Errors
/// When no token can be had.
pub(super) async fn upload(
    api: &Api,
    signer: Option<&Signer>,
    bucket: &str,
    key: &str,
    address: String,
) -> Result<Signed> {
    let why = match signer {
        None => "these credentials belong to no service account".to_owned(),
        Some(signer) => {
            let signed = SignedUrlBuilder::for_object(api.bucket_name(bucket), key)
                .with_method(Method::PUT)
                .with_expiration(SIGNED_FOR)
                .with_header("content-type", "text/plain")
                .with_endpoint(api.storage_endpoint())
                .sign_with(signer)
                .await;
            match signed {
                Ok(url) => return Ok(Signed { url, headers: vec![], unsigned: None }),
                Err(error) => clean(&root_cause(&error)),
            }
        }
    };
    let headers = headers(&api.credentials()?).await?;
    Ok(Signed { url: address, headers, unsigned: Some(why) })
}
