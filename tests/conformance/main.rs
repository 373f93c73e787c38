//! The laws: what is so on every cloud, written once for any [`Cloud`](wbstore_sandbox::cloud::Cloud) or
//! [`Person`](wbstore_sandbox::person::Person).
//!
//! To add a law, write a public generic function in the file of its topic, and its name in [`laws`] below:
//! under `every` it runs on all three clouds, as does what depends on a cloud's requests, documents or
//! clients; under `one` it runs on Google Cloud only, whose double needs no emulator and is the fastest, as
//! does what no cloud decides. What only one cloud has is tested in `tests/<cloud>`. A cloud joins by
//! implementing the two traits and with a line at the end of this file.
//!
//! `cargo test --test conformance` runs the laws on Google Cloud, `cargo sandbox test -- --test conformance`
//! on all. What happens when things go wrong in the middle is swept through by `tests/faults`; here is the
//! short form of it.

mod consent;
mod expired;
mod file;
mod formats;
mod hostile;
mod hosts;
mod interrupt;
mod laws;
mod outputs;
mod plan_text;
mod renewal;
mod second_look;
mod secrets;
mod support;
mod tags;
mod versions;
mod waits;

/// Calls `$on` with all laws, and with what is left to it.
macro_rules! laws {
    ($on:ident! { $($more:tt)* }) => {
        $on! { $($more)*
            every {
                laws: [
                    planning_sends_no_write
                    a_plan_after_apply_is_empty
                    a_kill_at_any_write_is_mended_by_one_run
                    a_lost_answer_makes_no_duplicate
                    a_team_comes_and_goes_alone_whenever_it_is_killed
                    teardown_leaves_nothing_of_ours
                    what_was_adopted_is_given_back_to_the_byte
                    what_carries_no_mark_is_not_touched
                    what_belongs_to_another_deployment_is_not_touched
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
                    an_upload_while_a_bucket_is_emptied_goes_too
                ]
                formats: [
                    plans_of_every_kind_satisfy_the_schema
                    an_offline_plan_needs_no_credentials_and_is_what_the_first_online_plan_shows
                    the_whole_life_of_a_deployment_is_told_in_objects
                    uploads_into_a_bucket_that_is_not_empty_leave_the_digest_as_it_is
                    the_times_of_a_run_have_each_of_its_requests
                ]
                plan_text: [
                    a_plan_fits_the_terminal
                ]
                hostile: [
                    what_others_wrote_stays_text
                    what_a_server_says_stays_text
                ]
                consent: [
                    a_yes_is_enough_to_delete_what_holds_nothing
                    a_yes_covers_no_objects_and_the_hint_is_the_command_that_does
                ]
                outputs: [
                    results_go_to_a_file_whole
                    config_prints_the_same_as_provision_in_every_form
                    config_adds_the_settings_to_the_storage
                ]
                secrets: [
                    no_run_tells_a_secret
                    no_failure_tells_a_secret
                ]
                interrupt: [
                    while_it_only_looks_it_stops_at_once
                    a_teardown_stops_while_it_empties_and_goes_on_later
                ]
                renewal: [
                    another_lease_counts_from_now
                    a_renewal_is_reviewed_and_moves_all_ends_by_the_span_of_the_lease
                    an_expiry_is_written_into_the_mark_and_is_no_drift_later
                ]
                tags: [
                    tags_are_in_the_creating_call_and_no_drift_later
                    a_tag_that_differs_is_drift_and_those_of_others_stay
                    an_adopted_bucket_is_tagged_and_keeps_its_tags
                ]
                hosts: [
                    a_second_host_is_one_more_origin_of_the_one_rule
                    a_preflight_is_sent_from_each_host
                ]
                versions: [
                    versions_come_and_go_with_a_deployment
                    artifacts_are_collected_only_where_it_is_asked_for
                ]
                file: [
                    a_deployment_of_the_file_lives_and_ends
                    what_the_marks_say_is_used_where_no_option_says_it
                    an_option_that_contradicts_the_marks_is_an_error
                ]
                waits: [
                    a_day_is_not_waited_and_the_reader_learns_of_it
                    a_second_is_waited_in_sight
                    a_program_reads_a_wait_as_an_event
                    emptying_waits_in_sight_and_not_for_a_day
                ]
            }
            one {
                consent: [
                    without_a_terminal_nothing_is_changed_unless_yes_is_said
                    a_no_changes_nothing_and_enter_alone_is_one
                    a_yes_makes_the_changes_and_prints_the_outputs_alone
                    ctrl_c_at_a_question_changes_nothing
                    an_empty_plan_asks_nothing
                    the_digest_of_the_reviewed_plan_lets_it_through
                    a_cloud_that_moved_since_the_review_is_refused
                    a_dry_run_shows_the_plan_and_changes_nothing
                    a_teardown_wants_the_name_typed
                    a_teardown_without_a_terminal_wants_consent_as_an_argument
                    with_quiet_only_the_result_and_what_went_wrong_are_written
                    a_quiet_question_still_shows_the_plan
                    a_plan_that_is_not_asked_about_has_a_line_for_each_resource
                    the_digest_of_another_teardown_deletes_nothing
                    colours_are_for_terminals_that_want_them
                ]
                formats: [
                    markdown_has_a_graph_and_every_step
                    text_shows_what_waits_for_what_and_the_fields_of_a_change
                    the_host_decides_the_name_and_the_name_the_digest
                    json_on_the_way_is_a_line_an_event_on_stderr
                    every_refusal_is_an_object_with_its_exit_code
                    times_that_cannot_be_kept_are_refused_at_once
                ]
                outputs: [
                    a_shell_evaluates_what_provision_prints
                    a_file_for_the_result_is_tried_out_first
                    config_is_refused_where_nothing_was_provisioned
                    config_is_refused_where_something_has_changed
                    nothing_is_printed_on_stdout_when_it_fails
                    another_machine_finds_the_same_deployment
                    settings_that_cannot_be_written_are_partly_done_and_printed_again_by_config
                    a_full_disk_is_an_object_with_its_exit_code_where_objects_are_asked_for
                ]
                interrupt: [
                    in_the_middle_it_finishes_what_is_under_way_and_says_how_to_go_on
                    the_second_one_does_not_wait
                    a_wait_for_the_cloud_ends_at_once
                ]
                renewal: [
                    a_lease_that_ends_later_than_it_would_after_a_renewal_is_left
                    what_has_no_span_is_not_renewed
                    a_lease_may_be_changed_to_none
                ]
                expired: [
                    an_account_without_deployments_lists_none
                    the_plans_come_in_the_order_of_the_names
                    one_that_cannot_be_looked_at_fails_by_its_own_code_and_the_others_go
                    one_that_is_slow_does_not_keep_the_others
                    one_that_fails_does_not_keep_the_others
                    what_has_expired_goes_and_the_rest_stays
                    an_expired_deployment_with_objects_is_refused_and_others_go
                    a_yes_deletes_the_expired_that_hold_nothing_and_says_how_to_delete_the_rest
                    nothing_expired_is_nothing_to_do
                ]
                file: [
                    several_are_planned_as_one_and_applied_side_by_side
                    one_that_fails_keeps_none_of_the_others
                ]
                waits: [
                    a_step_waits_by_its_own_name
                ]
            }
        }
    };
}

