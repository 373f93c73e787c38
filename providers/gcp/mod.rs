//! Google Cloud: a Cloud Storage bucket, a Pub/Sub topic and its subscription.

pub(crate) mod bucket;
pub(crate) mod bucket_name;
pub(crate) mod cors;
mod deployment;
pub(crate) mod failure;
pub(crate) mod grant;
pub(crate) mod iam;
pub(crate) mod iam_policy;
pub(crate) mod inventory;
pub(crate) mod kms_key;
pub(crate) mod location;
pub(crate) mod mark;
pub(crate) mod notification;
pub(crate) mod objects;
pub(crate) mod options;
pub(crate) mod project;
mod pubsub;
pub(crate) mod pubsub_name;
pub(crate) mod rest;
pub(crate) mod service_account;
pub(crate) mod session;
pub(crate) mod soft_delete;
pub(crate) mod subscription;
pub(crate) mod topic;
pub(crate) mod verify;
