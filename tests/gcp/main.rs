//! The front door: the built `wbstore` against doubles of Google Cloud, looked at with plain requests
//! around them, and by Google's own clients.
//!
//! `cargo test --test gcp` is enough; `cargo sandbox test --all` runs it against Google's own Pub/Sub emulator
//! too, where that is installed.

mod bad_input_cloud;
mod clients;
mod denied;
mod doctor;
mod drift;
mod explained;
mod foreign_entries;
mod interrupt;
mod large;
mod list_and_expiry;
mod marks;
mod node;
mod notifications;
mod ownership;
mod plan_formats;
mod policy;
mod provision;
mod renewal;
mod second_look;
mod shared_account;
mod support;
mod surprises;
mod team;
mod teardown;
mod verify;
mod waiting;
