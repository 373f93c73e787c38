//! What stands in for the clouds in wbstore's tests.
//!
//! Three layers, each usable without the next:
//!
//! - [`emulator`] starts an AWS emulator on loopback and stops it again, whatever happens to us.
//! - [`proxy`] stands before it. It writes down every request, adds what the emulator leaves out
//!   ([`strict`]) and breaks what it is told to break ([`fault`]).
//! - [`aws`] hands a test its own account on the emulator, its own proxy, and the built `wbstore`.
//!
//! `cargo sandbox test` starts the emulators and runs the suite against them; a test then needs no
//! more than this:
//!
//! ```no_run
//! # use wbstore_sandbox::{aws::Aws, fault::{Fault, When}};
//! # async fn example() {
//! let aws = Aws::from_env().await;
//! aws.proxy().arm(When::operation("s3:PutBucketCors", 0), Fault::DropAfter);
//! let ran = aws.run(&["provision", "aws", "--host", "https://wandb.acme.com", "--yes"]).await;
//! assert_eq!(ran.code, Some(0), "{ran}");
//! # }
//! ```

pub mod archive;
pub mod aws;
pub mod azure;
pub mod backend;
pub mod browser;
pub mod call;
pub mod cloud;
pub mod demo;
pub mod dialect;
pub mod emulator;
pub mod error;
pub mod fault;
pub mod faults;
pub mod gap;
pub mod gcp;
pub mod hostile;
mod iam;
pub mod journal;
pub mod kubernetes;
pub mod live;
mod ministack;
mod moto;
pub mod npm;
pub mod pages;
pub mod paths;
pub mod permission;
pub mod person;
pub mod proxy;
pub mod ran;
pub mod reply;
pub mod running;
mod say;
pub mod services;
pub mod snapshot;
pub mod stores;
pub mod strict;
pub mod synthetic;
pub mod terminal;
pub mod upstream;
pub mod venv;

pub use error::Error;
