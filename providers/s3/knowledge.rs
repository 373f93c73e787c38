//! Whether a store knows a sub-resource of buckets, by its own answer.
//!
//! Stores ignore query parameters that they do not know: `rclone serve s3` answers `GET /bucket?cors` with a listing of the
//! bucket, deletes the bucket on `DELETE /bucket?cors`, and creates one on `PUT /bucket?publicAccessBlock`. The SDK reads such a
//! listing as a document without rules. So the root element of the raw answer decides, and nothing is written or deleted
//! before a GET of the same sub-resource was answered with its own root, or its own code for "not set".

use std::fmt::Display;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::failure::{code, failure, status};
use crate::error::{Error, Kind, Result};
use crate::providers::s3_protocol::failure::is_declined;
use crate::providers::s3_protocol::root::Root;
use crate::text::clean;

/// A document of a bucket, behind a query parameter of its URL.
#[derive(Debug)]
pub(crate) struct SubResource {
    /// The parameter, such as `cors`.
    pub name: &'static str,
    /// The root element of its document; `{` for a JSON document.
    pub root: &'static str,
    /// The codes for a bucket that has none.
    pub unset: &'static [&'static str],
    /// The permission to read it.
    pub action: &'static str,
}

pub(crate) const CORS: SubResource = SubResource {
    name: "cors",
    root: "CORSConfiguration",
    unset: &["NoSuchCORSConfiguration"],
    action: "s3:GetBucketCORS",
};

pub(crate) const TAGGING: SubResource = SubResource {
    name: "tagging",
    root: "Tagging",
    unset: &["NoSuchTagSet", "NoSuchTagSetError"],
    action: "s3:GetBucketTagging",
};

pub(crate) const POLICY: SubResource =
    SubResource { name: "policy", root: "{", unset: &["NoSuchBucketPolicy"], action: "s3:GetBucketPolicy" };

pub(crate) const PUBLIC_ACCESS_BLOCK: SubResource = SubResource {
    name: "publicAccessBlock",
    root: "PublicAccessBlockConfiguration",
    unset: &["NoSuchPublicAccessBlockConfiguration"],
    action: "s3:GetBucketPublicAccessBlock",
};

pub(crate) const ENCRYPTION: SubResource = SubResource {
    name: "encryption",
    root: "ServerSideEncryptionConfiguration",
    unset: &["ServerSideEncryptionConfigurationNotFoundError"],
    action: "s3:GetEncryptionConfiguration",
};

pub(crate) const VERSIONING: SubResource = SubResource {
    name: "versioning",
    root: "VersioningConfiguration",
    unset: &[],
    action: "s3:GetBucketVersioning",
};

pub(crate) const OBJECT_LOCK: SubResource = SubResource {
    name: "object-lock",
    root: "ObjectLockConfiguration",
    unset: &[
        "ObjectLockConfigurationNotFoundError",
        "ObjectLockConfigurationNotFound",
        "NoSuchObjectLockConfiguration",
    ],
    action: "s3:GetBucketObjectLockConfiguration",
};

pub(crate) const VERSIONS: SubResource =
    SubResource { name: "versions", root: "ListVersionsResult", unset: &[], action: "s3:ListBucketVersions" };

pub(crate) const UPLOADS: SubResource = SubResource {
    name: "uploads",
    root: "ListMultipartUploadsResult",
    unset: &[],
    action: "s3:ListBucketMultipartUploads",
};

/// What a store answered about a sub-resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known<T> {
    Set(T),
    Unset,
    NoBucket,
    /// The store does not have it: it answered something else, in words.
    Unknown(String),
}

impl<T> Known<T> {
    pub(crate) fn map<U>(self, form: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Set(value) => Known::Set(form(value)),
            Self::Unset => Known::Unset,
            Self::NoBucket => Known::NoBucket,
            Self::Unknown(why) => Known::Unknown(why),
        }
    }
}

/// Reads the sub-resource `of` the bucket `target` with `call`, which must use the interceptor.
///
/// # Errors
/// Those of the call; denied is an error, and so is an answer that is neither the store's nor readable.
pub(crate) async fn ask<T, E, F>(
    of: &SubResource,
    target: impl Display,
    call: impl FnOnce(Root) -> F,
) -> Result<Known<T>>
where
    F: Future<Output = std::result::Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let root = Root::default();
    let answer = call(root.clone()).await;
    let root = root.name();
    let other = |root: &str| format!("GET ?{} returned {}", of.name, described(root));
    let error = match answer {
        Ok(value) if root.as_deref() == Some(of.root) => return Ok(Known::Set(value)),
        Ok(_) => return Ok(Known::Unknown(other(root.as_deref().unwrap_or_default()))),
        Err(error) => error,
    };
    match code(&error) {
        "NoSuchBucket" => return Ok(Known::NoBucket),
        code if of.unset.contains(&code) => return Ok(Known::Unset),
        _ => {}
    }
    // A document of something else, which the SDK did not accept. A web page is an error: the endpoint is no store.
    if (200..300).contains(&status(&error))
        && let Some(root) = root.filter(|root| root != of.root && !root.eq_ignore_ascii_case("html"))
    {
        return Ok(Known::Unknown(other(&root)));
    }
    let is_missing = status(&error) == 404;
    if is_declined(&error) || is_missing {
        let code = Some(code(&error)).filter(|code| !code.is_empty()).map(clean);
        let said = code.unwrap_or_else(|| format!("HTTP status {}", status(&error)));
        return Ok(Known::Unknown(format!("GET ?{} returned {said}", of.name)));
    }
    Err(failure(error, of.action, target))
}

fn described(root: &str) -> String {
    match root {
        "" => "no document".to_owned(),
        "ListBucketResult" => "a listing of the bucket".to_owned(),
        root => format!("a document of another kind, {}", clean(root)),
    }
}

/// The error for an answer in 200 that is no document of the S3 API: a web console, a proxy, another service.
pub(crate) fn no_store(action: &str, target: impl Display, root: Option<&str>) -> Error {
    let what = match root {
        Some(root) if root.eq_ignore_ascii_case("html") => "a web page".to_owned(),
        root => described(root.unwrap_or_default()),
    };
    Error::new(Kind::Failed, format!("{action} on {target}: the endpoint returned {what}")).hint(
        "--endpoint is not the address of the S3 API: a web console often has a port or a host of its own next to it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_another_kind_is_named_and_one_that_is_none_too() {
        assert_eq!(described("ListBucketResult"), "a listing of the bucket");
        assert_eq!(described("Tagging"), "a document of another kind, Tagging");
        assert_eq!(described(""), "no document");
        let error = no_store("s3:ListBucket", "b", Some("html"));
        assert_eq!(error.to_string(), "s3:ListBucket on b: the endpoint returned a web page");
        assert!(error.what_next().unwrap().contains("--endpoint"));
    }
}
