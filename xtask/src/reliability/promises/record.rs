//! Promises 39 to 50: what a relay sees, what is recorded, what outlives a restore, and what ships.

use crate::reliability::row::By::{Step, Test};
use crate::reliability::row::Extent::{NotBuilt, Part, Whole};
use crate::reliability::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        key: "39",
        claim: "A relay holds no name, content or secret: not on disk, in memory, in its log or on the wire.",
        extent: Whole,
        by: &[
            Test("tests::blindness::the_running_relay_and_its_disk_know_nothing_of_what_passed"),
            Test("tests::blindness::what_passes_inside_the_relays_tls_shows_nothing"),
            Test("canary::selftest::every_canary_is_found_in_every_encoding_wherever_it_begins"),
            Step("demo"),
            Step("layers"),
            Test("tests::blindness::a_copied_data_folder_and_the_log_of_a_safe_show_nothing"),
        ],
        figures: &["blindness.relay", "blindness.wire", "blindness.scanner", "blindness.safe"],
    },
    Row {
        key: "40",
        claim: "What a relay can observe does not depend on what is in the envelopes.",
        extent: Whole,
        by: &[
            Test("sim::sim::a_relay_sees_the_same_whatever_the_secrets_are"),
            Test("sim::sim::a_malicious_relay_sees_the_same_whatever_it_does_and_the_secrets_are"),
            Test("sim::sim::a_relay_sees_it_when_documents_are_longer"),
        ],
        figures: &["sim.twins", "sim.evil_twins"],
    },
    Row {
        key: "41",
        claim: "Sizes give away a class, not a length.",
        extent: Whole,
        by: &[
            Test("tests::blindness::a_size_tells_no_more_than_its_class"),
            Test("e2ee::lib::envelopes_have_class_sizes_alone"),
            Test("e2ee::lib::padme_grows_by_at_most_an_eighth_and_never_shrinks"),
            Test("e2ee::lib::a_decoy_has_the_size_and_header_of_the_smallest_reply"),
        ],
        figures: &["blindness.sizes"],
    },
    Row {
        key: "42",
        claim: "When something travels does not tell whose it is.",
        extent: Part("by the shape of a visit; times and addresses remain, and the threat model says so"),
        by: &[Test("tests::blindness::whose_document_was_fetched_is_not_told_by_the_shape_of_a_visit")],
        figures: &["blindness.visits"],
    },
    Row {
        key: "43",
        claim: "No entry of the record is changed, removed, moved or rolled back unnoticed.",
        extent: Part("by who cannot seal rows; the Merkle log, its signed heads and witnesses are not built"),
        by: &[
            Test("safe-agent::lib::a_leaf_with_any_byte_flipped_is_damage"),
            Test("safe-agent::lib::a_leaf_that_is_missing_or_moved_is_damage_in_the_middle_as_at_the_end"),
        ],
        figures: &[],
    },
    Row {
        key: "44",
        claim: "The entry is durable before the answer leaves.",
        extent: Whole,
        by: &[
            Test("tests::disk::what_a_safe_has_answered_is_there_and_recorded_after_a_kill"),
            Test("safe-agent::lib::every_decision_is_a_leaf_in_its_order"),
            Test("safe-agent::lib::a_reader_is_not_told_of_a_write_that_did_not_become_durable"),
            Test("safe-agent::lib::numbering_has_no_gap_after_a_crash"),
        ],
        figures: &[],
    },
    Row {
        key: "45",
        claim: "A restored safe is recognised, repeats no key or nonce and revives no right.",
        extent: Part("patients notice; raising the epoch at a restore is not built"),
        by: &[
            Test("safe-agent::lib::a_safe_that_was_set_back_reports_less_than_it_had_confirmed"),
            Test("patient::lib::a_safe_that_reports_less_than_was_confirmed_raises_the_alarm"),
        ],
        figures: &[],
    },
    Row {
        key: "46",
        claim: "A restored spool delivers at worst again, never something wrong.",
        extent: Whole,
        by: &[
            Test("tests::disk::a_spool_put_back_from_a_copy_brings_requests_twice_and_effects_once"),
            Test("sim::sim::no_schedule_of_a_malicious_relay_breaks_an_invariant"),
            Test("safe-agent::lib::a_read_is_answered_once_per_envelope_on_disk_too"),
            Test("relay::lib::what_has_expired_is_erased_and_a_restart_with_an_older_clock_does_not_bring_time_back"),
        ],
        figures: &["disk.spool_restored"],
    },
    Row {
        key: "47",
        claim: "Releases may be exchanged under traffic, forwards and backwards.",
        extent: NotBuilt("a second release; what an older one must not touch is left alone"),
        by: &[],
        figures: &[],
    },
    Row {
        key: "48",
        claim: "A safe behind two relays has one effect per request.",
        extent: NotBuilt("a second relay for one safe"),
        by: &[],
        figures: &[],
    },
    Row { key: "49", claim: "A hostile mail server harms no safe.", extent: NotBuilt("mail"), by: &[], figures: &[] },
    Row {
        key: "50",
        claim: "What ships is what was reviewed.",
        extent: Part("builds are not yet compared byte by byte"),
        by: &[Step("deny"), Step("floors"), Step("unsafe"), Step("layers")],
        figures: &[],
    },
];
