//! Microsoft Azure: a storage account, its container and queue, and an Event Grid subscription.

pub(crate) mod account;
pub(crate) mod account_name;
pub(crate) mod arm;
pub(crate) mod container_name;
pub(crate) mod cors;
mod deployment;
pub(crate) mod event_subscription;
pub(crate) mod failure;
pub(crate) mod held;
pub(crate) mod iam;
pub(crate) mod inventory;
mod lifecycle;
pub(crate) mod location;
pub(crate) mod lock;
pub(crate) mod log;
pub(crate) mod mark;
pub(crate) mod message_ttl;
pub(crate) mod objects;
pub(crate) mod options;
pub(crate) mod queue_name;
pub(crate) mod resource_group;
pub(crate) mod resource_provider;
pub(crate) mod sas;
pub(crate) mod session;
mod spelling;
pub(crate) mod subscription_id;
pub(crate) mod verify;
