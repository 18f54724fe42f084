//! Promises 27 to 38: who may see what, and what a guess, a link, a name or a log gives away.

use crate::reliability::row::By::{Target, Test};
use crate::reliability::row::Extent::{NotBuilt, Part, Whole};
use crate::reliability::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        key: "27",
        claim: "No patient reads, changes or learns of what is another's, by any operation and in any role.",
        extent: Whole,
        by: &[
            Test(
                "safe-agent::lib::every_operation_by_a_patients_device_on_every_document_in_every_position_is_answered_as_the_policy_says",
            ),
            Test("safe-agent::lib::every_operation_by_a_revoked_device_is_refused"),
            Test(
                "safe-agent::lib::every_operation_by_a_stranger_or_another_practices_patient_is_refused_and_leaves_nothing",
            ),
            Test("safe-agent::lib::every_operation_by_whoever_holds_a_link_is_refused_but_the_enrolment"),
            Test("safe-agent::lib::of_a_million_pairs_of_right_and_document_the_thousand_that_belong_together_open"),
            Test("safe-agent::lib::it_agrees_with_a_search_through_all_grants"),
            Test("tests::e2e::a_second_patient_gets_nothing_of_the_first"),
        ],
        figures: &[
            "access.matrix_patients",
            "access.pairs",
            "access.matrix_revoked",
            "access.matrix_strangers",
            "access.matrix_link_holders",
        ],
    },
    Row {
        key: "28",
        claim: "What may be seen holds no field that its reader may not see.",
        extent: Whole,
        by: &[
            Test("safe-agent::lib::every_answer_shows_the_fields_it_may_and_no_other_of_its_own_or_another_patient"),
            Test("safe-agent::lib::an_enrolment_tells_the_names_of_practice_and_patient_and_nothing_else"),
            Test("safe-agent::lib::the_search_for_fields_finds_one_that_is_planted"),
        ],
        figures: &["access.fields"],
    },
    Row {
        key: "29",
        claim: "Ids are random and cannot be walked through.",
        extent: Whole,
        by: &[
            Test("safe-agent::lib::a_million_guesses_at_a_hundred_thousand_live_links_find_none"),
            Test("safe-agent::lib::ids_neither_rise_nor_repeat_nor_have_a_bit_that_leans"),
            Test("safe-agent::lib::a_guess_that_hits_a_live_link_gets_the_answer_of_one_that_misses"),
            Test("fuzz::sources::ids_are_even_in_every_bit_and_in_no_order"),
        ],
        figures: &["access.guesses", "fuzz.ids"],
    },
    Row {
        key: "30",
        claim: "Not yours and not there are one answer: in bytes, in size, in time.",
        extent: Whole,
        by: &[
            Test("safe-agent::lib::a_strangers_document_and_one_that_never_was_get_the_same_reply"),
            Test("safe-agent::lib::not_yours_and_not_there_take_the_same_time_to_decide"),
            Test("safe-agent::lib::not_yours_and_not_there_take_the_same_time_to_decide_over_a_store_on_disk"),
            Test("safe-agent::lib::every_enrolment_is_answered_on_the_grid_and_not_before"),
            Test("tests::access::no_enrolment_is_answered_before_its_line_on_the_grid_of_time"),
        ],
        figures: &[
            "access.enrolment_times",
            "access.enrolment_flushes",
            "access.timing_document",
            "access.timing_document_on_disk",
        ],
    },
    Row {
        key: "31",
        claim: "A PIN is compared five times in its life, across kills, power cuts, restarts, crowds and clocks.",
        extent: Part("a safe restored from a backup has forgotten the tries after it, and not one more"),
        by: &[
            Test(
                "safe-agent::lib::of_a_thousand_wrong_pins_at_once_exactly_five_are_compared_and_the_right_one_comes_too_late",
            ),
            Test("safe-agent::lib::in_every_sequence_of_power_cuts_no_more_than_five_pins_are_ever_compared"),
            Test("safe-agent::lib::a_restored_backup_gives_back_the_tries_that_came_after_it_and_not_one_more"),
            Test("tests::access::forty_guesses_at_once_at_a_safe_that_is_killed_again_and_again_are_five_in_all"),
            Test("models::models::a_link_takes_its_tries_and_not_one_more_wherever_the_power_fails"),
            Test("tests::e2e::five_wrong_pins_kill_a_link_across_restarts"),
        ],
        figures: &["access.pin_parallel", "access.pin_power_cuts", "access.pin_kills", "models.pin"],
    },
    Row {
        key: "32",
        claim: "A PIN cannot be guessed offline from what a relay or the thief of a link has.",
        extent: Whole,
        by: &[
            Test("tests::blindness::a_thief_of_the_link_who_heard_the_enrolment_tries_every_pin_and_learns_none"),
            Test("tests::blindness::enrolments_that_differ_in_their_pins_differ_under_the_seal_alone"),
            Test("e2ee::lib::who_steals_the_prekey_tomorrow_opens_the_request_but_never_its_reply"),
            Test("tests::blindness::the_running_relay_and_its_disk_know_nothing_of_what_passed"),
            Test(
                "safe-agent::lib::a_pin_that_is_wrong_in_its_first_digit_takes_as_long_as_one_that_is_wrong_in_its_last",
            ),
        ],
        figures: &["blindness.dictionary", "blindness.relay", "access.timing_pin"],
    },
    Row {
        key: "33",
        claim: "A revoked device gets nothing from its next request on, by call or deposit, and its transfers end.",
        extent: Whole,
        by: &[
            Test("tests::access::a_revoked_device_is_out_at_its_next_request_and_nobody_else_notices"),
            Test("tests::access::an_envelope_that_a_relay_kept_back_until_its_device_was_revoked_is_refused"),
            Test("safe-agent::lib::a_revocation_between_authorising_and_registering_is_not_missed"),
            Test("tests::e2e::revoking_a_device_ends_its_transfer"),
            Test("tests::e2e::a_revoked_device_gets_nothing_by_deposit_either"),
            Test("sim::sim::no_schedule_of_a_malicious_relay_breaks_an_invariant"),
            Test("safe-agent::lib::every_operation_by_a_revoked_device_is_refused"),
        ],
        figures: &["access.revocation"],
    },
    Row {
        key: "34",
        claim: "A link enrols one device once, within its time; who comes second is told that it was used.",
        extent: Whole,
        by: &[
            Test("safe-agent::lib::of_four_devices_with_the_right_pin_exactly_one_wins_in_every_order_of_their_steps"),
            Test("safe-agent::lib::a_power_cut_after_any_step_of_a_race_leaves_one_winner"),
            Test("safe-agent::lib::a_link_works_until_its_last_second_and_not_after_and_an_expired_one_counts_nothing"),
            Test("tests::e2e::a_link_enrols_one_device_once"),
        ],
        figures: &["access.link_race", "access.link_race_cuts"],
    },
    Row {
        key: "35",
        claim: "What comes from outside moves no cursor and forges no line, in logs and at the terminal.",
        extent: Whole,
        by: &[
            Test("relay::relay::whatever_strangers_send_a_log_has_one_line_for_each_event_and_nothing_that_steers"),
            Test("relay::relay::a_line_that_a_stranger_began_or_coloured_is_noticed"),
            Test("patient::lib::names_from_outside_cannot_steer_a_terminal"),
            Test("safe-agent::lib::a_name_cannot_move_the_cursor"),
            Test("fuzz::sources::no_event_of_the_product_has_a_field_for_text_from_outside"),
            Test("safe-agent::lib::no_name_begins_a_line_or_steers_a_terminal"),
        ],
        figures: &["fuzz.relay_log", "fuzz.log_events"],
    },
    Row {
        key: "36",
        claim: "A document's name leads out of no folder.",
        extent: Whole,
        by: &[
            Target("fuzz::twins"),
            Test("patient::lib::a_sanitised_name_is_one_plain_component"),
            Test("patient::lib::no_reserved_stem_survives"),
            Test("patient::lib::a_part_is_its_owners_alone_and_no_symbolic_link_is_followed"),
            Test("safe-agent::lib::a_file_name_is_data_without_folders_and_without_what_a_terminal_obeys"),
        ],
        figures: &[],
    },
    Row {
        key: "37",
        claim: "The safe unpacks nothing: documents are bytes to it, held chunk by chunk.",
        extent: Whole,
        by: &[
            Test("fuzz::sources::no_program_links_code_that_unpacks_or_draws_what_it_is_given"),
            Test("safe-agent::lib::a_stream_holds_one_chunk_in_memory"),
            Test("wire::lib::a_length_beyond_the_input_allocates_nothing"),
        ],
        figures: &["fuzz.inflation"],
    },
    Row {
        key: "38",
        claim: "A mailbox password stands nowhere but in the safe, between unlock and lock.",
        extent: NotBuilt("mail"),
        by: &[],
        figures: &[],
    },
];
