//! Attacks A16 to A30: what was guessed, forged, flooded and swapped.

use crate::reliability::attacks::Attack;
use crate::reliability::row::By::{Target, Test};
use crate::reliability::row::Extent::{NotBuilt, Part, Whole};
use crate::reliability::row::Row;

pub(super) const ROWS: &[Attack] = &[
    Attack {
        attack: "Short ids of links are tried out.",
        row: Row {
            key: "A16",
            claim: "A link holds 256 random bits; a wrong proof costs the safe nothing and leaves nothing.",
            extent: Whole,
            by: &[
                Test("safe-agent::lib::a_million_guesses_at_a_hundred_thousand_live_links_find_none"),
                Test("safe-agent::lib::a_guess_that_hits_a_live_link_gets_the_answer_of_one_that_misses"),
                Test("e2ee::lib::a_link_with_any_character_changed_or_cut_is_refused"),
                Test("safe-agent::lib::bad_proofs_unknown_links_and_other_operations_do_not_count_and_leave_nothing"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "A PIN is tried a thousand times at once.",
        row: Row {
            key: "A17",
            claim: "Five tries in a link's life, counted on disk before comparing.",
            extent: Whole,
            by: &[
                Test(
                    "safe-agent::lib::of_a_thousand_wrong_pins_at_once_exactly_five_are_compared_and_the_right_one_comes_too_late",
                ),
                Test("tests::access::forty_guesses_at_once_at_a_safe_that_is_killed_again_and_again_are_five_in_all"),
                Test("safe-agent::lib::five_wrong_pins_kill_a_link_for_ever"),
                Test("tests::e2e::five_wrong_pins_kill_a_link_across_restarts"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "Who has to do with whom is written down at the centre.",
        row: Row {
            key: "A18",
            claim: "A relay sees one random inbox, padded sizes and fresh ports; not who asks.",
            extent: Part("address, time and size remain, and the threat model says so"),
            by: &[
                Test("tests::blindness::whose_document_was_fetched_is_not_told_by_the_shape_of_a_visit"),
                Test("e2ee::lib::envelopes_have_class_sizes_alone"),
                Test("relay::relay::a_log_at_info_names_no_peer_and_nobodys_place_and_ends_with_totals"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "Ids in an export are counted upwards.",
        row: Row {
            key: "A19",
            claim: "Ids are random, and every list belongs to who asks.",
            extent: Whole,
            by: &[
                Test("safe-agent::lib::a_cursor_that_is_no_document_of_the_patient_shows_nothing_it_should_not"),
                Test("safe-agent::lib::a_strangers_document_and_one_that_never_was_get_the_same_reply"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "Anybody registers as a doctor.",
        row: Row {
            key: "A20",
            claim: "There is nothing to register: a key that no practice enrolled gets nothing.",
            extent: Whole,
            by: &[
                Test(
                    "safe-agent::lib::every_operation_by_a_stranger_or_another_practices_patient_is_refused_and_leaves_nothing",
                ),
                Test("tests::e2e::a_stranger_with_a_key_of_his_own_gets_nothing"),
                Test("safe-agent::lib::a_device_that_asks_another_practice_in_due_form_is_nobody_there"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "One key is given to many, or a machine is cloned.",
        row: Row {
            key: "A21",
            claim: "Keys are made where they are used; a second login under one key is told to the first.",
            extent: Part("that a clone runs is told to it, not yet refused"),
            by: &[
                Test("relay::relay::the_newest_login_wins_and_the_older_connection_is_closed"),
                Test("safe-agent::lib::keys_are_made_once_for_their_owner_alone"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "A sender is forged, or an address looks alike.",
        row: Row {
            key: "A22",
            claim: "Who asks is proven inside the envelope, and a name is data of the safe.",
            extent: Part("there are no messages and no directory"),
            by: &[
                Test("e2ee::lib::a_signature_from_one_envelope_does_not_hold_in_another"),
                Test("e2ee::lib::an_authentication_that_does_not_fit_who_asks_is_refused"),
                Test("safe-agent::lib::what_is_kept_of_a_name_does_not_turn_the_writing_direction"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "One poisonous message stops all others.",
        row: Row {
            key: "A23",
            claim: "It is refused or set aside, and the next is delivered.",
            extent: Whole,
            by: &[
                Test("tests::e2e::poison_before_a_request_delays_it_by_less_than_a_second_also_after_a_restart"),
                Target("fuzz::twins"),
                Test("relay::relay::spoiled_requests_in_any_pieces_end_the_same_way_and_trouble_nobody_else"),
                Test("relay::relay::an_envelope_with_a_bit_flipped_on_disk_is_set_aside_and_the_others_are_delivered"),
                Test("safe-agent::lib::a_panic_in_a_job_answers_an_error_and_the_thread_lives_on"),
            ],
            figures: &["fuzz.poison"],
        },
    },
    Attack {
        attack: "Knowing a number opens a file; a text field reaches the database.",
        row: Row {
            key: "A24",
            claim: "No identifier is a right, and text is sealed before it is stored.",
            extent: Part("a log of keys, in which a stolen one would show, is not built"),
            by: &[
                Test("tests::e2e::a_stranger_with_a_key_of_his_own_gets_nothing"),
                Test("safe-agent::lib::without_a_grant_there_is_no_permit"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "A valid device fetches everything at once.",
        row: Row {
            key: "A25",
            claim: "It gets what its patient may have, so many requests and transfers, and nothing of another safe.",
            extent: Part("an alarm by rate is not built"),
            by: &[
                Test("safe-agent::lib::a_device_beyond_its_quota_is_told_so_and_can_fill_nothing_any_more"),
                Test("safe-agent::lib::one_device_one_patient_and_all_have_so_many_transfers_and_no_more"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "A shown message loads something and sends the text out.",
        row: Row {
            key: "A26",
            claim: "Nothing is shown: documents are written to files.",
            extent: NotBuilt("a view of messages or documents"),
            by: &[],
            figures: &[],
        },
    },
    Attack {
        attack: "Whoever serves the program serves another one.",
        row: Row {
            key: "A27",
            claim: "A relay serves no program.",
            extent: Part("signed, reproducible releases are not built"),
            by: &[Test("relay::relay::bytes_that_are_no_request_end_that_connection_with_a_number_and_no_other")],
            figures: &[],
        },
    },
    Attack {
        attack: "A relay drops, repeats, reorders, splices, swaps keys or serves an old state.",
        row: Row {
            key: "A28",
            claim: "Each is refused or has no effect; what is missing is missed.",
            extent: Part("whether a request that was left there is withheld shows when its time is up, and no sooner"),
            by: &[
                Test("sim::sim::no_schedule_of_a_malicious_relay_breaks_an_invariant"),
                Test("sim::sim::every_power_does_harm_and_none_gets_anything"),
                Test("sim::sim::a_patient_or_a_practice_that_is_singled_out_is_told_and_nobody_else_is"),
                Test("sim::sim::every_attack_that_is_kept_fails"),
                Test("e2ee::lib::an_older_epoch_or_a_shorter_chain_is_rolled_back"),
                Test("patient::lib::what_one_link_learnt_of_a_safe_is_known_to_the_next_link"),
                Test("e2ee::lib::a_request_put_together_from_two_is_refused"),
                Test("safe-agent::lib::an_enrolment_that_arrives_again_gets_the_outcome_it_had"),
                Test("tests::e2e::another_safes_valid_records_are_not_believed"),
                Test("sim::sim::an_insider_at_a_relay_with_all_powers_gets_nothing"),
            ],
            figures: &["sim.malicious_relay", "sim.singled_out"],
        },
    },
    Attack {
        attack: "A link and a birth date open a file.",
        row: Row {
            key: "A29",
            claim: "The protocol has no field for a birth date; a link needs its PIN.",
            extent: Whole,
            by: &[
                Test("safe-agent::lib::five_wrong_pins_kill_a_link_for_ever"),
                Test("e2ee::lib::a_pin_is_six_ascii_digits"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "All slots are hoarded; connections flood; early data is replayed; small packets draw large ones.",
        row: Row {
            key: "A30",
            claim: "Every limit has a number and an answer; there is no early data.",
            extent: Part("appointments are not built"),
            by: &[
                Test(
                    "relay::relay::an_address_that_has_not_answered_is_sent_three_times_what_came_from_it_and_less_than_a_datagram_more",
                ),
                Test("relay::relay::nothing_is_taken_before_a_handshake_is_over"),
                Test("relay::relay::ten_thousand_bad_handshakes_a_second_keep_no_good_one_out_and_cost_bounded_memory"),
                Test("relay::relay::every_limit_has_a_row_that_changes_it_alone"),
                Test("relay::relay::each_limit_is_reached_and_has_its_answer"),
                Test("relay::relay::a_login_of_another_connection_proves_nothing"),
            ],
            figures: &["fuzz.reflection", "relay.flood"],
        },
    },
];
