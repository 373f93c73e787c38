//! wbstore provisions, proves and removes the storage of a self-hosted Weights & Biases server.

pub mod console;
pub mod error;
pub mod event;
pub mod output;
pub mod plan;
pub mod provider;
pub mod resource;
pub mod view;
