//! Who attacks each operation of a request.

use crate::reliability::row::By::{self, Test};

/// Every operation by every role on every document, against a policy that was written apart.
const BY_A_DEVICE: By = Test(
    "safe-agent::lib::every_operation_by_a_patients_device_on_every_document_in_every_position_is_answered_as_the_policy_says",
);
const BY_A_REVOKED_DEVICE: By = Test("safe-agent::lib::every_operation_by_a_revoked_device_is_refused");
const BY_A_STRANGER: By =
    Test("safe-agent::lib::every_operation_by_a_stranger_or_another_practices_patient_is_refused_and_leaves_nothing");
const BY_A_LINK: By = Test("safe-agent::lib::every_operation_by_whoever_holds_a_link_is_refused_but_the_enrolment");

pub(super) const ROWS: &[(&str, &[By])] = &[
    (
        "Enrol",
        &[
            BY_A_DEVICE,
            BY_A_REVOKED_DEVICE,
            BY_A_STRANGER,
            BY_A_LINK,
            Test("safe-agent::lib::in_every_sequence_of_power_cuts_no_more_than_five_pins_are_ever_compared"),
            Test("safe-agent::lib::of_four_devices_with_the_right_pin_exactly_one_wins_in_every_order_of_their_steps"),
        ],
    ),
    (
        "Documents",
        &[
            BY_A_DEVICE,
            BY_A_REVOKED_DEVICE,
            BY_A_STRANGER,
            BY_A_LINK,
            Test("safe-agent::lib::a_cursor_that_is_no_document_of_the_patient_shows_nothing_it_should_not"),
        ],
    ),
    (
        "Document",
        &[
            BY_A_DEVICE,
            BY_A_REVOKED_DEVICE,
            BY_A_STRANGER,
            BY_A_LINK,
            Test("safe-agent::lib::of_a_million_pairs_of_right_and_document_the_thousand_that_belong_together_open"),
            Test("safe-agent::lib::what_is_not_the_content_any_more_is_not_sent"),
        ],
    ),
    ("Status", &[BY_A_DEVICE, BY_A_REVOKED_DEVICE, BY_A_STRANGER, BY_A_LINK]),
];
