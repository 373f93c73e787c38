//! The command line by itself: what is refused before the first request, and what needs none.

mod bad_input;
mod bad_input_azure;
mod bad_input_gcp;
mod bad_input_s3;
mod completions;
mod digest;
mod doctor;
mod environment;
mod file;
mod good_input;
mod hostile;
#[cfg(unix)]
mod interrupt;
mod json;
mod manual;
mod mistakes;
mod offline;
#[cfg(unix)]
mod places;
#[cfg(unix)]
mod programs;
mod proxy;
mod renewal;
mod several;
mod spans;
mod support;
mod trust;
mod versions;
