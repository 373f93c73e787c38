//! The double of Google Cloud, asked by Google's own Rust clients.

mod bench;
mod browser;
mod emulator;
mod events;
mod policies;
mod storage;
