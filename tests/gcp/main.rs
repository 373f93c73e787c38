//! The front door: the built `wbstore` against doubles of Google Cloud, looked at with plain requests
//! around them, and by Google's own clients.
//!
//! `cargo test --test gcp` is enough; `cargo sandbox test` runs it against Google's own Pub/Sub emulator
//! too, where that is installed.

mod clients;
mod interrupt;
mod list_and_expiry;
mod outputs;
mod policy;
mod support;
mod teardown;
mod verify;
