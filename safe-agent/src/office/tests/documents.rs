//! Importing as a stream, and listing page by page.

use std::sync::Mutex;

use ring::digest;
use rohrpost_e2ee::body::{DocumentId, TransferKey};
use rohrpost_e2ee::object::ObjectKey;
use rohrpost_wire::fixed::Fixed;

use super::*;
use crate::rows::{self, DocumentRow, PatientId};
use crate::vault::{ContentReader, MemoryStore, Row, Table, WriteSet};

/// A long stream that never exists as a whole.
struct Long {
    left: usize,
}

impl Read for Long {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let now = buffer.len().min(self.left).min(30_011);
        buffer[..now].fill(b'L');
        self.left -= now;
        Ok(now)
    }
}

/// Gives some bytes, is interrupted, gives some more and fails.
struct Failing {
    steps: u8,
}

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.steps += 1;
        match self.steps {
            2 => Err(io::ErrorKind::Interrupted.into()),
            1 | 3 => {
                buffer.fill(7);
                Ok(buffer.len())
            }
            _ => Err(io::ErrorKind::ConnectionReset.into()),
        }
    }
}

fn content(desk: &Desk, document: &str) -> Vec<u8> {
    let id = document.to_owned();
    let rows: Vec<DocumentRow> = desk.read(|draft| rows::list(draft, &[], None, 10_000));
    let row = rows.into_iter().find(|row| row.id.0.to_hex() == id).unwrap();
    let key = ObjectKey::from(&row.content_key);
    let mut reader = ContentReader::open(&desk.office.folder, row.content_id(), &key).unwrap();
    let mut bytes = vec![0; usize::try_from(reader.length()).unwrap()];
    let mut filled = 0;
    while filled < bytes.len() {
        filled += reader.read(&mut bytes[filled..]).unwrap();
    }
    bytes
}

#[test]
fn documents_of_any_length_are_kept_byte_for_byte() {
    let desk = Desk::open();
    let patient = desk.patient("Ada Example");
    for length in [0, 1, 5_000_011] {
        let Reply::DocumentAdded { document_id, patient_id, length: kept, sha256 } =
            desk.import(&patient[..6], "scan.bin", &mut Long { left: length }).unwrap()
        else {
            panic!("another reply")
        };
        let expected = vec![b'L'; length];
        assert_eq!((&patient_id, kept), (&patient, length as u64));
        assert_eq!(
            Fixed::<32>::from_hex(&sha256).unwrap().as_ref(),
            digest::digest(&digest::SHA256, &expected).as_ref()
        );
        assert!(content(&desk, &document_id) == expected, "{length}");
    }
    let (documents, next) = desk.documents(Some(&patient), None);
    assert_eq!((documents.len(), next), (3, None));
    assert!(documents.iter().all(|document| !document.shared && document.until.is_none()));
    assert_eq!(desk.status().documents, 3);
}

#[test]
fn a_source_that_fails_midway_leaves_nothing() {
    let desk = Desk::open();
    let patient = desk.patient("Ada Example");
    let before = desk.log(None).len();
    let failed = desk.import(&patient, "scan.bin", &mut Failing { steps: 0 });
    assert!(matches!(failed, Err(OfficeError::Source(error)) if error.kind() == io::ErrorKind::ConnectionReset));
    assert!(desk.content_files().is_empty());
    assert!(desk.documents(None, None).0.is_empty());
    assert_eq!(desk.log(None).len(), before);
}

#[test]
fn an_import_for_nobody_or_under_no_name_does_not_touch_its_source() {
    let desk = Desk::open();
    let patient = desk.patient("Ada Example");
    let mut source = Failing { steps: 0 };
    let unknown = desk.import("eeee", "scan.bin", &mut source);
    assert!(matches!(unknown, Err(OfficeError::NotFound(Thing::Patient))));
    for title in ["", " \r\n", &*"x".repeat(201)] {
        let title = Some(title.to_owned());
        let request = Request::DocumentAdd { patient: patient.clone(), title, file_name: "scan.bin".into() };
        assert_eq!(invalid(desk.office.perform(request, &mut source, START)), Invalid::Name);
    }
    assert_eq!(source.steps, 0);
    assert!(desk.content_files().is_empty());
}

