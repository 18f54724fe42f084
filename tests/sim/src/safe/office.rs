//! What the practice does at its own safe, by the product's own acts where the product has them apart from its disk.

use std::sync::Arc;

use ring::digest;
use rohrpost_e2ee::body::{DeviceId, DocumentId, Pin, TransferKey};
use rohrpost_e2ee::link::{LINK_SECONDS, Link};
use rohrpost_e2ee::object::ObjectKey;
use rohrpost_safe_agent::audit::{self, Action, Actor, Event};
use rohrpost_safe_agent::handlers::enrol::REQUESTS_PER_LINK;
use rohrpost_safe_agent::office::acts;
use rohrpost_safe_agent::rows::{self, DeviceRow, DocumentRow, GrantRow, LinkRow, PatientId, PatientRow};
use rohrpost_safe_agent::vault::{ContentId, Draft, StoreError};
use rohrpost_wire::Timestamp;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::records::RootChain;

use super::Safe;
use super::answering::Held;
use crate::port::FromPeer;
use crate::random::Rng;
use crate::time::Millis;

/// A link and its PIN, on their two ways to a patient.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// One way.
    pub link: Link,
    /// Another way.
    pub pin: Pin,
}

impl Safe {
    /// Adds a patient.
    pub fn add_patient(&mut self, name: &str, now: Millis) -> (PatientId, Vec<FromPeer>) {
        self.act(now, |draft, at, rng| {
            let id = PatientId::generate(rng);
            rows::save(draft, &PatientRow { id, name: name.into(), birth_date: None, number: None, added: at })?;
            note(draft, at, id, Action::PatientAdded, rng)?;
            Ok(id)
        })
    }

    /// Imports a document and shares it.
    pub fn add_document(
        &mut self,
        patient: PatientId,
        title: &str,
        content: Arc<Vec<u8>>,
        now: Millis,
    ) -> (DocumentId, Vec<FromPeer>) {
        let (length, sha256) = (content.len() as u64, sha256(&content));
        let (row, out) = self.act(now, |draft, at, rng| {
            let row = DocumentRow {
                id: DocumentId::generate(rng),
                patient,
                content: ContentId::generate(rng).0,
                content_key: TransferKey::from(&ObjectKey::generate(rng)),
                title: title.into(),
                file_name: format!("{title}.pdf"),
                media_type: "application/pdf".into(),
                length,
                sha256,
                added: at,
            };
            rows::save(draft, &row)?;
            note(draft, at, patient, Action::DocumentAdded(row.id), rng)?;
            acts::share(draft, patient, row.id, None, at, rng)?;
            Ok(row)
        });
        // As in the product, the content is there before the row that names it is.
        self.contents.insert(row.content_id(), content);
        (row.id, out)
    }

    /// Shares a document with its patient, if it is there: a crash may have taken its import.
    pub fn share(&mut self, patient: PatientId, document: DocumentId, now: Millis) -> Vec<FromPeer> {
        self.act(now, |draft, at, rng| {
            let row: Option<DocumentRow> = rows::load(draft, &DocumentRow::key_of(&patient, &document))?;
            if row.is_some() { acts::share(draft, patient, document, None, at, rng) } else { Ok(()) }
        })
        .1
    }

    /// Takes a share back, if there is one.
    pub fn unshare(&mut self, patient: PatientId, document: DocumentId, now: Millis) -> Vec<FromPeer> {
        self.act(now, |draft, at, rng| {
            let key = DocumentRow::key_of(&patient, &document);
            if rows::load::<GrantRow>(draft, &key)?.is_none() {
                return Ok(());
            }
            acts::unshare(draft, patient, document, at, rng)
        })
        .1
    }

    /// Makes a link and its PIN: another in every world of secrets.
    pub fn invite(&mut self, patient: PatientId, secrets: u8, now: Millis) -> (Invitation, Vec<FromPeer>) {
        let published = RootChain::of(self.published_roots());
        self.act(now, |draft, at, rng| {
            let (pin, expires) = (other_world(&Pin::generate(rng), secrets), at.plus(LINK_SECONDS));
            let link = acts::invite(draft, patient, pin.clone(), expires, at, rng)?;
            let chain = published.unwrap_or(link.chain);
            Ok(Invitation { link: Link { chain, ..link }, pin })
        })
    }

    /// Revokes a device, if it is there.
    pub fn revoke(&mut self, device: DeviceId, now: Millis) -> Vec<FromPeer> {
        self.act(now, |draft, at, rng| acts::revoke(draft, device, at, rng)).1
    }

    /// All devices of a patient.
    pub fn devices(&self, patient: PatientId) -> Vec<DeviceRow> {
        let all: Vec<DeviceRow> = self.read(|draft| rows::list(draft, &[], None, usize::MAX));
        all.into_iter().filter(|row| row.patient == patient).collect()
    }

    /// Whether a link can still enrol somebody.
    pub fn is_open(&self, link: &Link, now: Millis) -> bool {
        let row: Option<LinkRow> = self.read(|draft| rows::load(draft, &link.secret.id().0.0));
        let time = self.clock.read(now);
        let time = self.read(|draft| audit::effective_time(draft, time));
        row.is_some_and(|row| {
            let tries = row.attempts < rohrpost_e2ee::link::PIN_TRIES || !row.uncompared.is_empty();
            // A link that has been asked a lot is as good as used up for a patient who is still to try.
            let room = row.recorded < REQUESTS_PER_LINK / 2;
            row.used_by.is_none() && tries && row.expires > time && room
        })
    }

    /// One act of the practice, durable with the next flush: where the safe is down, with the end of the command.
    fn act<T>(
        &mut self,
        now: Millis,
        job: impl FnOnce(&mut Draft<'_>, Timestamp, &mut Rng) -> Result<T, StoreError>,
    ) -> (T, Vec<FromPeer>) {
        let done = self.transact(now, |draft, clock, rng| {
            let at = audit::effective_time(draft, clock)?;
            job(draft, at, rng)
        });
        (done, self.hold(Held::Nothing))
    }

    /// Ends a command that opened a safe which is down: what it did is flushed.
    pub fn end_command(&mut self) {
        self.flush_store();
    }
}

/// The PIN that this one is in another world.
#[expect(clippy::expect_used, reason = "six digits are a PIN")]
fn other_world(pin: &Pin, secrets: u8) -> Pin {
    let digits = pin.expose().map(|digit| char::from(b'0' + (digit - b'0' + secrets % 10) % 10));
    Pin::parse(&String::from_iter(digits)).expect("six digits")
}

fn note(
    draft: &mut Draft<'_>,
    at: Timestamp,
    patient: PatientId,
    action: Action,
    rng: &mut Rng,
) -> Result<(), StoreError> {
    audit::append(draft, &Event::new(at, Actor::Owner, action).about(patient), rng)
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> Fixed<32> {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    Fixed(hash)
}
