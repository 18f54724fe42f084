//! Padding classes and Padmé.

use rohrpost_e2ee::padding::{pad, padme, unpad};
use serde_json::Value;

use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, digits, fields, hex};

pub(super) const VECTORS: Vectors = Vectors { name: "padding.json", write, check };

fn write() -> File {
    let mut file = File::new(
        "padding: the class a body takes, bodies taken out of their padding, padded lengths of objects",
        "section 9",
        "accept: `pad`: the padded length of a body of that length; `unpad`: the body, where the padded bytes are \
         `head`, zeros up to `length` bytes in all, the last one replaced by `last` if given; `padme`: the padded \
         length. reject: no class is large enough, or the padding is not the one there is",
    );
    for length in [0, 4092, 4093, 16_380, 16_381, 65_532, 65_533, 262_140, 262_141, 1_048_572] {
        file = file.case(pad_case(Case::accept(&format!("pad {length}"), ""), length));
    }
    file = file.case(pad_case(Case::reject("pad 1048573", "one byte beyond the largest class"), 1_048_573));
    for length in [0, 1, 2, 9, 100, 1000, 65_537, 1_000_000, 1 << 40, u64::MAX - 1, u64::MAX] {
        let case = Case::accept(&format!("padme {length}"), "").with("kind", "padme");
        file = file.case(case.with("length", digits(length)));
    }
    unpad_cases(file)
}

fn pad_case(case: Case, length: u64) -> Case {
    case.with("kind", "pad").with("length", digits(length))
}

fn unpad_cases(file: File) -> File {
    let case = |case: Case, head: &[u8], length: u64| {
        case.with("kind", "unpad").with("head", hex(head)).with("length", digits(length))
    };
    let head = [0, 0, 0, 3, 7, 8, 9];
    let full = [&4092u32.to_be_bytes()[..], &[7; 4092]].concat();
    file.case(case(Case::accept("three bytes", ""), &head, 4096))
        .case(case(Case::accept("no byte", ""), &[0; 4], 4096))
        .case(case(Case::accept("a full class", ""), &full, 4096))
        .case(case(Case::reject("a larger class than needed", ""), &head, 16_384))
        .case(case(Case::reject("one byte short of a class", ""), &head, 4095))
        .case(case(Case::reject("one byte over a class", ""), &head, 4097))
        .case(case(Case::reject("no class at all", ""), &head, 7))
        .case(case(Case::reject("a length beyond the class", ""), &[0, 0, 0x0f, 0xfd], 4096))
        .case(case(Case::reject("the longest length", ""), &[0xff; 4], 4096))
        .case(case(Case::reject("less than a length", ""), &[0; 3], 3))
        .case(Case::reject("a last byte that is not zero", "").of("three bytes").with("last", "01"))
        .case(Case::reject("a first byte of padding that is not zero", "").of("three bytes").append("head", &[0x80]))
}

fn check(input: &Fields) -> Outcome {
    let length = input.number("length");
    let size = || usize::try_from(length).unwrap();
    let (name, value) = match input.text("kind").as_str() {
        "pad" => ("padded", digits(pad(&vec![1; size()]).map_err(|_| "")?.len() as u64)),
        "unpad" => ("body", unpad_body(input, size())?),
        "padme" => ("padded", digits(padme(length))),
        other => panic!("no kind {other}"),
    };
    Ok(fields([(name, value)]))
}

fn unpad_body(input: &Fields, length: usize) -> Result<Value, &'static str> {
    let mut padded = input.bytes("head");
    padded.resize(length, 0);
    if let Some([last]) = input.array_if_any("last") {
        padded[length - 1] = last;
    }
    let body = unpad(&padded).map_err(|_| "")?;
    assert_eq!(*pad(body).unwrap(), padded);
    Ok(hex(body))
}
