//! What a bucket holds, page by page: every version, delete marker and unfinished upload.

mod document;

use aws_sdk_s3::config::{Config, retry::RetryConfig};
use aws_sdk_s3::operation::list_multipart_uploads::ListMultipartUploadsOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;

use self::document::Body;
use super::S3Store;
use crate::empty::{Cursor, Entry, Page, What};
use crate::error::{Error, Kind, Result};
use crate::providers::s3_protocol::failure::{code, status};
use crate::providers::s3_protocol::form;
use crate::text::clean;

impl S3Store {
    pub(crate) async fn versions(
        &self,
        prefix: &str,
        cursor: &Cursor,
        retries: RetryConfig,
    ) -> Result<Option<Page>> {
        let body = Body::default();
        let answer = self
            .s3
            .list_object_versions()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner.clone())
            // A key may hold characters that XML 1.0 cannot; the encoding keeps the page readable.
            .encoding_type(EncodingType::Url)
            .set_prefix(Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()))
            .set_key_marker(cursor.key.clone())
            .set_version_id_marker(cursor.token.clone())
            .customize()
            .interceptor(body.clone())
            .config_override(Config::builder().retry_config(retries))
            .send()
            .await;
        match answer {
            Ok(_) => body.page().map(Some).map_err(|error| {
                let call = format!("s3:ListBucketVersions on {}", self.name);
                Error::new(Kind::Transient, format!("{call}: the response cannot be read"))
                    .because(clean(&error.to_string()))
            }),
            Err(error) if code(&error) == "NoSuchBucket" => Ok(None),
            Err(error) => Err(self.failure(error, "s3:ListBucketVersions", &self.name)),
        }
    }

    /// The objects, on an endpoint that has no listing of versions.
    pub(crate) async fn current(
        &self,
        prefix: &str,
        cursor: &Cursor,
        retries: RetryConfig,
    ) -> Result<Option<Page>> {
        let ask = |encoding: Option<EncodingType>| {
            self.s3
                .list_objects_v2()
                .bucket(&self.name)
                .set_expected_bucket_owner(self.owner.clone())
                .set_encoding_type(encoding)
                .set_prefix(Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()))
                .set_continuation_token(cursor.token.clone())
                .set_start_after(cursor.key.clone().filter(|_| cursor.token.is_none()))
                .customize()
                .config_override(Config::builder().retry_config(retries.clone()))
                .send()
        };
        // Some stores (s3s-fs) report keys as encoded and leave them as they are. So it is requested only for a page that
        // cannot be read without, as one with characters that XML cannot hold.
        let answer = match ask(None).await {
            Err(error) if status(&error) == 200 => ask(Some(EncodingType::Url)).await,
            answer => answer,
        };
        match answer {
            Ok(answer) => Ok(Some(current(answer))),
            Err(error) if code(&error) == "NoSuchBucket" => Ok(None),
            Err(error) => Err(self.failure(error, "s3:ListBucket", &self.name)),
        }
    }

    pub(crate) async fn uploads(&self, cursor: &Cursor, retries: RetryConfig) -> Result<Option<Page>> {
        let answer = self
            .s3
            .list_multipart_uploads()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner.clone())
            .encoding_type(EncodingType::Url)
            .set_key_marker(cursor.key.clone())
            .set_upload_id_marker(cursor.token.clone())
            .customize()
            .config_override(Config::builder().retry_config(retries))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Some(uploads(answer))),
            Err(error) if code(&error) == "NoSuchBucket" => Ok(None),
            Err(error) => Err(self.failure(error, "s3:ListBucketMultipartUploads", &self.name)),
        }
    }
}

fn current(answer: ListObjectsV2Output) -> Page {
    let encoded = answer.encoding_type == Some(EncodingType::Url);
    let more = answer.is_truncated == Some(true);
    let objects = answer.contents.unwrap_or_default().into_iter();
    let entries: Vec<Entry> = objects
        .map(|object| Entry {
            key: decode(object.key.unwrap_or_default(), encoded),
            size: object.size.and_then(|size| size.try_into().ok()).unwrap_or_default(),
            ..Entry::default()
        })
        .collect();
    let last = entries.last().map(|entry| entry.key.clone());
    let token = answer.next_continuation_token.filter(|token| !token.is_empty());
    Page { entries, next: more.then_some(Cursor { key: last, token }) }
}

fn uploads(answer: ListMultipartUploadsOutput) -> Page {
    let encoded = answer.encoding_type == Some(EncodingType::Url);
    let more = answer.is_truncated == Some(true);
    let next = more.then(|| cursor(answer.next_key_marker, answer.next_upload_id_marker, encoded));
    let uploads = answer.uploads.unwrap_or_default().into_iter();
    let entries = uploads.map(|upload| Entry {
        key: decode(upload.key.unwrap_or_default(), encoded),
        id: upload.upload_id,
        what: What::Upload,
        ..Entry::default()
    });
    Page { entries: entries.collect(), next }
}

/// The place that the markers of an answer name: after a key, or at one of its versions or uploads.
fn cursor(key: Option<String>, token: Option<String>, encoded: bool) -> Cursor {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let key = filled(key).map(|key| decode(key, encoded));
    Cursor { token: filled(token).filter(|_| key.is_some()), key }
}

/// Undoes `encoding-type=url`, which is form encoding: a space is `+`, and a plus `%2B`
/// (botocore decodes it with `unquote_plus`).
fn decode(text: String, encoded: bool) -> String {
    if encoded && text.contains(['+', '%']) { form::decode(&text) } else { text }
}

#[cfg(test)]
mod tests;