#[test]
fn a_file_name_is_data_without_folders_and_without_what_a_terminal_obeys() {
    let desk = Desk::open();
    let patient = desk.patient("Ada Example");
    let long = format!("{}.pdf", "x".repeat(400));
    for (given, kept) in [
        ("letter.txt", "letter.txt"),
        ("/home/practice/../letter.txt", "letter.txt"),
        ("C:\\practice\\letter.txt", "letter.txt"),
        ("../../etc/passwd", "passwd"),
        ("folder/..", "document"),
        ("..", "document"),
        (" . ", "document"),
        ("", "document"),
        ("folder/", "document"),
        ("\u{0}\u{1b}[2J\u{7f}.\u{9b}.", "[2J.."),
        ("\u{1b}..\u{7}", "document"),
        (&*long, &*"x".repeat(200)),
    ] {
        let Reply::DocumentAdded { document_id, .. } = desk.import(&patient, given, &mut io::empty()).unwrap() else {
            panic!("another reply")
        };
        let (documents, _) = desk.documents(Some(&patient), None);
        let document = documents.iter().find(|document| document.document_id == document_id).unwrap();
        assert_eq!(document.file_name, kept, "{given:?}");
        assert_eq!(document.title, kept, "{given:?}");
    }
}

#[test]
fn a_title_is_kept_beside_the_file_name_and_the_type_is_that_of_the_content() {
    let desk = Desk::open();
    let patient = desk.patient("Ada Example");
    let (title, file_name) = (Some(" Blood \u{1b}count ".to_owned()), "scan.bin".to_owned());
    let request = Request::DocumentAdd { patient, title, file_name };
    desk.office.perform(request, &mut io::Cursor::new(b"%PDF-1.7 ..."), START).unwrap();
    let (documents, _) = desk.documents(None, None);
    let [document] = &documents[..] else { panic!("{} documents", documents.len()) };
    assert_eq!((&*document.title, &*document.file_name), ("Blood count", "scan.bin"));
    assert_eq!(document.media_type, "application/pdf");
}

fn seed(desk: &Desk, patient: &str, number: u16) {
    let patient = PatientId(Fixed::from_hex(patient).unwrap());
    let content_key = TransferKey::from(&ObjectKey::from_bytes([1; 32]));
    desk.read(move |draft| {
        (0..number).try_for_each(|number| {
            let mut id = [0; 16];
            id[..2].copy_from_slice(&number.to_be_bytes());
            let row = DocumentRow {
                id: DocumentId(Fixed(id)),
                patient,
                content: Fixed(id),
                content_key: content_key.clone(),
                title: "finding".into(),
                file_name: "finding.pdf".into(),
                media_type: "application/pdf".into(),
                length: 1,
                sha256: Fixed([0; 32]),
                added: START,
            };
            rows::save(draft, &row)
        })
    });
}

#[test]
fn two_thousand_five_hundred_documents_are_listed_each_once_whoever_they_belong_to() {
    let desk = Desk::open();
    let (ada, ben) = (desk.patient("Ada Example"), desk.patient("Ben Example"));
    seed(&desk, &ada, 2_500);
    seed(&desk, &ben, 1_000);
    let walk = |patient: Option<&str>| {
        let (mut all, mut sizes, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let (documents, next) = desk.documents(patient, after);
            sizes.push(documents.len());
            all.extend(documents.into_iter().map(|document| (document.patient_id, document.document_id)));
            let Some(next) = next else { break };
            after = Some(next);
        }
        let listed = all.len();
        assert!(all.is_sorted());
        all.dedup();
        assert_eq!(all.len(), listed, "none twice");
        assert!(patient.is_none_or(|patient| all.iter().all(|(of, _)| of == patient)));
        (listed, sizes)
    };
    assert_eq!(walk(Some(&ada)), (2_500, vec![1000, 1000, 500]));
    assert_eq!(walk(Some(&ben)), (1_000, vec![1000, 0]));
    assert_eq!(walk(None), (3_500, vec![1000, 1000, 1000, 500]));
}

/// A store whose next flushes can be made to fail while a keeper owns it.
#[derive(Clone, Default)]
struct Breakable(Arc<Mutex<MemoryStore>>);

impl Store for Breakable {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, StoreError> {
        self.0.lock().unwrap().get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        self.0.lock().unwrap().scan(table, prefix, after, limit)
    }

    fn apply(&mut self, writes: WriteSet) -> Result<(), StoreError> {
        self.0.lock().unwrap().apply(writes)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.0.lock().unwrap().flush()
    }
}

/// A commit that failed may be on the disk all the same. Its bytes were removed at once, and a restart could find a
/// document without content.
#[test]
fn bytes_are_removed_only_if_their_row_is_certainly_not_there() {
    for (failure, left) in [(StoreError::DiskFull, 0), (StoreError::Unavailable(10), 1)] {
        let store = Breakable::default();
        let desk = Desk::over(|_| Box::new(store.clone()));
        let patient = desk.patient("Ada Example");
        store.0.lock().unwrap().fail_next_flush(failure);
        let failed = desk.import(&patient, "scan.bin", &mut Long { left: 100 });
        let Err(OfficeError::Trouble(trouble)) = failed else { panic!("no trouble") };
        assert!(matches!(trouble.fault(), Fault::Store(error) if *error == failure));
        assert_eq!(desk.content_files().len(), left, "{failure:?}");
    }
}
