//! What is shared: all of it, page after page, or the one document that a few characters name.

use rohrpost_e2ee::DocumentId;
use rohrpost_e2ee::body::{DocumentEntry, DocumentPage, Operation, Payload, Status};
use rohrpost_wire::fixed::Fixed;

use crate::problem::{DocumentProblem, Problem};
use crate::session::Session;

/// Pages that are asked for: 100,000 documents are more than a patient has, and a bound on what a safe can send.
const PAGES: usize = 1000;
/// The fewest characters that name a document.
const FEWEST_DIGITS: usize = 4;
const ID_DIGITS: usize = 32;

/// All documents that are shared with this patient now, in the order of their ids.
pub async fn all(session: &mut Session) -> Result<Vec<DocumentEntry>, Problem> {
    let mut documents: Vec<DocumentEntry> = Vec::new();
    for _ in 0..PAGES {
        let page = page(session, documents.last().map(|last| last.id)).await?;
        let more = page.more && !page.documents.is_empty();
        documents.extend(page.documents);
        if !more {
            break;
        }
    }
    Ok(documents)
}

/// The one document whose id begins so.
pub async fn find(session: &mut Session, prefix: &IdPrefix) -> Result<DocumentEntry, Problem> {
    let page = page(session, prefix.before()).await?;
    let mut named = page.documents.into_iter().filter(|document| prefix.names(&document.id));
    let document = named.next().ok_or(DocumentProblem::NotFound)?;
    if named.next().is_some() { Err(DocumentProblem::IdAmbiguous.into()) } else { Ok(document) }
}

async fn page(session: &mut Session, after: Option<DocumentId>) -> Result<DocumentPage, Problem> {
    let reply = session.ask(Operation::Documents { after }).await?.reply;
    match (reply.status, reply.payload) {
        (Status::Done, Payload::Documents(page)) => Ok(page),
        (status, _) => Err(Problem::of_status(status)),
    }
}

/// The first digits of a document's id, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdPrefix(String);

impl IdPrefix {
    /// Reads it as a person types it.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let digits = text.trim().to_ascii_lowercase();
        let fits = (FEWEST_DIGITS..=ID_DIGITS).contains(&digits.len());
        if fits && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(digits))
        } else {
            Err(DocumentProblem::IdMalformed.into())
        }
    }

    fn names(&self, id: &DocumentId) -> bool {
        id.0.to_hex().starts_with(&self.0)
    }

    /// The id right before the first that begins so: a page after it starts with all that do. `None` if there is none
    /// before it.
    fn before(&self) -> Option<DocumentId> {
        let first = u128::from_str_radix(&format!("{:0<ID_DIGITS$}", self.0), 16).ok()?;
        first.checked_sub(1).map(|before| DocumentId(Fixed(before.to_be_bytes())))
    }
}

/// How many digits of their ids tell these documents apart; at least eight, so that a script's prefix keeps for long.
pub fn telling_digits(documents: &[DocumentEntry]) -> usize {
    let ids: Vec<String> = documents.iter().map(|document| document.id.0.to_hex()).collect();
    let shared = |(a, b): (&String, &String)| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    // In the order of ids, neighbours are most alike.
    let alike = ids.iter().zip(ids.iter().skip(1)).map(shared).max();
    alike.map_or(8, |alike| (alike + 1).clamp(8, ID_DIGITS))
}

#[cfg(test)]
mod tests {
    use rohrpost_e2ee::VersionHash;
    use rohrpost_wire::Timestamp;

    use super::*;

    fn id(hex: &str) -> DocumentId {
        DocumentId(Fixed::from_hex(&format!("{hex:0<32}")).unwrap())
    }

    fn entry(hex: &str) -> DocumentEntry {
        DocumentEntry {
            id: id(hex),
            version: VersionHash(Fixed([0; 32])),
            title: String::new(),
            file_name: String::new(),
            media_type: String::new(),
            length: 0,
            shared: Timestamp(0),
            until: None,
        }
    }

    #[test]
    fn an_id_is_named_by_four_to_all_of_its_digits() {
        for text in ["abc", "", "xyzw", &"a".repeat(33), "ab cd"] {
            assert!(matches!(IdPrefix::parse(text), Err(Problem::Document(DocumentProblem::IdMalformed))), "{text}");
        }
        assert!(IdPrefix::parse(" ABCD ").unwrap().names(&id("abcd")));
        assert!(IdPrefix::parse(&"a".repeat(32)).is_ok());
        assert!(!IdPrefix::parse("abcd").unwrap().names(&id("abce")));
    }

    #[test]
    fn a_page_after_the_id_before_a_prefix_begins_with_what_the_prefix_names() {
        let before = |text: &str| IdPrefix::parse(text).unwrap().before();
        assert_eq!(before("0000"), None);
        let last = before("abcd").unwrap();
        assert!(last < id("abcd") && last >= id("abcc"));
        assert_eq!(last.0.to_hex(), format!("abcc{}", "f".repeat(28)));
        assert_eq!(before(&format!("{}1", "0".repeat(31))), Some(id("0")));
    }

    #[test]
    fn short_ids_are_long_enough_to_tell_documents_apart() {
        assert_eq!(telling_digits(&[]), 8);
        assert_eq!(telling_digits(&[entry("1"), entry("2")]), 8);
        assert_eq!(telling_digits(&[entry("0123456789a1"), entry("0123456789a2"), entry("ff")]), 12);
    }
}
