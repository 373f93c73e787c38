//! Microsoft Azure: a storage account, its container and queue, and an Event Grid subscription.

pub mod account;
pub mod account_name;
pub mod arm;
pub mod container_name;
pub mod cors;
mod deployment;
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
pub(crate) mod options;
pub mod queue_name;
pub mod resource_group;
pub mod resource_provider;
pub mod sas;
pub mod session;
pub mod subscription_id;
pub mod verify;
