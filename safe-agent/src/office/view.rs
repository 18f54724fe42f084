//! Patients, documents, devices, decisions and the safe as the owner sees them. Plaintext: they print their kind only.

#![expect(clippy::struct_field_names, reason = "the names of the `--json` output")]

use std::fmt;

use rohrpost_wire::Timestamp;
use serde::{Deserialize, Serialize};

/// A patient.
#[derive(Clone, Serialize, Deserialize)]
pub struct Patient {
    /// The id.
    pub patient_id: String,
    /// As the practice writes it.
    pub name: String,
    /// ISO 8601.
    pub birth_date: Option<String>,
    /// The practice's own number.
    pub number: Option<String>,
    /// When added.
    pub added: String,
}

/// A document.
#[derive(Clone, Serialize, Deserialize)]
pub struct Document {
    /// The id.
    pub document_id: String,
    /// Whose.
    pub patient_id: String,
    /// For people.
    pub title: String,
    /// As it was imported.
    pub file_name: String,
    /// By content and name.
    pub media_type: String,
    /// Bytes.
    pub length: u64,
    /// Of the content.
    pub sha256: String,
    /// When imported.
    pub added: String,
    /// Whether the patient sees it now.
    pub shared: bool,
    /// Until when.
    pub until: Option<String>,
}

/// A device.
#[derive(Clone, Serialize, Deserialize)]
pub struct Device {
    /// The id.
    pub device_id: String,
    /// Whose.
    pub patient_id: String,
    /// The patient, by name.
    pub patient: String,
    /// As it called itself.
    pub name: String,
    /// When enrolled.
    pub enrolled: String,
    /// When revoked.
    pub revoked: Option<String>,
}

/// One line of the record.
#[derive(Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Its place.
    pub number: u64,
    /// When.
    pub at: String,
    /// `practice`, `safe` or `device`.
    pub actor: String,
    /// Which device.
    pub device_id: Option<String>,
    /// Whose data.
    pub patient_id: Option<String>,
    /// What for.
    pub action: String,
    /// Which document.
    pub document_id: Option<String>,
    /// How many confirmed writes were accepted as lost, if anybody could tell.
    pub missing_writes: Option<u64>,
    /// Whether it was allowed.
    pub allowed: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// How the safe is.
#[derive(Clone, Serialize, Deserialize)]
pub struct Status {
    /// Whose.
    pub practice: String,
    /// Its name for ever.
    pub safe_pin: String,
    /// Its address.
    pub inbox_id: String,
    /// Its relay.
    pub relay: String,
    /// Whether `serve` is running.
    pub served: bool,
    /// Whether it is logged in at the relay; unknown when not served.
    pub connected: Option<bool>,
    /// The epoch.
    pub epoch: u32,
    /// When the identity record ends.
    pub identity_until: String,
    /// Days until then.
    pub identity_days_left: u64,
    /// Until when prekeys are made.
    pub prekeys_until: Option<String>,
    /// What was found when the vault was opened: `sound`, `doubtful` or `damaged`.
    pub vault: String,
    /// How many.
    pub patients: u64,
    /// How many.
    pub documents: u64,
    /// How many that are not revoked.
    pub devices: u64,
    /// Links that can still be used.
    pub open_links: u64,
    /// Transfers under way.
    pub transfers: u64,
    /// Decisions recorded.
    pub decisions: u64,
    /// Days by which the clock is further ahead than the safe believes.
    #[serde(default)]
    pub clock_ahead_days: Option<u64>,
    /// Rows that cannot be read, of those counted above, of grants and of prekeys.
    #[serde(default)]
    pub damaged_rows: u64,
}

impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patient")
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document")
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Device")
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entry")
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Status")
    }
}

/// A time as people and programs read it: RFC 3339, UTC.
pub fn rfc3339(time: Timestamp) -> String {
    let seconds = i64::try_from(time.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "beyond all calendars".to_owned(), |time| time.to_string())
}
