//! The flow, on a cloud in memory.

mod event;
mod fake;
mod flow;
mod preflight;
mod traffic;
mod upload;
