//! wbstore provisions, verifies and tears down the storage of a self-hosted Weights & Biases server.
//!
//! The nouns, in the order in which they meet:
//!
//! - A **deployment** is one server's storage, known by its [name](name::DeploymentName). Its mark is
//!   on everything wbstore creates.
//! - A **resource** is one cloud object, or one entry of wbstore inside a shared document. The struct
//!   *is* the desired state; reading it returns the same struct as observed. See
//!   [`Resource`](resource::Resource).
//! - A **stack** is all that a provider supplies for one deployment: [`Stack`](resource::Stack).
//! - A **plan** is the pure difference between desired and observed state, as **steps** with edges:
//!   [`plan()`](plan::plan). A dry run is a plan that nobody applies.
//! - The **engine** observes, decides [again](plan::again) right before each step, applies, and reports
//!   **events**; it never prints. Views turn plans
//!   and events into text, bars or JSON.
//! - **Outputs** are the server configuration: `BUCKET`, `BUCKET_QUEUE`, `AWS_REGION`.
//!
//! There is no state file. The cloud is the state, and the mark shows what belongs to wbstore:
//!
//! ```text
//! argv → options → provider.stack() → observe → plan (pure) → show → confirm → decide again at each step
//! → apply → outputs
//! ```

pub mod action;
pub mod address;
mod change;
pub mod cli;
pub mod commands;
pub mod console;
mod delivery;
pub(crate) mod empty;
pub mod endpoint;
pub mod engine;
pub mod error;
pub mod event;
pub mod expiry;
mod explain;
pub mod http;
pub mod interrupt;
pub mod inventory;
pub mod lease;
mod listed;
pub mod mark;
pub mod mutations;
pub mod name;
mod names;
mod option;
pub mod origin;
pub mod output;
pub mod plan;
pub mod policy;
pub mod provider;
#[path = "../providers/mod.rs"]
pub mod providers;
mod queue_choice;
pub mod resource;
pub mod retry;
pub mod secret;
pub mod span;
pub mod text;
pub mod value;
pub mod verify;
pub mod view;
