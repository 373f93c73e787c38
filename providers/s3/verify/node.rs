//! The calls that the W&B server sends.

use super::StoreDoor;
use crate::error::Result;
use crate::providers::s3::failure::{code, failure};
use crate::providers::s3_protocol::LEAST_PART;
use crate::verify::{NodeCall, NodeSite, Signed};

impl NodeSite for StoreDoor<'_> {
    const PARTS: &'static str = "two parts";

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
        self.bucket.upload_in_parts(key, vec![vec![b'.'; LEAST_PART], content.as_bytes().to_vec()]).await
    }

    async fn delete_object(&mut self, key: &str) -> Result<()> {
        let call = self.bucket.s3.delete_object().bucket(&self.bucket.name).key(key);
        match call.send().await {
            Err(error) if code(&error) != "NoSuchKey" => {
                Err(failure(error, "s3:DeleteObject", format!("{}/{key}", self.bucket.name)))
            }
            _ => Ok(()),
        }
    }

    fn lacking(&self, call: NodeCall) -> String {
        let permission = match call {
            NodeCall::PresignedPut | NodeCall::Multipart => "s3:PutObject",
            NodeCall::PresignedGet | NodeCall::Head => "s3:GetObject",
            NodeCall::Delete => "s3:DeleteObject",
            NodeCall::List | NodeCall::Receive => "s3:ListBucket",
        };
        format!("grant {permission} to the key: `wbstore policy s3 --for node` has all that the server needs")
    }
}
