//! The laws that hold on every cloud. A cloud joins by implementing `wbstore_sandbox::cloud::Cloud`
//! and adding one line at the end of this file.
//!
//! `cargo sandbox test -- --test conformance` runs them. What happens when things go wrong in the
//! middle is swept through by `tests/faults`; here stands the short form of it.

mod laws;

/// One test a law, for one cloud.
macro_rules! uphold {
    (@law [$($needs:tt)*] $type:ty, $law:ident) => {
        #[tokio::test]
        $($needs)*
        async fn $law() {
            crate::laws::$law::<$type>().await;
        }
    };
    (@cloud $needs:tt $cloud:ident, $type:ty: $($law:ident)*) => {
        mod $cloud {
            $(uphold! { @law $needs $type, $law })*
        }
    };
    ($($(#[$needs:meta])? $cloud:ident: $type:ty),* $(,)?) => {
        $(
            uphold! { @cloud [$(#[$needs])?] $cloud, $type:
                planning_sends_no_write
                a_plan_after_apply_is_empty
                a_kill_at_any_write_is_mended_by_one_run
                a_lost_answer_makes_no_duplicate
                teardown_leaves_nothing_of_ours
                what_was_adopted_is_given_back_to_the_byte
                what_carries_no_mark_is_not_touched
                denied_is_an_error_and_not_absence
                an_event_arrives_once
            }
        )*
    };
}

uphold! {
    #[ignore = "needs the emulators: cargo sandbox test"]
    aws: wbstore_sandbox::aws::Aws,
    gcp: wbstore_sandbox::gcp::Gcp,
    #[ignore = "needs the emulators: cargo sandbox test"]
    azure: wbstore_sandbox::azure::Azure,
}
