//! Runs of sequence numbers.

use rohrpost_e2ee::window::{SequenceError, SequenceWindow};
use serde_json::Value;

use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, digits, fields};

pub(super) const VECTORS: Vectors = Vectors { name: "windows.json", write, check };

fn write() -> File {
    let case = |case: Case, taken: &[u64], number: u64| {
        let taken: Vec<Value> = taken.iter().copied().map(digits).collect();
        case.with("taken", taken).with("number", digits(number))
    };
    let yes = |name: &str, taken: &[u64], number| case(Case::accept(name, ""), taken, number);
    let used = |name: &str, taken: &[u64], number| case(Case::refuse(name, "", "used"), taken, number);
    let outside = |name: &str, taken: &[u64], number| case(Case::refuse(name, "", "outside"), taken, number);
    File::new(
        "sequence windows: whether a number is taken after others have been, in their order",
        "section 10",
        "accept: the highest number from then on. reject: used before, or 1,024 and more from the highest",
    )
    .case(yes("the first", &[], 1))
    .case(outside("zero", &[], 0))
    .case(yes("a first that jumps as far as it may", &[], 1023))
    .case(outside("a first that jumps too far", &[], 1024))
    .case(yes("the next", &[1], 2))
    .case(used("the same", &[1], 1))
    .case(yes("an unused one below the highest", &[5], 3))
    .case(used("one that came late", &[5, 3], 3))
    .case(yes("the lower edge", &[1023, 2000], 977))
    .case(outside("below the lower edge", &[1023, 2000], 976))
    .case(yes("the upper edge", &[1000], 2023))
    .case(outside("above the upper edge", &[1000], 2024))
    .case(used("one that shares a slot with a forgotten one", &[1, 1024, 1025], 1025))
    .case(yes("a slot that was used one window ago", &[1, 1024], 1025))
    .case(used("one far below, still inside", &[7, 1000], 7))
    .case(yes("all below a jump", &[1, 2, 900], 899))
}

fn check(input: &Fields) -> Outcome {
    let mut window = SequenceWindow::default();
    for number in input["taken"].as_array().unwrap() {
        window.take(number.as_str().unwrap().parse().unwrap()).unwrap();
    }
    let number = input.number("number");
    let taken = window.check(number);
    assert_eq!(window.take(number), taken);
    taken.map_err(|error| match error {
        SequenceError::Used => "used",
        SequenceError::Outside => "outside",
    })?;
    Ok(fields([("highest", digits(window.highest()))]))
}
