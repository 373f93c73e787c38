//! Stores with the API of S3 that are not AWS: real ones, and the peculiarities of those that cannot be had here.

mod cloud;
pub mod key;
pub(crate) mod quirk;
mod radosgw;
mod rclone;
mod s3rver;
mod s3s_fs;
mod server;
mod store;

pub use cloud::AwsAsStore;
pub use hyper::Method;
pub use key::Key;
pub use quirk::Quirk;
pub use server::{StoreKind, StoreServer};
pub use store::Store;
