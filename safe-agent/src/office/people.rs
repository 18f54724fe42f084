//! Patients.

use rohrpost_wire::Timestamp;

use super::desk::Reply;
use super::view::{Patient, rfc3339};
use super::{Invalid, Stop, resolve};
use crate::audit::{self, Action, Actor, Event};
use crate::rows::{self, PatientId, PatientRow};
use crate::texts;
use crate::vault::{Draft, system_rng};

/// Characters of a name.
pub(super) const NAME_CHARS: usize = 200;

pub(super) fn add(
    draft: &mut Draft<'_>,
    name: &str,
    birth_date: Option<String>,
    number: Option<&str>,
    clock: Timestamp,
) -> Result<Reply, Stop> {
    let name = clean_name(name)?;
    let number = number.map(clean_name).transpose()?;
    if birth_date.as_deref().is_some_and(|date| date.parse::<jiff::civil::Date>().is_err()) {
        return Err(Invalid::BirthDate.into());
    }
    let mut rng = system_rng();
    let now = audit::effective_time(draft, clock)?;
    let id = PatientId::generate(&mut rng);
    rows::save(draft, &PatientRow { id, name, birth_date, number, added: now })?;
    audit::append(draft, &Event::new(now, Actor::Owner, Action::PatientAdded).about(id), &mut rng)?;
    Ok(Reply::PatientAdded { patient_id: id.0.to_hex() })
}

/// A name as it is kept.
pub(crate) fn clean_name(name: &str) -> Result<String, Invalid> {
    let name = printable(name);
    if name.is_empty() || name.chars().count() > NAME_CHARS { Err(Invalid::Name) } else { Ok(name) }
}

/// Without the characters by which a name could move the cursor of whoever prints it or turn what stands beside it, and
/// without white space around.
pub(super) fn printable(text: &str) -> String {
    let kept: String = text.chars().filter(|c| texts::is_harmless(*c)).collect();
    kept.trim().to_owned()
}

pub(super) fn list(draft: &mut Draft<'_>) -> Result<Reply, Stop> {
    let mut patients = Vec::new();
    let damaged_rows = resolve::every(draft, |row: PatientRow| {
        patients.push(Patient {
            patient_id: row.id.0.to_hex(),
            name: row.name,
            birth_date: row.birth_date,
            number: row.number,
            added: rfc3339(row.added),
        });
    })?;
    patients.sort_by(|a, b| (&a.name, &a.patient_id).cmp(&(&b.name, &b.patient_id)));
    Ok(Reply::Patients { patients, damaged_rows })
}
