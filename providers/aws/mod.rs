//! Amazon Web Services: an S3 bucket and its SQS queue.

pub(crate) mod account;
pub(crate) mod bucket;
pub(crate) mod bucket_name;
pub(crate) mod cors;
mod deployment;
pub(crate) mod encryption;
pub(crate) mod failure;
mod form;
pub(crate) mod iam;
pub(crate) mod inventory;
pub(crate) mod kms_key;
pub(crate) mod log;
pub(crate) mod mark;
pub(crate) mod notification;
pub(crate) mod objects;
pub(crate) mod options;
pub(crate) mod policy_document;
pub(crate) mod public_access_block;
pub(crate) mod queue;
pub(crate) mod queue_name;
pub(crate) mod region;
pub(crate) mod retries;
pub(crate) mod session;
pub(crate) mod tls_policy;
pub(crate) mod verify;
