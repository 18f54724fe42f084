//! Who attacks each frame: every one of them as bytes, and what it asks for by its meaning.

use crate::reliability::row::By::{self, Test};

const BYTES: By = Test("wire::lib::any_bytes_decode_to_one_frame_or_none");

pub(super) const ROWS: &[(&str, &[By])] = &[
    (
        "Login",
        &[
            BYTES,
            Test("relay::relay::a_login_of_another_connection_proves_nothing"),
            Test("wire::lib::a_login_holds_only_at_its_relay_and_on_its_connection"),
        ],
    ),
    ("Publish", &[BYTES, Test("relay::relay::a_verb_that_needs_a_login_is_refused_and_the_connection_lives_on")]),
    ("Records", &[BYTES, Test("tests::e2e::another_safes_valid_records_are_not_believed")]),
    ("Call", &[BYTES, Test("relay::relay::a_call_in_which_nothing_moves_is_ended_for_both")]),
    ("Deposit", &[BYTES, Test("relay::relay::every_envelope_answered_queued_is_there_after_a_kill")]),
    ("Fetch", &[BYTES, Test("relay::relay::a_reply_mailbox_serves_its_safe_and_its_owner_alone")]),
    ("Ack", &[BYTES, Test("relay::lib::an_owner_acks_only_what_is_its_own")]),
    ("Challenge", &[BYTES, Test("relay::relay::a_challenge_is_good_once_and_on_its_connection")]),
    ("Refused", &[BYTES]),
    ("Done", &[BYTES]),
    ("Queued", &[BYTES, Test("wire::lib::an_envelope_id_covers_everything_but_the_ticket")]),
    ("Delivery", &[BYTES]),
    ("Drained", &[BYTES]),
    ("Challenged", &[BYTES, Test("wire::lib::a_mailbox_proof_holds_only_for_its_verb_challenge_and_ids")]),
    ("Incoming", &[BYTES]),
];
