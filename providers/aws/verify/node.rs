//! The calls that the W&B server sends, with its own credentials.

use super::S3Site;
use crate::error::Result;
use crate::verify::{NodeCall, NodeSite, Signed};

impl S3Site<'_> {
    /// The same as `caller`, who uploads with a KMS key if it `has_key`.
    pub(in crate::providers::aws) fn of_node(self, caller: String, has_key: bool) -> Self {
        Self { caller, has_key, ..self }
    }
}

impl NodeSite for S3Site<'_> {
    async fn identity(&mut self) -> Result<String> {
        Ok(self.caller.clone())
    }

    async fn sign_read(&mut self, key: &str) -> Result<Signed> {
        self.bucket.sign_read(key).await
    }

    async fn head(&mut self, key: &str) -> Result<()> {
        self.bucket.head(key).await
    }

    async fn list(&mut self, prefix: &str) -> Result<Vec<String>> {
        self.bucket.list(prefix).await
    }

    async fn upload_in_parts(&mut self, key: &str, content: &str) -> Result<()> {
        self.bucket.upload_in_parts(key, vec![content.as_bytes().to_vec()]).await
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
