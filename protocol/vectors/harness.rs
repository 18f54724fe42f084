//! Reads, checks and writes the files of this folder; included by the tests of `protocol/wire` and `protocol/e2ee`.
//!
//! A case is a set of named inputs. Checking is one function from inputs to outputs or a refusal, so what stands in a
//! file is all that a second implementation needs. The format is described in `README.md` beside this file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Named values of a case.
pub(crate) type Fields = BTreeMap<String, Value>;

/// Outputs, or the class of the refusal; an empty class where none may be told apart.
pub(crate) type Outcome = Result<Fields, &'static str>;

/// One file: how its cases are made, and what is done with the inputs of one.
pub(crate) struct Vectors {
    pub(crate) name: &'static str,
    pub(crate) write: fn() -> File,
    pub(crate) check: fn(&Fields) -> Outcome,
}

/// The content of one file.
#[derive(Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) what: String,
    pub(crate) source: String,
    pub(crate) expect: String,
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub(crate) common: Fields,
    pub(crate) cases: Vec<Case>,
}

/// One case. Its inputs are `common`, then those of the case it is `of`, then its own; then the bytes are changed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) expect: Expect,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<String>,
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub(crate) input: Fields,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) flip: BTreeMap<String, usize>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) cut: BTreeMap<String, usize>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) append: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub(crate) output: Fields,
}

/// Whether an implementation must take a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Expect {
    Accept,
    Reject,
}

impl File {
    pub(crate) fn new(what: &str, source: &str, expect: &str) -> Self {
        Self {
            what: what.into(),
            source: format!("docs/protocol.md, {source}"),
            expect: expect.into(),
            common: Fields::new(),
            cases: Vec::new(),
        }
    }

    /// Adds an input of every case.
    pub(crate) fn common(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.common.insert(name.into(), value.into());
        self
    }

    /// Adds a case.
    pub(crate) fn case(mut self, case: Case) -> Self {
        self.cases.push(case);
        self
    }

    /// The inputs of a case, all references and changes carried out.
    fn resolve(&self, case: &Case) -> Fields {
        let mut input = match &case.of {
            Some(name) => self.resolve(self.find(name)),
            None => self.common.clone(),
        };
        input.extend(case.input.clone());
        for (name, at) in &case.flip {
            change(&mut input, name, |bytes| bytes[*at] ^= 1);
        }
        for (name, length) in &case.cut {
            change(&mut input, name, |bytes| bytes.truncate(*length));
        }
        for (name, more) in &case.append {
            change(&mut input, name, |bytes| bytes.extend(unhex(more)));
        }
        input
    }

    fn find(&self, name: &str) -> &Case {
        self.cases.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case named {name}"))
    }
}

fn change(input: &mut Fields, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = input.bytes(name);
    let before = bytes.clone();
    change(&mut bytes);
    assert_ne!(bytes, before, "a change of {name} that changes nothing");
    input.insert(name.into(), hex(&bytes));
}

impl Case {
    pub(crate) fn accept(name: &str, comment: &str) -> Self {
        Self {
            name: name.into(),
            comment: comment.into(),
            expect: Expect::Accept,
            reason: None,
            of: None,
            input: Fields::new(),
            flip: BTreeMap::new(),
            cut: BTreeMap::new(),
            append: BTreeMap::new(),
            output: Fields::new(),
        }
    }

    /// A case that is refused without a word.
    pub(crate) fn reject(name: &str, comment: &str) -> Self {
        Self { expect: Expect::Reject, ..Self::accept(name, comment) }
    }

    /// A case that is refused for a reason that the other side, or the caller, is told.
    pub(crate) fn refuse(name: &str, comment: &str, reason: &str) -> Self {
        Self { reason: Some(reason.into()), ..Self::reject(name, comment) }
    }

    pub(crate) fn of(mut self, name: &str) -> Self {
        self.of = Some(name.into());
        self
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.input.insert(name.into(), value.into());
        self
    }

    pub(crate) fn flip(mut self, name: &str, at: usize) -> Self {
        self.flip.insert(name.into(), at);
        self
    }

    pub(crate) fn cut(mut self, name: &str, length: usize) -> Self {
        self.cut.insert(name.into(), length);
        self
    }

    pub(crate) fn append(mut self, name: &str, more: &[u8]) -> Self {
        self.append.insert(name.into(), hex_text(more));
        self
    }
}

/// Reading inputs by name and kind.
pub(crate) trait Read {
    fn text(&self, name: &str) -> String;
    fn bytes(&self, name: &str) -> Vec<u8>;
    fn array<const N: usize>(&self, name: &str) -> [u8; N];
    fn number(&self, name: &str) -> u64;
    fn inner(&self, name: &str) -> Option<Fields>;
    fn bytes_if_any(&self, name: &str) -> Option<Vec<u8>>;
    fn array_if_any<const N: usize>(&self, name: &str) -> Option<[u8; N]>;
}

