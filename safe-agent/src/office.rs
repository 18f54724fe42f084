//! The practice's own desk: what the owner does at the safe itself.
//!
//! One door, [`Office::perform`], used by the local socket of a served safe and by a command that opened the vault
//! itself. It blocks, so a served safe calls it on threads for that. The owner's acts are recorded like everybody's.

pub mod acts;
mod clock;
pub mod desk;
mod devices;
mod documents;
mod log;
mod people;
mod resolve;
mod shares;
mod status;
pub mod view;

use std::io::{self, Read};
use std::sync::Arc;

use rohrpost_wire::Timestamp;

use crate::presence::Presence;
use crate::texts;
use crate::transfers::{Revocation, Transfers};
use crate::vault::{Condition, ContentError, Draft, Folder, StoreError, Trouble, VaultHandle};

pub use desk::{Reply, Request};
pub(crate) use people::clean_name;

/// The desk of one open vault.
#[derive(Clone, Debug)]
pub struct Office {
    vault: VaultHandle,
    folder: Arc<Folder>,
    transfers: Transfers,
    presence: Presence,
    condition: Condition,
}

/// Why the owner's request was not carried out. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// No patient, document or device under this id.
    #[error("there is no such {0}")]
    NotFound(Thing),
    /// The id's beginning fits several.
    #[error("the beginning of the id fits more than one {0}")]
    Ambiguous(Thing),
    /// Something in the request cannot be.
    #[error("{0}")]
    Invalid(Invalid),
    /// The bytes of the document could not be read to their end.
    #[error("the document could not be read to its end")]
    Source(#[source] io::Error),
    /// A file of the vault, and what to do about it.
    #[error("{0}")]
    Trouble(#[from] Box<Trouble>),
}

/// What an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A patient.
    Patient,
    /// A document of the patient that was named.
    Document,
    /// A device.
    Device,
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Patient => "patient",
            Self::Document => "document",
            Self::Device => "device",
        })
    }
}

/// What cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// A name that is empty or too long.
    Name,
    /// A birth date that is no date.
    BirthDate,
    /// An end that has passed.
    Past,
    /// A link that would live too long.
    TooLate,
    /// Not a web address.
    AppUrl,
    /// A link under a clock that is astray, which would live as long as the clock is ahead.
    Clock,
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(texts::invalid(*self))
    }
}

impl Office {
    /// Opens the desk of a vault in which this was found when it was opened.
    pub fn new(
        vault: VaultHandle,
        folder: Arc<Folder>,
        transfers: Transfers,
        presence: Presence,
        condition: Condition,
    ) -> Self {
        Self { vault, folder, transfers, presence, condition }
    }

    /// Carries out one request. `content` is the document's bytes for [`Request::DocumentAdd`], and is not touched
    /// otherwise.
    pub fn perform(&self, request: Request, content: &mut dyn Read, clock: Timestamp) -> Result<Reply, OfficeError> {
        match request {
            Request::PatientAdd { name, birth_date, number } => {
                self.decide(move |draft| people::add(draft, &name, birth_date, number.as_deref(), clock))
            }
            Request::PatientList => self.decide(people::list),
            Request::DocumentAdd { patient, title, file_name } => {
                documents::add(self, &documents::Import { patient, title, file_name }, content, clock)
            }
            Request::DocumentList { patient, after } => {
                self.decide(move |draft| documents::list(draft, patient.as_deref(), after.as_deref(), clock))
            }
            Request::Share { patient, document, until } => {
                self.decide(move |draft| shares::share(draft, &patient, &document, until, clock))
            }
            Request::Unshare { patient, document } => {
                self.revoke(move |draft| shares::unshare(draft, &patient, &document, clock))
            }
            Request::Link { patient, app_url, until } => {
                self.decide(move |draft| shares::link(draft, &patient, app_url.as_deref(), until, clock))
            }
            Request::DeviceList => self.decide(devices::list),
            Request::DeviceRevoke { device } => self.revoke(move |draft| devices::revoke(draft, &device, clock)),
            Request::Log { patient, from } => self.decide(move |draft| log::page(draft, patient.as_deref(), from)),
            Request::Clock { accept } => self.decide(move |draft| clock::look(draft, accept, clock)),
            Request::Status => {
                let (presence, transfers, condition) =
                    (self.presence.clone(), self.transfers.running(), self.condition);
                self.decide(move |draft| status::report(draft, &presence, condition, transfers, clock))
            }
            Request::Condition => Ok(Reply::Condition(self.condition)),
        }
    }

    /// Decides in one transaction; durable when this returns.
    fn decide<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Draft<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, OfficeError> {
        match self.vault.transact_blocking(job).map_err(|error| self.store_trouble(error))? {
            Ok(reply) => Ok(reply),
            Err(Stop::Refused(error)) => Err(error),
            Err(Stop::Store(error)) => Err(self.store_trouble(error)),
        }
    }

    /// As [`Self::decide`], and then cancels the transfers that depended on the right.
    fn revoke(
        &self,
        job: impl FnOnce(&mut Draft<'_>) -> Result<(Reply, Revocation), Stop> + Send + 'static,
    ) -> Result<Reply, OfficeError> {
        let (reply, revocation) = self.decide(job)?;
        self.transfers.revoke(revocation);
        Ok(reply)
    }

    fn store_trouble(&self, error: StoreError) -> OfficeError {
        Box::new(Trouble::new(self.folder.database_path(), error)).into()
    }

    fn content_trouble(&self, error: ContentError) -> OfficeError {
        Box::new(Trouble::new(self.folder.content_path(), error)).into()
    }
}

/// Why a transaction of the desk was given up.
pub(crate) enum Stop {
    /// The request cannot be carried out.
    Refused(OfficeError),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<OfficeError> for Stop {
    fn from(error: OfficeError) -> Self {
        Self::Refused(error)
    }
}

impl From<Invalid> for Stop {
    fn from(invalid: Invalid) -> Self {
        Self::Refused(OfficeError::Invalid(invalid))
    }
}

#[cfg(test)]
mod tests;
