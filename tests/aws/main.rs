//! The front door: the built `wbstore` against an emulated AWS behind the strict proxy, looked at by
//! an independent client.
//!
//! `cargo sandbox test -- --test aws` runs it; a plain `cargo test` ignores every test.

mod bad_input_cloud;
mod doctor;
mod drift;
mod foreign_entries;
mod guide;
mod interrupt;
mod large;
mod list_and_expiry;
mod marks;
mod ownership;
mod plan_formats;
mod policy;
mod provision;
mod regions;
mod renewal;
mod support;
mod team;
mod teardown;
mod verify;
mod warnings;
