//! Sharing, taking back, and inviting.

use rohrpost_e2ee::body::Pin;
use rohrpost_e2ee::link::LINK_SECONDS;
use rohrpost_wire::Timestamp;

use super::desk::Reply;
use super::view::rfc3339;
use super::{Invalid, Stop, acts, resolve};
use crate::audit;
use crate::transfers::Revocation;
use crate::vault::{Draft, system_rng};

/// Where a link points when the practice has named no app: a name that is reserved and leads nowhere.
const NO_APP: &str = "https://rohrpost.invalid/";

/// A day, so that the end of the fourteenth local day is not refused.
const GRACE_SECONDS: u64 = rohrpost_wire::time::DAY;

pub(super) fn share(
    draft: &mut Draft<'_>,
    patient: &str,
    document: &str,
    until: Option<Timestamp>,
    clock: Timestamp,
) -> Result<Reply, Stop> {
    let now = audit::effective_time(draft, clock)?;
    let patient = resolve::patient(draft, patient)?;
    let document = resolve::document(draft, &patient.id, document)?;
    if until.is_some_and(|until| until <= now) {
        return Err(Invalid::Past.into());
    }
    let (subject, document) = (patient.id, document.id);
    acts::share(draft, subject, document, until, now, &mut system_rng())?;
    Ok(Reply::Shared { patient_id: subject.0.to_hex(), document_id: document.0.to_hex(), until: until.map(rfc3339) })
}

pub(super) fn unshare(
    draft: &mut Draft<'_>,
    patient: &str,
    document: &str,
    clock: Timestamp,
) -> Result<(Reply, Revocation), Stop> {
    let now = audit::effective_time(draft, clock)?;
    let patient = resolve::patient(draft, patient)?;
    let document = resolve::document(draft, &patient.id, document)?;
    acts::unshare(draft, patient.id, document.id, now, &mut system_rng())?;
    let reply = Reply::Unshared { patient_id: patient.id.0.to_hex(), document_id: document.id.0.to_hex() };
    Ok((reply, Revocation::Share(patient.id, document.id)))
}

pub(super) fn link(
    draft: &mut Draft<'_>,
    patient: &str,
    app_url: Option<&str>,
    until: Option<Timestamp>,
    clock: Timestamp,
) -> Result<Reply, Stop> {
    let now = audit::effective_time(draft, clock)?;
    let patient = resolve::patient(draft, patient)?;
    if audit::is_clock_astray(draft, clock)? {
        return Err(Invalid::Clock.into());
    }
    let expires = expiry(until, now)?;
    let app = app_url.map_or(Ok(NO_APP), check_app)?;
    let mut rng = system_rng();
    let pin = Pin::generate(&mut rng);
    let link = acts::invite(draft, patient.id, pin.clone(), expires, now, &mut rng)?;
    Ok(Reply::Link {
        patient_id: patient.id.0.to_hex(),
        link: link.to_url(app).to_string(),
        pin: String::from_utf8_lossy(pin.expose()).into_owned(),
        expires: rfc3339(expires),
    })
}

fn expiry(until: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Invalid> {
    let latest = now.plus(LINK_SECONDS);
    match until {
        None => Ok(latest),
        Some(until) if until <= now => Err(Invalid::Past),
        Some(until) if until > latest.plus(GRACE_SECONDS) => Err(Invalid::TooLate),
        Some(until) => Ok(until),
    }
}

/// The fragment is safe from a network in between only over TLS, or when there is none.
fn check_app(url: &str) -> Result<&str, Invalid> {
    let plain = url.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '#' | '\\'));
    let fits = match url.split_once("://") {
        Some(("https", rest)) => !host(rest).is_empty(),
        Some(("http", rest)) => matches!(host(rest), "localhost" | "127.0.0.1"),
        _ => false,
    };
    if plain && fits { Ok(url) } else { Err(Invalid::AppUrl) }
}

/// The host of a URL behind its scheme; empty if a user name could be mistaken for it.
fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') { "" } else { authority.split(':').next().unwrap_or_default() }
}
