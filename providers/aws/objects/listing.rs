//! What a bucket holds, page by page: every version, delete marker and unfinished upload.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_multipart_uploads::ListMultipartUploadsOutput;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::EncodingType;

use crate::error::{Error, Kind, Result};
use crate::providers::aws::failure::{code, failure};
use crate::providers::aws::form;
use crate::providers::aws::session::Api;

/// One bucket and the client to reach it with; cheap to clone into a task.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The client of the bucket's region.
    pub s3: Client,
    /// The bucket's name.
    pub name: String,
    /// The account that must own it: S3 refuses every call once it belongs to another.
    pub owner: String,
}

impl Bucket {
    /// The bucket `name`, reached through `api`.
    pub fn new(api: &Api, name: &str) -> Self {
        Self { s3: api.s3.clone(), name: name.to_owned(), owner: api.owner() }
    }
}

/// What one line of a listing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The current version of an object: what a plain GET returns.
    Current,
    /// A version that a later one hides.
    Noncurrent,
    /// A marker that hides the versions below it.
    Marker,
}

/// One version or delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The key, decoded.
    pub key: String,
    /// Its version; `null` in a bucket that never had versions.
    pub id: Option<String>,
    /// What it is.
    pub what: What,
    /// Its size in bytes.
    pub size: u64,
}

/// Where the next page of a listing begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// After this key …
    pub key: Option<String>,
    /// … and, where one key's versions fill more than a page, after this version of it.
    pub version: Option<String>,
}

/// One page of versions and markers, in the order of their keys.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// At most 1000.
    pub versions: Vec<Version>,
    /// With a delimiter: the prefixes that stand for everything below them.
    pub prefixes: Vec<String>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// One upload that was begun and neither finished nor aborted. Its parts cost storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The key it would get, decoded.
    pub key: String,
    /// Its id.
    pub id: String,
}

impl Bucket {
    /// The page of versions at `cursor`, of the keys that begin with `prefix`; with `folded`, all that
    /// lies behind the next `/` counts as one prefix. `None` when the bucket does not exist.
    pub async fn versions(&self, prefix: &str, folded: bool, cursor: &Cursor) -> Result<Option<Page>> {
        let answer = self
            .s3
            .list_object_versions()
            .bucket(&self.name)
            .expected_bucket_owner(&self.owner)
            // A key may hold characters that XML 1.0 cannot; the encoding keeps the page readable.
            .encoding_type(EncodingType::Url)
            .set_prefix(Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()))
            .set_delimiter(folded.then(|| "/".to_owned()))
            .set_key_marker(cursor.key.clone())
            .set_version_id_marker(cursor.version.clone())
            .send()
            .await;
        match answer {
            Ok(answer) => page(answer, cursor, &self.name).map(Some),
            Err(error) if code(&error) == "NoSuchBucket" => Ok(None),
            Err(error) => Err(failure(error, "s3:ListBucketVersions", &self.name)),
        }
    }

    /// The page of unfinished uploads at `cursor`, and where the next begins. `None` when the bucket
    /// does not exist.
    pub async fn uploads(&self, cursor: &Cursor) -> Result<Option<(Vec<Upload>, Option<Cursor>)>> {
        let answer = self
            .s3
            .list_multipart_uploads()
            .bucket(&self.name)
            .expected_bucket_owner(&self.owner)
            .encoding_type(EncodingType::Url)
            .set_key_marker(cursor.key.clone())
            .set_upload_id_marker(cursor.version.clone())
            .send()
            .await;
        match answer {
            Ok(answer) => uploads(answer, cursor, &self.name).map(Some),
            Err(error) if code(&error) == "NoSuchBucket" => Ok(None),
            Err(error) => Err(failure(error, "s3:ListBucketMultipartUploads", &self.name)),
        }
    }
}

fn page(answer: ListObjectVersionsOutput, asked: &Cursor, bucket: &str) -> Result<Page> {
    let encoded = answer.encoding_type == Some(EncodingType::Url);
    let decode = |text: Option<String>| decode(text.unwrap_or_default(), encoded);
    let marker = answer.next_key_marker.map(|key| decode(Some(key)));
    let next = match answer.is_truncated {
        Some(true) => Some(follow(asked, marker, answer.next_version_id_marker, bucket)?),
        _ => None,
    };
    let mut versions: Vec<Version> = answer
        .versions
        .unwrap_or_default()
        .into_iter()
        .map(|version| Version {
            key: decode(version.key),
            id: version.version_id,
            what: if version.is_latest == Some(false) { What::Noncurrent } else { What::Current },
            size: version.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        })
        .collect();
    versions.extend(answer.delete_markers.unwrap_or_default().into_iter().map(|marker| Version {
        key: decode(marker.key),
        id: marker.version_id,
        what: What::Marker,
        size: 0,
    }));
    let prefixes = answer.common_prefixes.unwrap_or_default();
    Ok(Page { versions, prefixes: prefixes.into_iter().map(|prefix| decode(prefix.prefix)).collect(), next })
}

fn uploads(
    answer: ListMultipartUploadsOutput,
    asked: &Cursor,
    bucket: &str,
) -> Result<(Vec<Upload>, Option<Cursor>)> {
    let encoded = answer.encoding_type == Some(EncodingType::Url);
    let decode = |text: Option<String>| decode(text.unwrap_or_default(), encoded);
    let marker = answer.next_key_marker.map(|key| decode(Some(key)));
    let next = match answer.is_truncated {
        Some(true) => Some(follow(asked, marker, answer.next_upload_id_marker, bucket)?),
        _ => None,
    };
    let uploads = answer.uploads.unwrap_or_default();
    let uploads = uploads
        .into_iter()
        .map(|upload| Upload { key: decode(upload.key), id: upload.upload_id.unwrap_or_default() })
        .collect();
    Ok((uploads, next))
}

/// The cursor of the next page. A server that says "there is more" and points back at the page just
/// read, or nowhere, would have us read it for ever.
fn follow(asked: &Cursor, key: Option<String>, version: Option<String>, bucket: &str) -> Result<Cursor> {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let next = Cursor { key: filled(key), version: filled(version) };
    if next == *asked || next.key.is_none() {
        return Err(Error::new(
            Kind::Failed,
            format!("list {bucket}: the server offers another page and gives no new place to go on from"),
        )
        .hint("this is a fault of the endpoint; check AWS_ENDPOINT_URL"));
    }
    Ok(next)
}

/// Undoes `encoding-type=url`, which is form encoding: a space is `+`, and a plus `%2B`
/// (botocore decodes it with `unquote_plus`).
fn decode(text: String, encoded: bool) -> String {
    if encoded && text.contains(['+', '%']) { form::decode(&text) } else { text }
}

#[cfg(test)]
mod tests;
