//! What the owner's acts write: each its row and its leaf, in one draft, so that neither is ever without the other.
//!
//! Plain functions of ids, a time and a source of randomness; the desk finds out first who and what is meant.

use rand_core::CryptoRng;
use rohrpost_e2ee::body::{DeviceId, DocumentId, Pin};
use rohrpost_e2ee::link::{Link, LinkSecret};
use rohrpost_wire::Timestamp;
use rohrpost_wire::records::RootChain;

use crate::audit::{self, Action, Actor, Event};
use crate::identity;
use crate::rows::{self, DeviceRow, DocumentRow, GrantRow, LinkRow, PatientId, Rights};
use crate::vault::{Draft, StoreError, Table};

/// Shares a document with its patient, until then if there is an end.
pub fn share(
    draft: &mut Draft<'_>,
    subject: PatientId,
    document: DocumentId,
    until: Option<Timestamp>,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<(), StoreError> {
    rows::save(draft, &GrantRow { subject, document, rights: Rights::SHARED, shared: now, not_after: until })?;
    note(draft, Action::Shared(document), subject, now, rng)
}

/// Takes a share back.
pub fn unshare(
    draft: &mut Draft<'_>,
    subject: PatientId,
    document: DocumentId,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<(), StoreError> {
    draft.delete(Table::Grants, &DocumentRow::key_of(&subject, &document))?;
    note(draft, Action::Unshared(document), subject, now, rng)
}

/// Makes a link that opens with this PIN.
pub fn invite(
    draft: &mut Draft<'_>,
    patient: PatientId,
    pin: Pin,
    expires: Timestamp,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Link, StoreError> {
    let (practice, identity) = identity::load(draft)?;
    let secret = LinkSecret::generate(rng);
    rows::save(draft, &LinkRow::new(secret.id(), patient, &secret.mac_key(), pin, expires))?;
    note(draft, Action::LinkMade(secret.id()), patient, now, rng)?;
    Ok(Link {
        expires,
        pin: identity.pin,
        epoch: identity.epoch,
        inbox: identity.inbox,
        secret,
        ticket: None,
        relay: practice.relay,
        chain: RootChain::of(&identity.roots).ok_or(StoreError::Damaged)?,
    })
}

/// Revokes a device, if there is one; a second time changes nothing.
pub fn revoke(
    draft: &mut Draft<'_>,
    device: DeviceId,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<(), StoreError> {
    let row: Option<DeviceRow> = rows::load(draft, &device.0.0)?;
    let Some(row) = row.filter(|row| row.revoked.is_none()) else { return Ok(()) };
    let patient = row.patient;
    rows::save(draft, &DeviceRow { revoked: Some(now), ..row })?;
    note(draft, Action::DeviceRevoked(device), patient, now, rng)
}

fn note(
    draft: &mut Draft<'_>,
    action: Action,
    patient: PatientId,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<(), StoreError> {
    audit::append(draft, &Event::new(now, Actor::Owner, action).about(patient), rng)
}
