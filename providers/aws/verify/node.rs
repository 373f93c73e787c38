//! The calls that the W&B server sends, with its own credentials.

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::{S3Site, signed_for, unsigned};
use crate::error::Result;
use crate::providers::aws::failure::failure;
use crate::verify::{NodeCall, NodeSite, Signed};

impl S3Site<'_> {
    /// The same as `caller`, who uploads with a KMS key if it `has_key`.
    pub(in crate::providers::aws) fn of_node(self, caller: String, has_key: bool) -> Self {
        Self { caller, has_key, ..self }
    }

    fn object(&self, key: &str) -> String {
        format!("{}/{key}", self.bucket.name)
    }

    async fn send_parts(&self, key: &str, id: &str, content: &str) -> Result<()> {
        let (s3, bucket) = (&self.bucket.s3, &self.bucket.name);
        let part = s3.upload_part().bucket(bucket).key(key).upload_id(id).part_number(1);
        let part = part.body(content.as_bytes().to_vec().into()).send().await;
        let part = part.map_err(|error| failure(error, "s3:PutObject", self.object(key)))?;
        let part = CompletedPart::builder().part_number(1).set_e_tag(part.e_tag).build();
        let parts = CompletedMultipartUpload::builder().parts(part).build();
        let call = s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
        let completed = call.multipart_upload(parts).send().await;
        completed.map(drop).map_err(|error| failure(error, "s3:PutObject", self.object(key)))
    }
}

impl NodeSite for S3Site<'_> {
    async fn identity(&mut self) -> Result<String> {
        Ok(self.caller.clone())
    }

    async fn sign_read(&mut self, key: &str) -> Result<Signed> {
        let signed = self.bucket.s3.get_object().bucket(&self.bucket.name).key(key);
        let signed = signed.presigned(signed_for()?).await.map_err(unsigned)?;
        Ok(Signed { url: signed.uri().to_owned(), headers: vec![], unsigned: None })
    }

    async fn head(&mut self, key: &str) -> Result<()> {
        let answer = self.bucket.s3.head_object().bucket(&self.bucket.name).key(key).send().await;
        answer.map(drop).map_err(|error| failure(error, "s3:GetObject", self.object(key)))
    }

    async fn list(&mut self, prefix: &str) -> Result<Vec<String>> {
        let answer = self.bucket.s3.list_objects_v2().bucket(&self.bucket.name).prefix(prefix).send().await;
        let answer = answer.map_err(|error| failure(error, "s3:ListBucket", &self.bucket.name))?;
        Ok(answer.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect())
    }

    async fn upload_in_parts(&mut self, key: &str, content: &str) -> Result<()> {
        let call = self.bucket.s3.create_multipart_upload().bucket(&self.bucket.name).key(key);
        let begun = call.send().await.map_err(|error| failure(error, "s3:PutObject", self.object(key)))?;
        let id = begun.upload_id.unwrap_or_default();
        let sent = self.send_parts(key, &id, content).await;
        if sent.is_err() {
            let call = self.bucket.s3.abort_multipart_upload().bucket(&self.bucket.name).key(key);
            call.upload_id(id)
                .send()
                .await
                .map_err(|error| failure(error, "s3:AbortMultipartUpload", self.object(key)))?;
        }
        sent
    }

    async fn delete_object(&mut self, key: &str) -> Result<()> {
        self.delete_version(key, None).await
    }

    fn lacking(&self, call: NodeCall) -> String {
        let (permissions, statement) = match call {
            NodeCall::PresignedPut | NodeCall::Multipart => ("s3:PutObject", "ReadAndWriteObjects"),
            NodeCall::PresignedGet | NodeCall::Head => ("s3:GetObject", "ReadAndWriteObjects"),
            NodeCall::Delete => ("s3:DeleteObject", "ReadAndWriteObjects"),
            NodeCall::List => ("s3:ListBucket", "ListBucket"),
            NodeCall::Receive => (
                "sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility and sqs:GetQueueAttributes",
                "ConsumeObjectEvents",
            ),
        };
        let key = if self.has_key && !matches!(call, NodeCall::List | NodeCall::Receive | NodeCall::Delete) {
            "; for the KMS key, `UseKeyThroughS3`, and the key's own policy must allow the role too"
        } else {
            ""
        };
        format!(
            "grant {permissions} to the server: the statement `{statement}` of `wbstore policy aws --for node` has \
             it{key}"
        )
    }
}
