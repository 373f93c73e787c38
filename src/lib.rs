//! wbstore provisions, proves and removes the storage of a self-hosted Weights & Biases server.

pub mod engine;
pub mod error;
pub mod event;
pub mod lease;
pub mod name;
pub mod origin;
pub mod plan;
pub mod provider;
#[path = "../providers/mod.rs"]
pub mod providers;
pub mod resource;
pub mod text;
pub mod value;