/// One test a law, for one cloud: the laws of every cloud, or all of them.
macro_rules! uphold {
    ($(#[$needs:meta])? $cloud:ident: $type:ty, $which:ident) => {
        mod $cloud {
            laws! { uphold! { @$which [$(#[$needs])?] $type, } }
        }
    };
    (@every $needs:tt $type:ty, every { $($every:tt)* } one $one:tt) => {
        uphold! { @topics $needs $type, $($every)* }
    };
    (@all $needs:tt $type:ty, every { $($every:tt)* } one { $($one:tt)* }) => {
        uphold! { @topics $needs $type, $($every)* $($one)* }
    };
    (@topics $needs:tt $type:ty, $($topic:ident: $laws:tt)*) => {
        $(uphold! { @laws $needs $type, $topic: $laws })*
    };
    (@laws $needs:tt $type:ty, $topic:ident: [$($law:ident)*]) => {
        $(uphold! { @law $needs $type, $topic::$law })*
    };
    (@law [$($needs:tt)*] $type:ty, $topic:ident::$law:ident) => {
        #[tokio::test]
        $($needs)*
        async fn $law() {
            crate::$topic::$law::<$type>().await;
        }
    };
}

uphold! {
    #[ignore = "needs the emulators: cargo sandbox test"]
    aws: wbstore_sandbox::aws::Aws, every
}
uphold! { gcp: wbstore_sandbox::gcp::Gcp, all }
uphold! {
    #[ignore = "needs the emulators: cargo sandbox test"]
    azure: wbstore_sandbox::azure::Azure, every
}

/// An S3-compatible store has no queue, creates a bucket before it marks it, and has its key in BUCKET: what follows from
/// that is in `tests/s3`.
mod s3 {
    uphold! {
        @topics [#[ignore = "needs the emulators: cargo sandbox test"]] wbstore_sandbox::stores::AwsAsStore,
        laws: [
            planning_sends_no_write
            a_plan_after_apply_is_empty
            a_lost_answer_makes_no_duplicate
            teardown_leaves_nothing_of_ours
            what_was_adopted_is_given_back_to_the_byte
            what_carries_no_mark_is_not_touched
            what_belongs_to_another_deployment_is_not_touched
        ]
        second_look: [
            an_upload_at_the_prompt_of_a_teardown_stays
            a_mark_that_appears_at_the_prompt_of_a_teardown_stays
            a_mark_that_appears_at_the_prompt_of_a_provision_stays
            a_lease_that_is_renewed_after_the_plan_is_respected
            entries_that_appear_after_the_plan_stay
            a_half_emptied_bucket_is_no_change_by_others
            an_upload_while_a_bucket_is_emptied_goes_too
        ]
        formats: [
            the_whole_life_of_a_deployment_is_told_in_objects
            uploads_into_a_bucket_that_is_not_empty_leave_the_digest_as_it_is
            the_times_of_a_run_have_each_of_its_requests
        ]
        plan_text: [
            a_plan_fits_the_terminal
        ]
        hostile: [
            what_others_wrote_stays_text
            what_a_server_says_stays_text
        ]
        outputs: [
            config_adds_the_settings_to_the_storage
        ]
        secrets: [
            no_run_tells_a_secret
            no_failure_tells_a_secret
        ]
        interrupt: [
            while_it_only_looks_it_stops_at_once
            a_teardown_stops_while_it_empties_and_goes_on_later
        ]
        renewal: [
            another_lease_counts_from_now
        ]
        tags: [
            tags_are_in_the_creating_call_and_no_drift_later
            a_tag_that_differs_is_drift_and_those_of_others_stay
            an_adopted_bucket_is_tagged_and_keeps_its_tags
        ]
        hosts: [
            a_second_host_is_one_more_origin_of_the_one_rule
        ]
        versions: [
            versions_come_and_go_with_a_deployment
            artifacts_are_collected_only_where_it_is_asked_for
        ]
        waits: [
            a_day_is_not_waited_and_the_reader_learns_of_it
            a_second_is_waited_in_sight
        ]
    }
}
