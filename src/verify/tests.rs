//! The flow, on a cloud in memory.

mod event;
mod fake;
mod flow;
mod node;
mod preflight;
mod traffic;
mod upload;
