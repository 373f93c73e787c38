//! Amazon Web Services: an S3 bucket and its SQS queue.

pub mod account;
pub mod bucket;
pub mod bucket_name;
pub mod cors;
mod deployment;
pub mod encryption;
pub mod failure;
mod form;
pub mod iam;
pub mod inventory;
pub mod kms_key;
pub mod log;
pub mod mark;
pub mod notification;
pub(crate) mod objects;
pub(crate) mod options;
pub mod policy_document;
pub mod public_access_block;
pub mod queue;
pub mod queue_name;
pub mod region;
pub mod retries;
pub mod session;
pub mod tls_policy;
pub mod verify;
