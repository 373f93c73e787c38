//! Google Cloud, as the tests have it.

pub mod double;
pub mod pubsub_emulator;
