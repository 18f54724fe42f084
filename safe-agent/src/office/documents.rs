//! Documents: importing them as a stream, listing them.

use std::io::{self, Read};

use rohrpost_e2ee::body::{DocumentId, TransferKey};
use rohrpost_e2ee::object::ObjectKey;
use rohrpost_wire::Timestamp;
use zeroize::Zeroizing;

use super::desk::Reply;
use super::view::{Document, rfc3339};
use super::{Office, OfficeError, Stop, people, resolve};
use crate::audit::{self, Action, Actor, Event};
use crate::media;
use crate::rows::{self, DocumentRow, GrantRow, Stored as _};
use crate::vault::{ContentDigest, ContentId, ContentWriter, Draft, remove_content, system_rng};

/// Documents in one page.
const PAGE: usize = 1000;
/// Bytes read in one go.
const BLOCK_BYTES: usize = 64 * 1024;

/// What to import.
pub(super) struct Import {
    pub(super) patient: String,
    pub(super) title: Option<String>,
    pub(super) file_name: String,
}

/// The bytes first, durable under a random name; then the row that makes them a document. A crash in between leaves
/// bytes that nobody can open, swept at the next start.
pub(super) fn add(
    office: &Office,
    import: &Import,
    content: &mut dyn Read,
    clock: Timestamp,
) -> Result<Reply, OfficeError> {
    let typed = import.patient.clone();
    let patient = office.decide(move |draft| resolve::patient(draft, &typed))?;
    let file_name = last_component(&import.file_name);
    let title = import.title.as_deref().map_or(file_name, str::trim);
    people::check_name(title).map_err(OfficeError::Invalid)?;

    let mut rng = system_rng();
    let (content_id, key) = (ContentId::generate(&mut rng), ObjectKey::generate(&mut rng));
    let (digest, start) = store(office, content_id, &key, content)?;
    let row = DocumentRow {
        id: DocumentId::generate(&mut rng),
        patient: patient.id,
        content: content_id.0,
        content_key: TransferKey::from(&key),
        title: title.to_owned(),
        file_name: file_name.to_owned(),
        media_type: media::media_type(&start, file_name).to_owned(),
        length: digest.length,
        sha256: digest.sha256,
        added: clock,
    };
    let kept = office.decide(move |draft| keep(draft, row, clock));
    if kept.is_err() {
        // The row was not written: the bytes are nobody's. What cannot be removed now is swept at the next start.
        drop(remove_content(&office.folder, content_id));
    }
    kept
}

fn keep(draft: &mut Draft<'_>, row: DocumentRow, clock: Timestamp) -> Result<Reply, Stop> {
    let now = audit::effective_time(draft, clock)?;
    let row = DocumentRow { added: now, ..row };
    rows::save(draft, &row)?;
    let event = Event::new(now, Actor::Owner, Action::DocumentAdded(row.id)).about(row.patient);
    audit::append(draft, &event, &mut system_rng())?;
    Ok(Reply::DocumentAdded {
        document_id: row.id.0.to_hex(),
        patient_id: row.patient.0.to_hex(),
        length: row.length,
        sha256: row.sha256.to_hex(),
    })
}

/// Streams the bytes into a content file. Returns its digest and its first bytes.
fn store(
    office: &Office,
    id: ContentId,
    key: &ObjectKey,
    content: &mut dyn Read,
) -> Result<(ContentDigest, Vec<u8>), OfficeError> {
    let trouble = |error| office.content_trouble(office.folder.content_path(), error);
    let mut writer = ContentWriter::create(&office.folder, id, key, &mut system_rng()).map_err(trouble)?;
    let mut block = Zeroizing::new(vec![0; BLOCK_BYTES]);
    let mut start = Vec::new();
    loop {
        let read = match content.read(&mut block) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(OfficeError::Source(error)),
        };
        let bytes = block.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            return Ok((writer.finish().map_err(trouble)?, start));
        }
        start.extend(bytes.iter().take(media::SNIFFED_BYTES.saturating_sub(start.len())));
        writer.write(bytes).map_err(trouble)?;
    }
}

/// A file name without the folders before it. What remains is data and is never opened as a path.
fn last_component(name: &str) -> &str {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name).trim();
    if last.is_empty() { "document" } else { last }
}

pub(super) fn list(
    draft: &mut Draft<'_>,
    patient: Option<&str>,
    after: Option<&str>,
    clock: Timestamp,
) -> Result<Reply, Stop> {
    let now = audit::effective_time(draft, clock)?;
    let prefix = match patient {
        Some(typed) => resolve::patient(draft, typed)?.id.0.0.to_vec(),
        None => Vec::new(),
    };
    let after = after.and_then(|place| data_encoding::HEXLOWER.decode(place.as_bytes()).ok());
    let rows: Vec<DocumentRow> = rows::list(draft, &prefix, after.as_deref(), PAGE)?;
    let next =
        if rows.len() == PAGE { rows.last().map(|row| data_encoding::HEXLOWER.encode(&row.key())) } else { None };
    let documents = rows.into_iter().map(|row| view(draft, row, now)).collect::<Result<_, Stop>>()?;
    Ok(Reply::Documents { documents, next })
}

fn view(draft: &Draft<'_>, row: DocumentRow, now: Timestamp) -> Result<Document, Stop> {
    let grant: Option<GrantRow> = rows::load(draft, &row.key())?;
    let grant = grant.filter(|grant| grant.not_after.is_none_or(|end| now <= end));
    Ok(Document {
        document_id: row.id.0.to_hex(),
        patient_id: row.patient.0.to_hex(),
        title: row.title,
        file_name: row.file_name,
        media_type: row.media_type,
        length: row.length,
        sha256: row.sha256.to_hex(),
        added: rfc3339(row.added),
        shared: grant.is_some(),
        until: grant.and_then(|grant| grant.not_after).map(rfc3339),
    })
}
