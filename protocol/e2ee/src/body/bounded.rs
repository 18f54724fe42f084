//! Texts and lists that are refused beyond their bound while they are read, not cut or trusted afterwards.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::reply::DocumentEntry;
use super::request::{DEVICE_NAME_CHARS, DOCUMENTS_PER_PAGE, NAME_CHARS};

/// Reads the name of a device.
pub(super) fn device_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer, DEVICE_NAME_CHARS)
}

/// Reads a title, file name or media type.
pub(super) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer, NAME_CHARS)
}

/// Reads the entries of a page.
pub(super) fn page<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DocumentEntry>, D::Error> {
    deserializer.deserialize_seq(Page)
}

fn text<'de, D: Deserializer<'de>>(deserializer: D, chars: usize) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.chars().nth(chars).is_none() {
        Ok(text)
    } else {
        Err(D::Error::invalid_length(text.len(), &"a shorter text"))
    }
}

struct Page;

impl<'de> Visitor<'de> for Page {
    type Value = Vec<DocumentEntry>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {DOCUMENTS_PER_PAGE} documents")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut documents = Vec::new();
        while let Some(entry) = sequence.next_element()? {
            if documents.len() == DOCUMENTS_PER_PAGE {
                return Err(A::Error::invalid_length(DOCUMENTS_PER_PAGE + 1, &self));
            }
            documents.push(entry);
        }
        Ok(documents)
    }
}

#[cfg(test)]
mod tests {
    use rohrpost_wire::fixed::Fixed;
    use rohrpost_wire::{DecodeError, Timestamp, codec};

    use super::super::{DocumentId, DocumentPage, Operation, Pin, SafeStatus, VersionHash};
    use super::*;

    fn entry(name: usize) -> DocumentEntry {
        DocumentEntry {
            id: DocumentId(Fixed([1; 16])),
            version: VersionHash(Fixed([2; 32])),
            title: "t".into(),
            file_name: "\u{10348}".repeat(name),
            media_type: "text/plain".into(),
            length: 3,
            shared: Timestamp(4),
            until: None,
        }
    }

    fn reads_back<T>(value: &T) -> bool
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq,
    {
        codec::decode::<T>(&codec::encode(value)).is_ok_and(|read| read == *value)
    }

    #[test]
    fn a_full_page_reads_back_and_one_entry_more_is_refused() {
        let page = |documents| DocumentPage { documents: vec![entry(1); documents], more: true };
        assert!(reads_back(&page(DOCUMENTS_PER_PAGE)));
        assert!(!reads_back(&page(DOCUMENTS_PER_PAGE + 1)));
    }

    #[test]
    fn names_are_counted_in_characters() {
        assert!(reads_back(&entry(NAME_CHARS)));
        assert!(!reads_back(&entry(NAME_CHARS + 1)));
        let status = |chars| SafeStatus {
            practice: String::new(),
            patient: String::new(),
            device_name: "\u{e4}".repeat(chars),
            documents: 0,
        };
        assert!(reads_back(&status(DEVICE_NAME_CHARS)));
        assert!(!reads_back(&status(DEVICE_NAME_CHARS + 1)));
    }

    #[test]
    fn a_pin_is_six_ascii_digits() {
        assert!(codec::decode::<Pin>(b"012345").is_ok());
        for bytes in [b"01234a", b"01234 ", b"\0\0\0\0\0\0", b"12345:", b"12345/"] {
            assert_eq!(codec::decode::<Pin>(bytes), Err(DecodeError));
        }
        let operation = [&[0][..], b"01234a", &[0]].concat();
        assert_eq!(codec::decode::<Operation>(&operation), Err(DecodeError));
    }
}
