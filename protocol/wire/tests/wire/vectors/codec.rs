//! The encoding below everything: one value, one encoding. And the numbers of the error codes.

use rohrpost_wire::{ErrorCode, codec};
use serde_json::Value;

use super::harness::{Case, Fields, File, Outcome, Read as _, Vectors, digits, fields, hex};

pub(super) const VECTORS: Vectors = Vectors { name: "codec.json", write, check };
pub(super) const ERROR_CODES: Vectors = Vectors { name: "error-codes.json", write: write_codes, check: check_code };

fn write() -> File {
    let case = |case: Case, kind: &str, bytes: &[u8]| case.with("kind", kind).with("bytes", hex(bytes));
    let yes = |name: &str, kind: &str, bytes: &[u8]| case(Case::accept(name, ""), kind, bytes);
    let no = |name: &str, kind: &str, bytes: &[u8]| case(Case::reject(name, ""), kind, bytes);
    let mut file = File::new(
        "the encoding of single values",
        "section 2",
        "accept: the value has this encoding and no other. reject: not an encoding, or not the shortest",
    );
    for (bits, highest) in [("u16", u64::from(u16::MAX)), ("u32", u64::from(u32::MAX)), ("u64", u64::MAX)] {
        for value in [0, 127, 128, 16_383, 16_384, highest] {
            file = file.case(yes(&format!("{bits} of {value}"), bits, &codec::encode(&value)));
        }
    }
    file.case(no("u16 of 65536", "u16", &codec::encode(&65_536u32)))
        .case(no("u32 of 2^32", "u32", &codec::encode(&(1u64 << 32))))
        .case(no("u64 of 2^64", "u64", &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02]))
        .case(no("u64 of eleven bytes", "u64", &[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]))
        .case(no("zero in two bytes", "u64", &[0x80, 0x00]))
        .case(no("five in two bytes", "u32", &[0x85, 0x00]))
        .case(no("a number that does not end", "u32", &[0x85]))
        .case(no("no number", "u32", &[]))
        .case(no("a byte behind a number", "u32", &[5, 0]))
        .case(yes("false", "bool", &[0]))
        .case(yes("true", "bool", &[1]))
        .case(no("neither true nor false", "bool", &[2]))
        .case(yes("bytes", "bytes", &[3, 1, 2, 3]))
        .case(yes("no bytes", "bytes", &[0]))
        .case(no("bytes with an overlong length", "bytes", &[0x83, 0x00, 1, 2, 3]))
        .case(no("fewer bytes than the length says", "bytes", &[4, 1, 2, 3]))
        .case(no("a length of 4 GiB", "bytes", &[0xff, 0xff, 0xff, 0xff, 0x0f]))
        .case(yes("text", "text", "\u{6}Müller".replace('\u{6}', "\u{7}").as_bytes()))
        .case(no("text that is not UTF-8", "text", &[2, 0xc3, 0x28]))
        .case(no("text with a surrogate", "text", &[3, 0xed, 0xa0, 0x80]))
        .case(no("text with an overlong character", "text", &[2, 0xc0, 0xaf]))
        .case(yes("an absent number", "option u32", &[0]))
        .case(yes("a present number", "option u32", &[1, 5]))
        .case(no("an option that is neither", "option u32", &[2, 5]))
}

fn check(input: &Fields) -> Outcome {
    let bytes = input.bytes("bytes");
    let value = match input.text("kind").as_str() {
        "u16" => codec::decode::<u16>(&bytes).map(|value| digits(value.into())),
        "u32" => codec::decode::<u32>(&bytes).map(|value| digits(value.into())),
        "u64" => codec::decode::<u64>(&bytes).map(digits),
        "bool" => codec::decode::<bool>(&bytes).map(Value::Bool),
        "bytes" => codec::decode::<Vec<u8>>(&bytes).map(|value| hex(&value)),
        "text" => codec::decode::<String>(&bytes).map(Value::String),
        "option u32" => {
            codec::decode::<Option<u32>>(&bytes).map(|value| value.map_or(Value::Null, |value| digits(value.into())))
        }
        other => panic!("no kind {other}"),
    };
    value.map(|value| fields([("value", value)])).map_err(|_| "")
}

fn write_codes() -> File {
    let mut file = File::new(
        "error codes",
        "section 5",
        "accept: the code of this number. reject: no code has this number; whoever receives it treats it as a fault",
    );
    for number in 0..=16u16 {
        let code = ErrorCode::from_number(number).unwrap();
        file = file.case(Case::accept(&format!("{code:?}"), "").with("number", number));
    }
    file.case(Case::reject("the first free number", "").with("number", 17))
        .case(Case::reject("the last number", "").with("number", 65_535))
}

fn check_code(input: &Fields) -> Outcome {
    let code = ErrorCode::from_number(input.number("number").try_into().unwrap()).ok_or("")?;
    Ok(fields([("code", format!("{code:?}").into())]))
}
