//! Any store that is compatible with Amazon S3: a bucket, and what that store knows besides.

pub(crate) mod addressing;
pub(crate) mod bucket;
pub(crate) mod bucket_name;
pub(crate) mod coreweave;
pub(crate) mod cors;
mod deployment;
mod doctor;
pub(crate) mod failure;
mod inventory;
pub(crate) mod knowledge;
pub(crate) mod mark;
pub(crate) mod objects;
pub(crate) mod options;
mod policy;
pub(crate) mod server_key;
pub(crate) mod session;
mod setting;
pub(crate) mod store_region;
pub(crate) mod store_url;
mod verify;
