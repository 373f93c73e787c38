//! Sieve's method on wbstore: every fault at every request, then one run without any.
//!
//! For each request of a fault-free run and each way in which it can go wrong, a fresh account is
//! brought into the same state, the run is made to fail there, and is made once more. Then:
//!
//! - the account holds what it holds after the fault-free run, to the byte, other people's things
//!   included;
//! - a third run sends no write;
//! - the failed run ended with 0 only if everything was as wanted, and named the outputs only then;
//! - no secret was told by any of them, with `--verbose`.
//!
//! `cargo sandbox test -- --test faults` takes samples; `cargo sandbox test --all -- --test faults` tries
//! every fault at every request. Nothing in here knows a cloud: see `wbstore_sandbox::cloud`.

mod case;
mod emptying;
mod interleaving;
mod kills;
mod mode;
mod pairs;
mod persons;
mod scenario;
mod sweep;
mod table;

use scenario::Scenario;

/// All of it, for each cloud.
macro_rules! withstand {
    ($($(#[$needs:meta])? $cloud:ident: $type:ty),* $(,)?) => {
        $(
            mod $cloud {
                use super::*;

                #[tokio::test]
                $(#[$needs])?
                async fn create() {
                    sweep::of::<$type>(Scenario::Create).await;
                }

                #[tokio::test]
                $(#[$needs])?
                async fn adopt() {
                    sweep::of::<$type>(Scenario::Adopt).await;
                }

                #[tokio::test]
                $(#[$needs])?
                async fn no_op() {
                    sweep::of::<$type>(Scenario::NoOp).await;
                }

                #[tokio::test]
                $(#[$needs])?
                async fn teardown() {
                    sweep::of::<$type>(Scenario::Teardown).await;
                }

                #[tokio::test]
                $(#[$needs])?
                async fn give_back() {
                    sweep::of::<$type>(Scenario::GiveBack).await;
                }

                #[tokio::test]
                $(#[$needs])?
                async fn the_state_after_a_kill_and_after_one_more_run() {
                    kills::show::<$type>().await;
                }

                #[tokio::test]
                $(#[$needs])?
                async fn two_answers_lost() {
                    pairs::of::<$type>(Scenario::Create).await;
                    pairs::of::<$type>(Scenario::Teardown).await;
                }

                #[tokio::test]
                $(#[$needs])?
                async fn two_at_once() {
                    interleaving::sweep::<$type>().await;
                }

                #[tokio::test]
                $(#[$needs])?
                async fn emptying_through_errors() {
                    emptying::through_errors::<$type>().await;
                }
            }
        )*
    };
}

withstand! {
    #[ignore = "needs the emulators: cargo sandbox test"]
    aws: wbstore_sandbox::aws::Aws,
    gcp: wbstore_sandbox::gcp::Gcp,
    #[ignore = "needs the emulators: cargo sandbox test"]
    azure: wbstore_sandbox::azure::Azure,
}
