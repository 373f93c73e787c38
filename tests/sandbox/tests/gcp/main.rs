//! The double of Google Cloud, asked by Google's own Rust clients.

mod bench;
mod events;
mod storage;
