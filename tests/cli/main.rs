//! The command line by itself: what is refused before the first request, and what needs none.

mod bad_input;
mod bad_input_azure;
mod bad_input_gcp;
mod digest;
mod environment;
mod good_input;
mod hostile;
#[cfg(unix)]
mod interrupt;
mod json;
mod offline;
#[cfg(unix)]
mod places;
#[cfg(unix)]
mod programs;
mod proxy;
mod renewal;
mod spans;
mod support;
