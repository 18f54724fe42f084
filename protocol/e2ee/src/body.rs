//! What stands inside a sealed request and a sealed reply.
//!
//! Plaintext: nothing here prints its content. Enum variants are numbered by their order, which is part of the
//! protocol: new ones go at the end, retired ones stay.

mod bounded;
mod ids;
mod manifest;
mod pin;
mod reply;
mod request;

pub use ids::{DeviceId, DocumentId, LinkId, RequestId, VersionHash};
pub use manifest::{Manifest, TransferKey};
pub use pin::{PIN_DIGITS, Pin};
pub use reply::{DocumentEntry, DocumentPage, Enrolled, Payload, Reply, SafeStatus, Status};
pub use request::{Authentication, DEVICE_NAME_CHARS, DOCUMENTS_PER_PAGE, NAME_CHARS, Operation, RequestBody, Who};
