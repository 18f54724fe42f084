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
use crate::grants;
use crate::media;
use crate::rows::{self, DocumentRow, GrantRow, Page, Rights, Stored as _};
use crate::vault::{ContentDigest, ContentId, ContentWriter, Draft, Fault, StoreError, remove_content, system_rng};

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
    let file_name = file_name_of(&import.file_name);
    let title = people::clean_name(import.title.as_deref().unwrap_or(&file_name)).map_err(OfficeError::Invalid)?;

    let mut rng = system_rng();
    let (content_id, key) = (ContentId::generate(&mut rng), ObjectKey::generate(&mut rng));
    let (digest, start) = store(office, content_id, &key, content)?;
    let row = DocumentRow {
        id: DocumentId::generate(&mut rng),
        patient: patient.id,
        content: content_id.0,
        content_key: TransferKey::from(&key),
        title,
        media_type: media::media_type(&start, &file_name).to_owned(),
        file_name,
        length: digest.length,
        sha256: digest.sha256,
        added: clock,
    };
    let kept = office.decide(move |draft| keep(draft, row, clock));
    if kept.as_ref().is_err_and(is_undone) {
        // The bytes are nobody's. What cannot be removed now is swept at the next start.
        drop(remove_content(&office.folder, content_id));
    }
    kept
}

/// Whether a failure leaves certainly no row. After others the disk alone knows, and the next start asks it.
fn is_undone(error: &OfficeError) -> bool {
    matches!(error, OfficeError::Trouble(trouble) if matches!(trouble.fault(), Fault::Store(StoreError::DiskFull)))
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
    let trouble = |error| office.content_trouble(error);
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

/// A file name without the folders before it. What remains is data, never opened as a path here, and harmless to
/// whoever prints it or saves under it.
fn file_name_of(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let kept: String = people::printable(last).chars().take(people::NAME_CHARS).collect();
    if matches!(kept.as_str(), "" | "." | "..") { "document".to_owned() } else { kept }
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
    let page: Page<DocumentRow> = rows::page(draft, &prefix, after.as_deref(), PAGE)?;
    let next = page.last.filter(|_| page.full).map(|key| data_encoding::HEXLOWER.encode(&key));
    let mut damaged_rows = page.damaged;
    let rows = page.rows.into_iter();
    let documents = rows.map(|row| view(draft, row, now, &mut damaged_rows)).collect::<Result<_, Stop>>()?;
    Ok(Reply::Documents { documents, next, damaged_rows })
}

fn view(draft: &Draft<'_>, row: DocumentRow, now: Timestamp, damaged: &mut u64) -> Result<Document, Stop> {
    let grant: Option<GrantRow> = resolve::intact(draft, &row.key(), damaged)?;
    let grant = grant.filter(|grant| grants::holds(grant, Rights::READ, now));
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
