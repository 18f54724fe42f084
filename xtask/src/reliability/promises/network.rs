//! Promises 14 to 26: what a flood, a stranger or the relay itself can do, and cannot.

use crate::reliability::row::By::{Target, Test};
use crate::reliability::row::Extent::{Part, Whole};
use crate::reliability::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        key: "14",
        claim: "A reader that stops reading costs bounded memory and holds nobody else up.",
        extent: Whole,
        by: &[
            Test("relay::relay::memory_stays_bounded_in_a_long_call_and_beside_a_reader_that_stops"),
            Test("relay::relay::callers_that_do_not_read_hold_up_nobody_else_at_their_safe"),
            Test("relay::relay::a_call_whose_reader_stands_still_is_ended_whatever_moves_the_other_way"),
        ],
        figures: &[],
    },
    Row {
        key: "15",
        claim: "A relay's memory and disk are bounded under any load.",
        extent: Whole,
        by: &[
            Test("relay::relay::ten_thousand_connections_are_served_and_cost_little_memory_each"),
            Test("relay::relay::each_limit_is_reached_and_has_its_answer"),
            Test("relay::lib::what_one_source_uses_up_is_there_for_another"),
        ],
        figures: &["relay.crowd", "fuzz.limits"],
    },
    Row {
        key: "16",
        claim: "Bad handshakes in any number do not keep good ones out.",
        extent: Part(
            "at 10,000 a second from 32 hosts, for two seconds, or 900 a second that are proven and taken back; what uses up the processor or the socket's queue is felt by all",
        ),
        by: &[
            Test("relay::relay::ten_thousand_bad_handshakes_a_second_keep_no_good_one_out_and_cost_bounded_memory"),
            Test("relay::relay::handshakes_that_were_taken_back_count_for_as_long_as_they_are_remembered"),
            Test(
                "relay::relay::a_host_that_proves_its_address_and_takes_back_a_thousand_handshakes_a_second_keeps_nobody_out",
            ),
            Test("relay::relay::eight_hosts_that_take_back_what_they_have_proven_keep_nobody_out_together"),
            Test("relay::lib::many_hosts_together_leave_room_for_who_holds_none"),
            Test("relay::lib::a_host_that_took_all_room_gives_up_its_oldest_for_another_and_none_for_itself"),
            Test("relay::lib::nobody_gives_way_to_who_would_then_have_more"),
            Test("relay::lib::who_has_none_gets_one_though_nobody_has_two_but_from_nobody_who_may_still_mean_it"),
            Test("relay::lib::what_was_forged_in_the_name_of_a_host_is_not_counted_as_its_own"),
        ],
        figures: &["relay.flood", "relay.taken_back", "relay.taken_back_by_many"],
    },
    Row {
        key: "17",
        claim: "Whoever connects and says nothing, or little, is ended at a deadline.",
        extent: Whole,
        by: &[
            Test("relay::relay::each_limit_is_reached_and_has_its_answer"),
            Test("relay::relay::a_call_in_which_nothing_moves_is_ended_for_both"),
        ],
        figures: &[],
    },
    Row {
        key: "18",
        claim: "Bytes that are no frame cost no more than their length and end their own connection alone.",
        extent: Whole,
        by: &[
            Target("fuzz::twins"),
            Test("relay::relay::spoiled_requests_in_any_pieces_end_the_same_way_and_trouble_nobody_else"),
            Test("wire::lib::any_bytes_decode_to_one_frame_or_none"),
            Test("wire::lib::an_oversize_length_is_refused_before_allocation"),
            Test("fuzz::sources::every_type_that_is_decoded_stands_in_the_table_of_a_target"),
            Test("safe-agent::lib::any_bytes_on_the_socket_are_a_request_a_document_or_an_error"),
        ],
        figures: &["fuzz.relay_requests"],
    },
    Row {
        key: "19",
        claim: "Every limit in the configuration is enforced.",
        extent: Whole,
        by: &[
            Test("relay::relay::every_limit_has_a_row_that_changes_it_alone"),
            Test("relay::relay::each_limit_is_reached_and_has_its_answer"),
            Test("relay::lib::the_example_names_every_default"),
        ],
        figures: &["fuzz.limits"],
    },
    Row {
        key: "20",
        claim: "A replay has no effect, ever: not after a restart, not after its time.",
        extent: Part("a safe restored from a backup has forgotten what came after it"),
        by: &[
            Test("sim::sim::no_schedule_of_a_malicious_relay_breaks_an_invariant"),
            Test("safe-agent::lib::copies_of_a_refused_envelope_write_nothing_and_raise_no_alarm"),
            Test("safe-agent::lib::another_operation_under_a_used_id_is_refused_and_changes_nothing"),
            Test("safe-agent::lib::a_read_is_answered_once_per_envelope_on_disk_too"),
            Test("e2ee::lib::it_agrees_with_a_set_of_all_used_numbers"),
        ],
        figures: &["sim.malicious_relay"],
    },
    Row {
        key: "21",
        claim: "Reordering breaks no conversation and crosses no two patients.",
        extent: Part("threads of messages are not built"),
        by: &[
            Test("sim::sim::no_schedule_of_a_malicious_relay_breaks_an_invariant"),
            Test("safe-agent::lib::numbers_may_overtake_each_other_and_each_is_taken_once"),
            Test("safe-agent::lib::devices_count_for_themselves"),
        ],
        figures: &[],
    },
    Row {
        key: "22",
        claim: "What was cut off or left out is noticed by whoever receives it: a document is whole or absent.",
        extent: Part("a patient is not told of a deposit that a relay swallowed until its time is up"),
        by: &[
            Test("sim::sim::no_schedule_of_a_malicious_relay_breaks_an_invariant"),
            Test("sim::sim::a_patient_or_a_practice_that_is_singled_out_is_told_and_nobody_else_is"),
            Test("e2ee::lib::an_object_without_its_last_chunk_is_truncated"),
            Test("patient::lib::a_run_killed_after_any_piece_is_taken_up_by_the_next_and_gives_the_whole"),
        ],
        figures: &["sim.singled_out"],
    },
    Row {
        key: "23",
        claim: "No envelope can be turned to another recipient, request or place, nor be put together from two.",
        extent: Whole,
        by: &[
            Test("sim::sim::no_schedule_of_a_malicious_relay_breaks_an_invariant"),
            Test("e2ee::lib::a_request_opens_for_its_own_safe_inbox_prekey_and_lane_alone"),
            Test("e2ee::lib::a_reply_opens_for_its_own_request_alone"),
            Test("e2ee::lib::a_request_put_together_from_two_is_refused"),
            Test("e2ee::lib::a_live_request_with_any_byte_changed_or_cut_off_is_refused"),
            Test("e2ee::lib::chunks_swapped_or_spliced_from_another_object_are_refused"),
            Test("safe-agent::lib::of_all_safes_that_are_given_an_envelope_its_own_alone_can_open_it"),
            Test("tests::access::an_envelope_that_the_relay_takes_to_another_practice_is_answered_by_nobody"),
        ],
        figures: &["access.safes", "access.misdelivered"],
    },
    Row {
        key: "24",
        claim: "A relay cannot put its own key in the place of a safe's, at first contact or later.",
        extent: Part("there is no log of keys in which two clients could compare what they were served"),
        by: &[
            Test("sim::sim::no_schedule_of_a_malicious_relay_breaks_an_invariant"),
            Test("e2ee::lib::another_safes_valid_records_are_refused"),
            Test("e2ee::lib::a_record_signed_by_any_other_key_is_refused"),
            Test("e2ee::lib::a_thief_of_a_retired_root_key_cannot_fork_the_chain"),
            Test("tests::e2e::another_safes_valid_records_are_not_believed"),
            Test("tests::e2e::a_relay_with_another_key_is_not_spoken_to"),
            Test("client::lib::the_pinned_key_is_believed_in_its_one_form_and_with_no_bit_changed"),
            Test("models::models::a_client_never_goes_back_nor_over_to_a_thief_of_retired_roots"),
        ],
        figures: &["models.roots"],
    },
    Row {
        key: "25",
        claim: "Nobody is talked down to another version or suite.",
        extent: Whole,
        by: &[
            Test("e2ee::lib::an_unknown_version_or_suite_is_refused_though_signed"),
            Test("relay::relay::a_peer_of_another_version_never_gets_past_the_handshake"),
            Test("client::lib::nothing_is_offered_by_which_two_visits_could_be_linked_or_a_weaker_key_taken"),
        ],
        figures: &[],
    },
    Row {
        key: "26",
        claim: "Nothing a relay says counts as done: only the safe's sealed answer does.",
        extent: Whole,
        by: &[
            Test("sim::sim::no_schedule_of_a_malicious_relay_breaks_an_invariant"),
            Test("e2ee::lib::a_reply_that_names_another_request_is_refused"),
            Test("e2ee::lib::a_reply_with_any_byte_changed_or_cut_off_is_refused"),
            Test("patient::lib::only_a_request_that_may_have_arrived_counts_as_unanswered"),
        ],
        figures: &["sim.malicious_relay"],
    },
];
