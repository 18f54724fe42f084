//! What the owner and the patients of a safe were told, to be held against what is found after a crash.
//!
//! The oracle of the vault: what was answered is there, with its own bytes, and stands in the record. What was asked and
//! not answered may be there or not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use rohrpost_safe_agent::audit::Action;

use super::found::{Found, Sha256, sha256};

/// Shared by all who ask.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    deaf: bool,
    answers: u64,
    patients: BTreeSet<String>,
    documents: BTreeMap<String, Document>,
    /// Answered requests by the patient who has the device.
    devices: BTreeMap<String, u64>,
    next: u64,
}

/// A document that was imported.
struct Document {
    sha256: Sha256,
    /// Whether it is shared; unknown while an answer is awaited.
    shared: Option<bool>,
}

/// What a comparison came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Answered, and not there.
    pub(crate) lost: u64,
    /// There with other bytes, or in another state than answered.
    pub(crate) wrong: u64,
    /// Answered, and not in the record.
    pub(crate) unrecorded: u64,
    /// Leaves of the record that do not verify.
    pub(crate) broken_leaves: u64,
}

impl Told {
    /// Nothing that is answered from now on counts, until [`Self::listen`].
    pub(crate) fn deafen(&self) {
        self.book().deaf = true;
    }

    /// Answers count.
    pub(crate) fn listen(&self) {
        self.book().deaf = false;
    }

    /// How much was answered.
    pub(crate) fn answers(&self) -> u64 {
        self.book().answers
    }

    /// A number nobody has had.
    pub(crate) fn draw(&self) -> u64 {
        let mut book = self.book();
        book.next += 1;
        book.next
    }

    /// A patient was added.
    pub(crate) fn patient(&self, id: String) {
        self.hear(|book| book.patients.extend([id]));
    }

    /// A document was imported.
    pub(crate) fn document(&self, id: String, content: &[u8]) {
        let document = Document { sha256: sha256(content), shared: Some(false) };
        self.hear(|book| book.documents.extend([(id, document)]));
    }

    /// A document is about to be shared or not.
    pub(crate) fn sharing(&self, id: &str) {
        if let Some(document) = self.book().documents.get_mut(id) {
            document.shared = None;
        }
    }

    /// A document was shared or not.
    pub(crate) fn shared(&self, id: &str, shared: bool) {
        self.hear(|book| {
            if let Some(document) = book.documents.get_mut(id) {
                document.shared = Some(shared);
            }
        });
    }

    /// A device was enrolled.
    pub(crate) fn enrolled(&self, patient: &str) {
        self.hear(|book| book.devices.extend([(patient.to_owned(), 0)]));
    }

    /// A request of a device was answered.
    pub(crate) fn answered(&self, patient: &str) {
        self.hear(|book| *book.devices.entry(patient.to_owned()).or_default() += 1);
    }

    /// Holds what was told against what is there.
    pub(crate) fn compare(&self, found: &Found) -> Findings {
        let book = self.book();
        let mut findings = Findings { broken_leaves: found.broken_leaves, ..Findings::default() };
        findings.lost += book.patients.difference(&found.patients).count() as u64;
        for (id, told) in &book.documents {
            told.compare(id, found, &mut findings);
        }
        for (patient, answered) in &book.devices {
            findings.lost += u64::from(!found.devices.contains(patient));
            findings.unrecorded += answered.saturating_sub(found.answers_recorded(patient));
        }
        findings
    }

    fn hear(&self, what: impl FnOnce(&mut Book)) {
        let mut book = self.book();
        if !book.deaf {
            book.answers += 1;
            what(&mut book);
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap()
    }
}

impl Document {
    fn compare(&self, id: &str, found: &Found, findings: &mut Findings) {
        match found.documents.get(id) {
            None => findings.lost += 1,
            Some(found) => findings.wrong += u64::from(*found != Some(self.sha256)),
        }
        findings.wrong += u64::from(self.shared.is_some_and(|shared| shared != found.shared.contains(id)));
        let imported = |action: &Action| matches!(action, Action::DocumentAdded(added) if added.0.to_hex() == id);
        findings.unrecorded += u64::from(!found.events.iter().any(|event| imported(&event.action)));
    }
}
