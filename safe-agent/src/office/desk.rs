//! What the owner can ask at the safe itself, and what comes back.
//!
//! The same values travel over the local socket and become the `--json` output: ids are lower-case hexadecimal, times
//! RFC 3339 UTC.

use rohrpost_wire::Timestamp;
use serde::{Deserialize, Serialize};

use super::view::{Device, Document, Entry, Patient, Status};
use crate::vault::Condition;

/// One request of the owner. The content of a document follows it as a stream.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Request {
    /// Adds a patient.
    PatientAdd {
        /// As the practice writes it.
        name: String,
        /// ISO 8601.
        birth_date: Option<String>,
        /// The practice's own number.
        number: Option<String>,
    },
    /// Lists patients.
    PatientList,
    /// Imports a document; nobody sees it until it is shared.
    DocumentAdd {
        /// Whose.
        patient: String,
        /// For people; the file's name if there is none.
        title: Option<String>,
        /// Data, never a path.
        file_name: String,
    },
    /// Lists documents, a page at a time.
    DocumentList {
        /// Whose; all if none.
        patient: Option<String>,
        /// Continue after this place.
        after: Option<String>,
    },
    /// Shares a document with its patient.
    Share {
        /// The patient.
        patient: String,
        /// The document.
        document: String,
        /// Until when, that second included.
        until: Option<Timestamp>,
    },
    /// Takes a share back, from transfers under way too.
    Unshare {
        /// The patient.
        patient: String,
        /// The document.
        document: String,
    },
    /// Makes a link and its PIN.
    Link {
        /// For whom.
        patient: String,
        /// Where the app for browsers lives.
        app_url: Option<String>,
        /// Until when, at most 14 days ahead.
        until: Option<Timestamp>,
    },
    /// Lists devices.
    DeviceList,
    /// Revokes a device, its transfers under way too.
    DeviceRevoke {
        /// Which.
        device: String,
    },
    /// Reads the record of decisions, a page at a time.
    Log {
        /// About whom; everybody if none.
        patient: Option<String>,
        /// From this number on.
        from: u64,
    },
    /// How the safe is.
    Status,
    /// What was found when the vault was opened.
    Condition,
    /// Holds the clock against the safe's own time.
    Clock {
        /// Vouches for the clock.
        accept: bool,
    },
}

/// What the owner is told.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reply {
    /// A patient was added.
    PatientAdded {
        /// The new patient.
        patient_id: String,
    },
    /// All patients.
    Patients {
        /// By name.
        patients: Vec<Patient>,
        /// Rows that cannot be read and were left out.
        #[serde(default)]
        damaged_rows: u64,
    },
    /// A document was imported.
    DocumentAdded {
        /// The new document.
        document_id: String,
        /// Whose.
        patient_id: String,
        /// Bytes.
        length: u64,
        /// Of the content.
        sha256: String,
    },
    /// Documents.
    Documents {
        /// In the order of their ids.
        documents: Vec<Document>,
        /// The place to continue after, if there are more.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
        /// Rows that cannot be read and were left out.
        #[serde(default)]
        damaged_rows: u64,
    },
    /// A document is shared.
    Shared {
        /// The patient.
        patient_id: String,
        /// The document.
        document_id: String,
        /// Until when.
        until: Option<String>,
    },
    /// A document is not shared.
    Unshared {
        /// The patient.
        patient_id: String,
        /// The document.
        document_id: String,
    },
    /// A link was made.
    Link {
        /// For whom.
        patient_id: String,
        /// Goes one way.
        link: String,
        /// Goes another way.
        pin: String,
        /// Until when.
        expires: String,
    },
    /// All devices.
    Devices {
        /// By the time of their enrolment.
        devices: Vec<Device>,
        /// Rows that cannot be read and were left out.
        #[serde(default)]
        damaged_rows: u64,
    },
    /// A device was revoked.
    DeviceRevoked {
        /// Which.
        device_id: String,
    },
    /// Part of the record.
    Log {
        /// In order.
        entries: Vec<Entry>,
        /// The number to continue from, if there is more.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<u64>,
        /// Rows that cannot be read and were left out.
        #[serde(default)]
        damaged_rows: u64,
    },
    /// How the safe is.
    Status(Box<Status>),
    /// What was found when the vault was opened.
    Condition(Condition),
    /// The clock and the safe's own time.
    Clock {
        /// By this machine's clock.
        clock: String,
        /// The latest time at which the safe has acted.
        acted: String,
        /// Days by which the clock is further ahead than the safe believes.
        ahead_days: Option<u64>,
        /// Whether the practice has just vouched for it.
        accepted: bool,
    },
}

impl Reply {
    /// How many rows were left out, or counted, because they cannot be read.
    pub fn damaged_rows(&self) -> u64 {
        match self {
            Self::Patients { damaged_rows, .. }
            | Self::Documents { damaged_rows, .. }
            | Self::Devices { damaged_rows, .. }
            | Self::Log { damaged_rows, .. } => *damaged_rows,
            Self::Status(status) => status.damaged_rows,
            Self::PatientAdded { .. }
            | Self::DocumentAdded { .. }
            | Self::Shared { .. }
            | Self::Unshared { .. }
            | Self::Link { .. }
            | Self::DeviceRevoked { .. }
            | Self::Condition(_)
            | Self::Clock { .. } => 0,
        }
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Request")
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reply")
    }
}