impl Read for Fields {
    fn text(&self, name: &str) -> String {
        self.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no text {name}")).to_owned()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        unhex(&self.text(name))
    }

    fn array<const N: usize>(&self, name: &str) -> [u8; N] {
        self.bytes(name).try_into().unwrap_or_else(|_| panic!("{name} has not {N} bytes"))
    }

    fn number(&self, name: &str) -> u64 {
        match self.get(name) {
            Some(Value::String(digits)) => digits.parse().unwrap(),
            Some(Value::Number(number)) => number.as_u64().unwrap(),
            _ => panic!("no number {name}"),
        }
    }

    fn inner(&self, name: &str) -> Option<Fields> {
        self.get(name)?.as_object().map(|map| map.clone().into_iter().collect())
    }

    fn bytes_if_any(&self, name: &str) -> Option<Vec<u8>> {
        self.get(name).and_then(Value::as_str).map(unhex)
    }

    fn array_if_any<const N: usize>(&self, name: &str) -> Option<[u8; N]> {
        self.bytes_if_any(name).map(|bytes| bytes.try_into().unwrap_or_else(|_| panic!("{name} has not {N} bytes")))
    }
}

/// Named values from pairs.
pub(crate) fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Named values as one value.
pub(crate) fn object<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Object(fields(pairs).into_iter().collect())
}

/// Bytes as they stand in a file.
pub(crate) fn hex(bytes: &[u8]) -> Value {
    Value::String(hex_text(bytes))
}

/// Bytes that may be absent.
pub(crate) fn hex_if_any(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, hex)
}

/// A number of 64 bits as it stands in a file: decimal digits, since not every JSON reader holds it.
pub(crate) fn digits(number: u64) -> Value {
    Value::String(number.to_string())
}

fn hex_text(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn unhex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

/// Checks every file of one folder against its cases, that writing it again changes no byte, and that the folder holds
/// nothing else. With `ROHRPOST_WRITE_VECTORS=1` in the environment the files are written first.
pub(crate) fn run(folder: &str, all: &[Vectors]) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(folder);
    let write = std::env::var_os("ROHRPOST_WRITE_VECTORS").is_some_and(|value| value == "1");
    for vectors in all {
        let path = folder.join(vectors.name);
        let fresh = render(vectors);
        if write {
            std::fs::write(&path, &fresh).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} cannot be read", vectors.name));
        check(vectors, &serde_json::from_str(&kept).unwrap());
        assert!(kept == fresh, "{} is not what the code writes", vectors.name);
    }
    let mut found: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let mut expected: Vec<_> = all.iter().map(|vectors| vectors.name.to_owned()).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "files in {}", folder.display());
}

fn check(vectors: &Vectors, file: &File) {
    assert!(!file.cases.is_empty(), "{} has no case", vectors.name);
    for case in &file.cases {
        let outcome = (vectors.check)(&file.resolve(case));
        let at = format!("{}: {}", vectors.name, case.name);
        match (case.expect, outcome) {
            (Expect::Accept, Ok(output)) => assert_eq!(output, case.output, "{at}"),
            (Expect::Reject, Err(reason)) => assert_eq!(reason, case.reason.as_deref().unwrap_or(""), "{at}"),
            (expected, outcome) => panic!("{at}: expected {expected:?}, got {outcome:?}"),
        }
    }
}

/// The file as it stands on disk. Outputs are what the check says; whether a case is taken is what its maker says.
fn render(vectors: &Vectors) -> String {
    let mut file = (vectors.write)();
    for at in 0..file.cases.len() {
        let name = file.cases[at].name.clone();
        assert_eq!(file.cases.iter().filter(|case| case.name == name).count(), 1, "two cases named {name}");
        if file.cases[at].expect == Expect::Accept {
            let outcome = (vectors.check)(&file.resolve(&file.cases[at]));
            file.cases[at].output = sorted_fields(outcome.unwrap_or_else(|_| panic!("{name} is refused")));
        }
        file.cases[at].input = sorted_fields(std::mem::take(&mut file.cases[at].input));
    }
    file.common = sorted_fields(file.common);
    serde_json::to_string_pretty(&file).unwrap() + "\n"
}

fn sorted_fields(fields: Fields) -> Fields {
    fields.into_iter().map(|(name, value)| (name, sorted(value))).collect()
}

/// With keys in the order of their letters, however this build's JSON maps keep them.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let map: Fields = map.into_iter().collect();
            Value::Object(sorted_fields(map).into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => value,
    }
}
