//! The front door: the built `wbstore` against Azurite behind a double of Azure's control plane.
//!
//! `cargo sandbox test -- --test azure` runs it; without Azurite every test is left out, and says so.

mod bad_input_cloud;
mod list_and_expiry;
mod policy;
mod secret;
mod support;
mod teardown;
mod verify;
