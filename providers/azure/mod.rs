//! Microsoft Azure: a storage account, its container and queue, and an Event Grid subscription.

pub mod account;
pub mod account_name;
pub mod arm;
pub mod container_name;
pub mod cors;
pub mod deployment;
pub mod event_subscription;
pub mod failure;
pub mod held;
pub mod iam;
pub mod inventory;
pub mod location;
pub mod lock;
pub mod log;
pub mod mark;
pub mod message_ttl;
pub(crate) mod objects;
pub mod provider;
pub mod queue_name;
pub mod request;
pub mod resource_group;
pub mod sas;
pub mod session;
pub mod subscription_id;
pub mod verify;

pub use deployment::Azure;
pub use request::{Endpoints, Request};
