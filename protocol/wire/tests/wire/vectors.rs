//! The known answers in `protocol/vectors/wire`.

#[path = "../../../vectors/harness.rs"]
mod harness;

mod addresses;
mod codec;
mod frames;
mod proofs;
mod records;

#[test]
fn every_known_answer_holds_and_none_drifts() {
    let all = [
        frames::VECTORS,
        frames::LENGTHS,
        frames::ENVELOPE_IDS,
        codec::VECTORS,
        codec::ERROR_CODES,
        addresses::VECTORS,
        addresses::RELAY_URLS,
        proofs::KEYS,
        proofs::LOGIN,
        proofs::MAILBOX,
        records::RECORDS,
        records::SETS,
    ];
    harness::run("wire", &all);
}
