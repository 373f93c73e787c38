//! The double of Azure, with Azurite behind it when `cargo sandbox test` has started one.

mod accounts;
mod azurite;
mod data;
mod events;
mod gate;
mod locks;
mod sdk;
mod support;
