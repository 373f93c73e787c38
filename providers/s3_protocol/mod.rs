//! The S3 protocol, as far as Amazon S3 and the stores that are compatible with it have it in common.

pub(crate) mod ambient;
pub(crate) mod config;
mod connector;
pub(crate) mod cors;
pub(crate) mod failure;
pub(crate) mod form;
pub(crate) mod log;
pub(crate) mod objects;
pub(crate) mod policy_document;
pub(crate) mod presigned;
pub(crate) mod retries;
pub(crate) mod root;
mod server_calls;
pub(crate) mod source;
pub(crate) mod tag_rule;
pub(crate) mod tags;
pub(crate) mod unmarked;

pub(crate) use server_calls::LEAST_PART;
