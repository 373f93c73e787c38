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
//! - **Settings** are the server's other variables, read from a file or the environment:
//!   [`ServerSettings`](settings::ServerSettings).
//!
//! There is no state file. The cloud is the state, and the mark shows what belongs to wbstore:
//!
//! ```text
//! argv → options → provider.stack() → observe → plan (pure) → show → confirm → decide again at each step
//! → apply → outputs
//! ```

#![warn(unreachable_pub)]
// What only one cloud or only `check` uses has no caller in a build without it.
#![cfg_attr(
    not(all(feature = "aws", feature = "azure", feature = "check", feature = "gcp")),
    allow(dead_code, unused_imports)
)]
// The page is for those who work on the program, and names its parts.
#![allow(rustdoc::private_intra_doc_links)]

mod ablation;
mod action;
mod address;
mod ambient;
mod change;
#[cfg(feature = "check")]
mod check;
pub mod cli;
pub mod commands;
pub mod console;
mod cors;
mod deadline;
mod delivery;
mod doctor;
mod empty;
mod endpoint;
mod engine;
pub mod error;
mod event;
mod expiry;
mod explain;
mod http;
pub mod interrupt;
mod inventory;
mod lease;
mod lifecycle;
mod listed;
mod mark;
mod mutations;
mod name;
mod names;
mod option;
mod origin;
mod origins;
mod output;
#[cfg(test)]
mod outside;
mod pages;
mod plan;
mod pods;
mod policy;
mod provider;
#[path = "../providers/mod.rs"]
mod providers;
mod queue_choice;
mod reader;
mod resource;
mod retry;
mod secret;
mod settings;
mod span;
mod tag;
mod text;
pub mod timings;
mod value;
mod verify;
mod versioning;
pub mod view;
