//! Who attacks each table: its rows as bytes, and what would follow if one were missing or repeated.

use crate::reliability::row::By::{self, Test};

const ALTERED: By = Test("safe-agent::lib::a_row_altered_or_moved_in_the_file_is_damaged");

pub(super) const SAFE: &[(&str, &[By])] = &[
    ("Settings", &[ALTERED, Test("safe-agent::lib::the_root_key_and_its_successor_stay_in_no_row")]),
    ("Patients", &[ALTERED, Test("safe-agent::lib::a_damaged_row_hides_no_other_and_its_beginning_still_fits_it")]),
    (
        "Documents",
        &[ALTERED, Test("safe-agent::lib::a_damaged_document_hides_no_other_and_says_so_when_it_is_fetched")],
    ),
    ("Grants", &[ALTERED, Test("safe-agent::lib::it_agrees_with_a_search_through_all_grants")]),
    ("Links", &[ALTERED, Test("safe-agent::lib::a_link_of_any_state_makes_the_safe_write_only_so_much")]),
    ("Devices", &[ALTERED, Test("safe-agent::lib::a_second_link_neither_moves_a_device_nor_undoes_its_revocation")]),
    ("Seen", &[ALTERED, Test("safe-agent::lib::copies_of_a_refused_envelope_write_nothing_and_raise_no_alarm")]),
    ("Outcomes", &[ALTERED, Test("safe-agent::lib::another_operation_under_a_used_id_is_refused_and_changes_nothing")]),
    (
        "Audit",
        &[ALTERED, Test("safe-agent::lib::a_leaf_that_is_missing_or_moved_is_damage_in_the_middle_as_at_the_end")],
    ),
    ("Prekeys", &[ALTERED, Test("safe-agent::lib::damaged_rows_are_erased_with_their_bucket_and_stop_no_upkeep")]),
    ("Sequences", &[ALTERED, Test("safe-agent::lib::numbers_may_overtake_each_other_and_each_is_taken_once")]),
];

pub(super) const RELAY: &[(&str, &[By])] = &[
    (
        "Envelope",
        &[
            Test("relay::lib::a_row_with_any_byte_changed_or_cut_off_is_not_delivered"),
            Test("relay::lib::an_envelope_whose_pages_lead_nowhere_is_set_aside_when_it_is_read"),
        ],
    ),
    ("Records", &[Test("relay::lib::a_damaged_record_set_is_unknown_until_it_is_published_again")]),
];
