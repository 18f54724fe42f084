//! Promises 1 to 13: what was acknowledged is kept, whatever happens to machines, disks, clocks and lines.

use crate::reliability::row::By::Test;
use crate::reliability::row::Extent::{Part, Whole};
use crate::reliability::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        key: "1",
        claim: "An envelope answered `queued` survives the death of the relay's process at any moment.",
        extent: Whole,
        by: &[
            Test("tests::disk::every_envelope_answered_queued_is_there_after_a_kill"),
            Test("relay::relay::every_envelope_answered_queued_is_there_after_a_kill"),
            Test("tests::e2e::a_relay_killed_in_the_middle_of_deposits_loses_none_that_it_acknowledged"),
        ],
        figures: &["disk.spool_kill"],
    },
    Row {
        key: "2",
        claim: "… and a loss of power, on a real file system.",
        extent: Part("the safe's store is cut off in simulation, not on a mounted disk"),
        by: &[
            Test("tests::disk::every_envelope_answered_queued_is_there_after_a_power_cut_on_ext4"),
            Test("tests::disk::every_envelope_answered_queued_is_there_after_a_power_cut_on_xfs"),
            Test("tests::disk::the_key_behind_a_printed_url_outlives_a_power_cut"),
            Test("safe-agent::lib::what_was_answered_survives_a_power_cut"),
        ],
        figures: &[],
    },
    Row {
        key: "3",
        claim: "Recovery may itself be cut off, any number of times, and ends in the same state.",
        extent: Part("the safe's store"),
        by: &[
            Test("safe-agent::lib::a_kill_at_any_step_keeps_what_was_flushed_and_nothing_else"),
            Test("tests::e2e::a_served_safe_killed_at_any_time_comes_back_with_everything"),
        ],
        figures: &[],
    },
    Row {
        key: "4",
        claim: "A write that was torn is noticed and never served.",
        extent: Whole,
        by: &[
            Test("safe-agent::lib::a_log_torn_at_any_byte_keeps_every_commit_before_the_tear"),
            Test("tests::disk::a_damaged_spool_delivers_right_bytes_or_none"),
        ],
        figures: &["disk.spool_damage"],
    },
    Row {
        key: "5",
        claim: "On a full disk nothing new is acknowledged, what is stored still drains, and room is used when it is back.",
        extent: Whole,
        by: &[
            Test("tests::disk::a_full_disk_refuses_before_queued_keeps_delivering_and_takes_again_when_there_is_room"),
            Test("relay::lib::a_full_disk_refuses_deposits_lets_acks_through_and_recovers"),
            Test("safe-agent::lib::a_full_disk_undoes_the_batch_and_the_store_goes_on"),
            Test("tests::e2e::a_full_disk_is_said_and_nothing_half_is_kept"),
        ],
        figures: &["disk.spool_full"],
    },
    Row {
        key: "6",
        claim: "A flush that failed is never repeated as if it had succeeded: the store answers nothing more.",
        extent: Whole,
        by: &[
            Test("tests::disk::a_relay_whose_sync_failed_acknowledges_nothing_and_ends"),
            Test("safe-agent::lib::after_a_failed_flush_nothing_is_answered_any_more"),
            Test("safe-agent::lib::every_error_but_a_full_disk_poisons"),
            Test("relay::lib::a_failed_write_poisons_the_spool"),
        ],
        figures: &["disk.spool_sync"],
    },
    Row {
        key: "7",
        claim: "A damaged record is set aside, all others are served, and nothing panics.",
        extent: Whole,
        by: &[
            Test("tests::disk::a_damaged_spool_delivers_right_bytes_or_none"),
            Test("relay::lib::a_damaged_envelope_is_set_aside_for_good_and_blocks_nothing"),
            Test("safe-agent::lib::a_vault_with_a_damaged_row_opens_and_shows_the_others_and_keeps_every_file"),
            Test("tests::e2e::a_damaged_row_is_one_patients_misfortune_and_nobody_elses"),
        ],
        figures: &["disk.spool_damage"],
    },
    Row {
        key: "8",
        claim: "A disk that becomes read-only is a refusal and an end, never an acknowledgement.",
        extent: Whole,
        by: &[Test("tests::disk::a_disk_that_turned_read_only_ends_the_relay_without_an_acknowledgement")],
        figures: &[],
    },
    Row {
        key: "9",
        claim: "No jump of a clock loses, replays or revives anything.",
        extent: Whole,
        by: &[
            Test("relay::lib::nothing_is_erased_because_a_clock_jumped_ahead"),
            Test("relay::lib::a_clock_that_goes_back_is_not_followed"),
            Test("safe-agent::lib::a_clock_that_goes_back_resurrects_no_request"),
            Test("safe-agent::lib::a_clock_that_jumps_shows_no_document_whose_share_has_ended"),
            Test("safe-agent::lib::a_clock_that_jumps_gives_no_try_back_and_opens_no_link_that_has_ended"),
            Test("safe-agent::lib::a_clock_far_ahead_erases_nothing_and_leaves_the_safe_in_its_time"),
        ],
        figures: &["access.share_clock", "access.pin_clock"],
    },
    Row {
        key: "10",
        claim: "A request has one effect at the safe, however often it is delivered and wherever the safe is cut off.",
        extent: Whole,
        by: &[
            Test("models::models::a_request_has_one_effect_and_one_answer_wherever_the_power_fails"),
            Test("safe-agent::lib::an_enrolment_that_arrives_again_gets_the_outcome_it_had"),
            Test("safe-agent::lib::an_enrolment_cut_off_anywhere_counts_once_if_counted_and_enrols_once_if_told"),
            Test("safe-agent::lib::a_read_is_answered_once_per_envelope_on_disk_too"),
        ],
        figures: &["models.outcomes"],
    },
    Row {
        key: "11",
        claim: "The relay erases an envelope only after its safe has it for good.",
        extent: Whole,
        by: &[
            Test("relay::relay::a_queued_envelope_survives_the_relay_and_is_delivered_until_it_is_acked"),
            Test("relay::lib::an_owner_acks_only_what_is_its_own"),
        ],
        figures: &[],
    },
    Row {
        key: "12",
        claim: "A line that is cut loses nothing; when it is back, everything arrives.",
        extent: Part("no measured time from healing to delivery"),
        by: &[
            Test("tests::e2e::a_deposit_waits_for_an_absent_safe_and_its_answer_for_the_patient"),
            Test("tests::e2e::an_absent_safe_is_away_at_once_and_back_after_its_restart"),
            Test("tests::e2e::a_safe_comes_back_by_itself_when_its_relay_does"),
        ],
        figures: &[],
    },
    Row {
        key: "13",
        claim: "Once faults stop, every request comes to its end.",
        extent: Part("single faults"),
        by: &[
            Test("tests::e2e::a_get_resumes_after_the_relay_died_in_its_middle"),
            Test("tests::e2e::a_safe_without_its_relay_for_weeks_comes_back_with_prekeys"),
        ],
        figures: &[],
    },
];
