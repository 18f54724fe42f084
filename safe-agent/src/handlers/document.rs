//! A device fetches one document's content.

use rand_core::CryptoRng;
use rohrpost_e2ee::body::{DeviceId, DocumentId, Manifest, Payload, Status, TransferKey, VersionHash};
use rohrpost_e2ee::object::{ObjectKey, SALT_BYTES};
use rohrpost_e2ee::padding;
use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;

use super::documents::shorten;
use crate::audit::{Action, Decision, Refusal};
use crate::grants::{self, Permit};
use crate::requests::{Handled, write_event};
use crate::rows::{DeviceRow, DocumentRow, PatientId, Rights};
use crate::vault::{ContentId, Draft, StoreError};

/// What is wanted of which document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) document: DocumentId,
    pub(crate) offset: u64,
    pub(crate) version: Option<VersionHash>,
}

/// Content to be sent behind a reply, with all that is needed and nothing that must be asked again, except whether the
/// device still may: that is watched while it runs.
#[derive(Debug)]
pub struct Transfer {
    /// To whom.
    pub device: DeviceId,
    /// Whose document.
    pub patient: PatientId,
    /// Which.
    pub document: DocumentId,
    /// Where its bytes lie.
    pub content: ContentId,
    /// What opens them there.
    pub content_key: ObjectKey,
    /// From which byte on.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
    /// Followed by zeros up to this length.
    pub padded: u64,
    /// What seals them on their way.
    pub object_key: ObjectKey,
    /// Fresh.
    pub salt: [u8; SALT_BYTES],
    /// What the seal is bound to.
    pub context: Vec<u8>,
    /// When the share ends, and the transfer with it.
    pub until: Option<Timestamp>,
}

pub(crate) fn handle(
    draft: &mut Draft<'_>,
    device: &DeviceRow,
    wanted: &Wanted,
    live: bool,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Handled, StoreError> {
    let permit = grants::authorise(draft, device, Rights::READ, &wanted.document, now)?;
    let until = permit.as_ref().and_then(Permit::until);
    let document = match permit.map(|permit| permit.document(draft)) {
        Some(Err(StoreError::Damaged)) => None,
        Some(loaded) => Some(loaded?),
        None => Some(None),
    };
    let (handled, decision) = match document {
        None => refused(Status::Damaged, Refusal::Damaged),
        Some(None) => refused(Status::NotAllowed, Refusal::NotAllowed),
        Some(Some(_)) if !live => refused(Status::LiveOnly, Refusal::WrongLane),
        Some(Some(document)) if !wanted.fits(&document) => refused(Status::Changed, Refusal::Changed),
        Some(Some(document)) => (send(device, &document, wanted.offset, until, rng), Decision::Allowed),
    };
    let action = Action::Read { document: wanted.document, offset: wanted.offset };
    write_event(draft, device, action, decision, now, rng)?;
    Ok(handled)
}

fn refused(status: Status, refusal: Refusal) -> (Handled, Decision) {
    (Handled::status(status), Decision::Refused(refusal))
}

impl Wanted {
    fn fits(&self, document: &DocumentRow) -> bool {
        self.offset <= document.length && self.version.is_none_or(|version| version == document.version())
    }
}

fn send(
    device: &DeviceRow,
    document: &DocumentRow,
    offset: u64,
    until: Option<Timestamp>,
    rng: &mut impl CryptoRng,
) -> Handled {
    let object_key = ObjectKey::generate(rng);
    let (mut object, mut salt) = ([0; 16], [0; SALT_BYTES]);
    rng.fill_bytes(&mut object);
    rng.fill_bytes(&mut salt);
    let length = document.length.saturating_sub(offset);
    let manifest = Manifest {
        object: Fixed(object),
        key: TransferKey::from(&object_key),
        version: document.version(),
        sha256: document.sha256,
        total: document.length,
        offset,
        length,
        padded: padding::padme(length),
        title: shorten(&document.title),
        file_name: shorten(&document.file_name),
        media_type: document.media_type.clone(),
    };
    let transfer = Transfer {
        device: device.id,
        patient: document.patient,
        document: document.id,
        content: document.content_id(),
        content_key: ObjectKey::from(&document.content_key),
        offset,
        length,
        padded: manifest.padded,
        object_key,
        salt,
        context: manifest.context(),
        until,
    };
    let payload = Payload::Object(Box::new(manifest));
    Handled { status: Status::Done, payload, transfer: Some(transfer) }
}
