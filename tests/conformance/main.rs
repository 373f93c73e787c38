//! The laws that hold on every cloud. A cloud joins by implementing `wbstore_sandbox::cloud::Cloud`
//! and adding one line at the end of this file.
//!
//! `cargo sandbox test -- --test conformance` runs them. What happens when things go wrong in the
//! middle is swept through by `tests/faults`; here stands the short form of it.

mod laws;
mod second_look;

/// One test a law, for one cloud.
macro_rules! uphold {
    (@laws [$($needs:tt)*] $type:ty, $of:ident: $law:ident $($rest:ident)*) => {
        #[tokio::test]
        $($needs)*
        async fn $law() {
            crate::$of::$law::<$type>().await;
        }
        uphold! { @laws [$($needs)*] $type, $of: $($rest)* }
    };
    (@laws $needs:tt $type:ty, $of:ident:) => {};
    (@cloud $needs:tt $cloud:ident, $type:ty: $($of:ident: $laws:tt)*) => {
        mod $cloud {
            $(uphold! { @flat $needs $type, $of: $laws })*
        }
    };
    (@flat $needs:tt $type:ty, $of:ident: [$($law:ident)*]) => {
        uphold! { @laws $needs $type, $of: $($law)* }
    };
    ($($(#[$needs:meta])? $cloud:ident: $type:ty),* $(,)?) => {
        $(
            uphold! { @cloud [$(#[$needs])?] $cloud, $type:
                laws: [
                    planning_sends_no_write
                    a_plan_after_apply_is_empty
                    a_kill_at_any_write_is_mended_by_one_run
                    a_lost_answer_makes_no_duplicate
                    teardown_leaves_nothing_of_ours
                    what_was_adopted_is_given_back_to_the_byte
                    what_carries_no_mark_is_not_touched
                    denied_is_an_error_and_not_absence
                    an_event_arrives_once
                ]
                second_look: [
                    an_upload_at_the_prompt_of_a_teardown_stays
                    an_upload_during_an_earlier_step_stays
                    a_mark_that_appears_at_the_prompt_of_a_teardown_stays
                    a_mark_that_appears_at_the_prompt_of_a_provision_stays
                    a_name_that_is_taken_at_the_prompt_stays_with_its_taker
                    a_mark_that_appears_after_the_plan_stays
                    a_lease_that_is_renewed_after_the_plan_is_respected
                    a_mark_that_appears_on_an_expired_deployment_stays
                    entries_that_appear_after_the_plan_stay
                    entries_that_a_plan_has_not_shown_do_not_end
                    entries_that_a_plan_has_shown_refuse_nothing
                    what_is_applied_is_what_was_reviewed
                    what_others_have_done_meanwhile_is_done
                    a_difference_that_settles_is_no_change_by_others
                    a_lost_answer_is_no_change_by_others
                    a_read_that_lags_is_no_change_by_others
                    a_half_emptied_bucket_is_no_change_by_others
                ]
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
