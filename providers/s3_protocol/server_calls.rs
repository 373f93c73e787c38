//! The calls that the W&B server sends, and what it permits browsers to send.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use super::objects::S3Store;
use super::presigned;
use crate::error::Result;
use crate::text::xml_element;
use crate::verify::Signed;

/// How long a presigned URL is valid.
const SIGNED_FOR: Duration = Duration::from_secs(600);

/// The least that a part has which is not the last one, in bytes (S3 user guide, "Multipart upload limits").
pub(crate) const LEAST_PART: usize = 5 << 20;

impl S3Store {
    /// Permits an upload.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(crate) async fn sign_upload(&self, key: &str) -> Result<Signed> {
        let call = self.s3.put_object().bucket(&self.name).key(key);
        presigned::url(call.presigned(signed_for()?).await).map(permitted)
    }

    /// Permits a read.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(crate) async fn sign_read(&self, key: &str) -> Result<Signed> {
        let call = self.s3.get_object().bucket(&self.name).key(key);
        presigned::url(call.presigned(signed_for()?).await).map(permitted)
    }

    /// Permits a HEAD.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(crate) async fn sign_head(&self, key: &str) -> Result<Signed> {
        let call = self.s3.head_object().bucket(&self.name).key(key);
        presigned::url(call.presigned(signed_for()?).await).map(permitted)
    }

    /// The address of an object, without a signature.
    ///
    /// # Errors
    /// As [`S3Store::sign_read`].
    pub(crate) async fn address(&self, key: &str) -> Result<String> {
        let signed = self.sign_read(key).await?.url;
        Ok(signed.split('?').next().unwrap_or_default().to_owned())
    }

    /// Reads the metadata of an object.
    ///
    /// # Errors
    /// Those of the call.
    pub(crate) async fn head(&self, key: &str) -> Result<()> {
        let answer = self.s3.head_object().bucket(&self.name).key(key).send().await;
        answer.map(drop).map_err(|error| self.failure(error, "s3:GetObject", self.object(key)))
    }

    /// The keys that begin with `prefix`, of the first page.
    ///
    /// # Errors
    /// Those of the call.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let answer = self.s3.list_objects_v2().bucket(&self.name).prefix(prefix).send().await;
        let answer = answer.map_err(|error| self.failure(error, "s3:ListBucket", &self.name))?;
        Ok(answer.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect())
    }

    /// Uploads an object in these `parts`; what fails half-way is aborted.
    ///
    /// # Errors
    /// Those of the calls.
    pub(crate) async fn upload_in_parts(&self, key: &str, parts: Vec<Vec<u8>>) -> Result<()> {
        let call = self.s3.create_multipart_upload().bucket(&self.name).key(key);
        let id = match call.send().await {
            Ok(begun) => begun.upload_id.unwrap_or_default(),
            // rclone names the root of its answer otherwise, which only strict clients mind.
            Err(error) => match begun(&error) {
                Some(id) => id,
                None => return Err(self.failure(error, "s3:PutObject", self.object(key))),
            },
        };
        let sent = self.send_parts(key, &id, parts).await;
        if sent.is_err() {
            let call = self.s3.abort_multipart_upload().bucket(&self.name).key(key).upload_id(id);
            let aborted = call.send().await;
            aborted.map_err(|error| self.failure(error, "s3:AbortMultipartUpload", self.object(key)))?;
        }
        sent
    }

    async fn send_parts(&self, key: &str, id: &str, parts: Vec<Vec<u8>>) -> Result<()> {
        let mut completed = CompletedMultipartUpload::builder();
        for (number, body) in (1..).zip(parts) {
            let call = self.s3.upload_part().bucket(&self.name).key(key).upload_id(id).part_number(number);
            let part = call.body(body.into()).send().await;
            let part = part.map_err(|error| self.failure(error, "s3:PutObject", self.object(key)))?;
            let part = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).build();
            completed = completed.parts(part);
        }
        let call = self.s3.complete_multipart_upload().bucket(&self.name).key(key).upload_id(id);
        let completed = call.multipart_upload(completed.build()).send().await;
        completed.map(drop).map_err(|error| self.failure(error, "s3:PutObject", self.object(key)))
    }

    fn object(&self, key: &str) -> String {
        format!("{}/{key}", self.name)
    }
}

fn signed_for() -> Result<PresigningConfig> {
    presigned::valid_for(SIGNED_FOR)
}

fn permitted(url: String) -> Signed {
    Signed { url, headers: vec![], unsigned: None }
}

/// The id of the upload that was begun by an answer that the SDK does not accept.
fn begun<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let answer = error.raw_response().filter(|answer| answer.status().is_success())?;
    xml_element(std::str::from_utf8(answer.body().bytes()?).ok()?, "UploadId")
}
