//! The known answers in `protocol/vectors/e2ee`.

#[path = "../../../vectors/harness.rs"]
mod harness;

mod bodies;
mod describe;
mod keys;
mod links;
mod objects;
mod padding;
mod reference;
mod replies;
mod requests;
mod trust;
mod windows;

#[test]
fn every_known_answer_holds_and_none_drifts() {
    let all = [
        keys::VECTORS,
        keys::NAMES,
        padding::VECTORS,
        windows::VECTORS,
        bodies::VECTORS,
        links::VECTORS,
        objects::VECTORS,
        objects::MANIFESTS,
        trust::VECTORS,
        requests::VECTORS,
        replies::VECTORS,
    ];
    harness::run("e2ee", &all);
}
