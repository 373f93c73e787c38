//! Google Cloud: a Cloud Storage bucket, a Pub/Sub topic and its subscription.

pub mod bucket;
pub mod bucket_name;
pub mod cors;
mod deployment;
pub mod failure;
pub mod grant;
pub mod iam;
pub mod iam_policy;
pub mod inventory;
pub mod kms_key;
pub mod location;
pub mod mark;
pub mod notification;
pub(crate) mod objects;
pub(crate) mod options;
pub mod project;
mod pubsub;
pub mod pubsub_name;
pub mod rest;
pub mod service_account;
pub mod session;
pub mod soft_delete;
pub mod subscription;
pub mod topic;
pub mod verify;
