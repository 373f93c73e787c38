//! Amazon Web Services: an S3 bucket and its SQS queue.

pub mod account;
pub mod bucket_name;
pub mod iam;
pub mod kms_key;
pub mod policy_document;
pub mod queue_name;
pub mod region;
