//! Attacks A1 to A15: what went wrong at the centres of such systems.

use crate::reliability::attacks::Attack;
use crate::reliability::row::By::{Step, Test};
use crate::reliability::row::Extent::{NotBuilt, Part, Whole};
use crate::reliability::row::Row;

pub(super) const ROWS: &[Attack] = &[
    Attack {
        attack: "The portal's own answers hand out a practice's mailbox password.",
        row: Row {
            key: "A1",
            claim: "A relay holds no password of anybody.",
            extent: NotBuilt("mail, and so any password of a mailbox; that nothing else leaks is promise 39"),
            by: &[],
            figures: &[],
        },
    },
    Attack {
        attack: "Mail is sent in the doctor's name with what the centre knows.",
        row: Row {
            key: "A2",
            claim: "Who takes a relay over with its key and spool can send nothing that a client believes.",
            extent: Part("answers and records; messages and mail are not built"),
            by: &[
                Test("sim::sim::no_schedule_of_a_malicious_relay_breaks_an_invariant"),
                Test("e2ee::lib::a_record_signed_by_any_other_key_is_refused"),
                Test("e2ee::lib::a_reply_opens_for_its_own_request_alone"),
                Test("tests::e2e::another_safes_valid_records_are_not_believed"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "Only the index was encrypted; documents were not.",
        row: Row {
            key: "A3",
            claim: "Everything is sealed from safe to patient: content, title, file name, type, names.",
            extent: Whole,
            by: &[
                Test("tests::blindness::the_running_relay_and_its_disk_know_nothing_of_what_passed"),
                Test("tests::blindness::what_passes_inside_the_relays_tls_shows_nothing"),
                Step("demo"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "A caller asks for an answer without encryption.",
        row: Row {
            key: "A4",
            claim: "There is one suite, no variant in the clear, and every other version is an error.",
            extent: Whole,
            by: &[
                Test("e2ee::lib::an_unknown_version_or_suite_is_refused_though_signed"),
                Test("relay::relay::a_peer_of_another_version_never_gets_past_the_handshake"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "One patient's link opens everybody's documents.",
        row: Row {
            key: "A5",
            claim: "One function decides every access, and refuses by default; not yours is answered as not there.",
            extent: Whole,
            by: &[
                Test(
                    "safe-agent::lib::every_operation_by_a_patients_device_on_every_document_in_every_position_is_answered_as_the_policy_says",
                ),
                Test(
                    "safe-agent::lib::of_a_million_pairs_of_right_and_document_the_thousand_that_belong_together_open",
                ),
                Test("safe-agent::lib::not_yours_and_not_there_take_the_same_time_to_decide"),
                Test("safe-agent::lib::a_strangers_document_and_one_that_never_was_get_the_same_reply"),
                Test("tests::e2e::a_second_patient_gets_nothing_of_the_first"),
            ],
            figures: &["access.matrix_patients", "access.pairs"],
        },
    },
    Attack {
        attack: "One practice's access opens another's data.",
        row: Row {
            key: "A6",
            claim: "An envelope opens at one safe, for one inbox, under one key.",
            extent: Whole,
            by: &[
                Test("e2ee::lib::a_request_opens_for_its_own_safe_inbox_prekey_and_lane_alone"),
                Test("safe-agent::lib::of_all_safes_that_are_given_an_envelope_its_own_alone_can_open_it"),
                Test("safe-agent::lib::a_device_that_asks_another_practice_in_due_form_is_nobody_there"),
                Test("tests::access::an_envelope_that_the_relay_takes_to_another_practice_is_answered_by_nobody"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "The log is edited after a break-in.",
        row: Row {
            key: "A7",
            claim: "Every decision is a leaf in its transaction; a changed, missing or moved leaf is damage.",
            extent: Part("by who cannot seal rows; heads that others hold (the Merkle log) are not built"),
            by: &[
                Test("safe-agent::lib::every_decision_is_a_leaf_in_its_order"),
                Test("safe-agent::lib::a_leaf_with_any_byte_flipped_is_damage"),
                Test("safe-agent::lib::a_leaf_that_is_missing_or_moved_is_damage_in_the_middle_as_at_the_end"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "Nobody can say who was affected.",
        row: Row {
            key: "A8",
            claim: "The record says who read what, per patient.",
            extent: Part("a report for a stolen key is not built"),
            by: &[
                Test("safe-agent::lib::everything_the_owner_does_is_told_in_order_and_by_patient"),
                Test("safe-agent::lib::a_long_record_is_read_in_pages_whoever_it_is_about"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "The only remedy is to switch everything off.",
        row: Row {
            key: "A9",
            claim: "One share or one device ends at once, running transfers included, and nobody else's.",
            extent: Whole,
            by: &[
                Test("tests::access::a_revoked_device_is_out_at_its_next_request_and_nobody_else_notices"),
                Test("tests::e2e::taking_a_share_back_ends_its_transfer"),
                Test("tests::e2e::revoking_a_device_ends_its_transfer"),
                Test("safe-agent::lib::taking_a_share_back_ends_its_transfer_and_no_other"),
                Test("safe-agent::lib::every_operation_by_a_revoked_device_is_refused"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "A debug page is left on.",
        row: Row {
            key: "A10",
            claim: "There is none: no HTTP, no admin port; what is no request ends its connection with a number.",
            extent: Whole,
            by: &[
                Test("fuzz::sources::nothing_listens_or_reads_the_environment_but_where_it_is_known_to"),
                Test("fuzz::sources::no_package_of_the_product_has_a_switch_at_build_time"),
                Test("relay::relay::bytes_that_are_no_request_end_that_connection_with_a_number_and_no_other"),
                Step("demo"),
            ],
            figures: &["fuzz.doors"],
        },
    },
    Attack {
        attack: "Secrets stand in debug output, panics and error pages.",
        row: Row {
            key: "A11",
            claim: "Secrets are types that print their name.",
            extent: Whole,
            by: &[
                Test("e2ee::e2ee::keys_and_links_print_their_names"),
                Test("e2ee::e2ee::plaintext_prints_names_lengths_and_ids"),
                Test("safe-agent::lib::no_secret_prints_itself"),
                Test("patient::lib::nothing_of_an_account_can_be_printed"),
                Test("relay::lib::a_key_prints_nothing_of_itself"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "A staff password is known.",
        row: Row {
            key: "A12",
            claim: "There are no accounts and no passwords in the network; a device's key signs every request.",
            extent: Part("access for staff from outside is not built"),
            by: &[Test("tests::e2e::a_stranger_with_a_key_of_his_own_gets_nothing")],
            figures: &[],
        },
    },
    Attack {
        attack: "A database or a port is open to the internet.",
        row: Row {
            key: "A13",
            claim: "The safe dials out and listens at no address; a relay has one UDP port.",
            extent: Whole,
            by: &[
                Step("demo"),
                Test("fuzz::sources::nothing_listens_or_reads_the_environment_but_where_it_is_known_to"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "A copy of the production data lies on a test system.",
        row: Row {
            key: "A14",
            claim: "A copied folder opens with its passphrase or a sheet alone.",
            extent: Part("a second safe run from the copy is told apart by nobody yet"),
            by: &[
                Test("tests::blindness::a_copied_data_folder_and_the_log_of_a_safe_show_nothing"),
                Test("safe-agent::lib::a_slot_fits_no_other_vault_and_no_other_cost"),
                Test("safe-agent::lib::a_folder_of_another_user_is_refused_and_left_alone"),
            ],
            figures: &[],
        },
    },
    Attack {
        attack: "Appointments lie readable at the centre.",
        row: Row {
            key: "A15",
            claim: "A relay sees sealed bytes of class sizes.",
            extent: NotBuilt("appointments"),
            by: &[],
            figures: &[],
        },
    },
];
