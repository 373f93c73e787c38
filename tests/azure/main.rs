//! The front door: the built `wbstore` against Azurite behind a double of Azure's control plane.
//!
//! `cargo sandbox test -- --test azure` runs it; a plain `cargo test` ignores every test.

mod answers;
mod bad_input_cloud;
mod cors;
mod doctor;
mod events;
mod list_and_expiry;
mod marks;
mod network;
mod node;
mod policy;
mod renewal;
mod secret;
mod soft_delete;
mod support;
mod team;
mod teardown;
mod verify;
mod waits;
