//! A device lists what is shared with its patient, a page at a time.

use rand_core::CryptoRng;
use rohrpost_e2ee::body::{DOCUMENTS_PER_PAGE, DocumentEntry, DocumentId, DocumentPage, NAME_CHARS, Payload};
use rohrpost_wire::Timestamp;

use crate::audit::{Action, Decision};
use crate::grants::{self, Permit};
use crate::requests::{Handled, write_event};
use crate::rows::{self, DeviceRow, DocumentRow, GrantRow, Page, Rights};
use crate::vault::{Draft, StoreError};

/// Bytes of a title or file name in an entry: two of them and about 130 bytes besides, a hundred times, are less than
/// 64 KiB.
const NAME_BYTES: usize = 256;
/// Grants looked at in one go.
const GRANTS_AT_ONCE: usize = 256;

pub(crate) fn handle(
    draft: &mut Draft<'_>,
    device: &DeviceRow,
    after: Option<DocumentId>,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Handled, StoreError> {
    let mut documents = Vec::new();
    // One more than a page, to know whether there is more.
    let damaged = visit(draft, device, after, now, |permit, document| {
        documents.push(entry(permit, document));
        documents.len() <= DOCUMENTS_PER_PAGE
    })?;
    if damaged > 0 && documents.is_empty() && after.is_none() {
        // An empty page would say that nothing is shared.
        return Err(StoreError::Damaged);
    }
    let more = documents.len() > DOCUMENTS_PER_PAGE;
    documents.truncate(DOCUMENTS_PER_PAGE);
    let shown = u32::try_from(documents.len()).unwrap_or(u32::MAX);
    write_event(draft, device, Action::Listed { documents: shown }, Decision::Allowed, now, rng)?;
    Ok(Handled::payload(Payload::Documents(DocumentPage { documents, more })))
}

/// How many documents a device may see.
pub(crate) fn count(draft: &Draft<'_>, device: &DeviceRow, now: Timestamp) -> Result<u32, StoreError> {
    let mut count = 0u32;
    visit(draft, device, None, now, |_, _| {
        count += 1;
        true
    })?;
    Ok(count)
}

/// Shows each document the device may see to `show`, in the order of their ids, until it says stop. Answers how
/// many rows are damaged: one must not hide the others, and the practice sees it in its own status.
fn visit(
    draft: &Draft<'_>,
    device: &DeviceRow,
    after: Option<DocumentId>,
    now: Timestamp,
    mut show: impl FnMut(&Permit, &DocumentRow) -> bool,
) -> Result<u64, StoreError> {
    let mut damaged = 0;
    let prefix = device.patient.0.0;
    let mut cursor = after.map(|document| DocumentRow::key_of(&device.patient, &document));
    loop {
        let page: Page<GrantRow> = rows::page(draft, &prefix, cursor.as_deref(), GRANTS_AT_ONCE)?;
        if page.last.is_none() {
            return Ok(damaged);
        }
        damaged += page.damaged;
        cursor = page.last;
        for grant in &page.rows {
            let Some(permit) = grants::authorise(draft, device, Rights::LIST, &grant.document, now)? else { continue };
            let document = match permit.document(draft) {
                Ok(Some(document)) => document,
                Ok(None) => continue,
                Err(StoreError::Damaged) => {
                    damaged += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !show(&permit, &document) {
                return Ok(damaged);
            }
        }
    }
}

fn entry(permit: &Permit, document: &DocumentRow) -> DocumentEntry {
    DocumentEntry {
        id: document.id,
        version: document.version(),
        title: shorten(&document.title),
        file_name: shorten(&document.file_name),
        media_type: document.media_type.clone(),
        length: document.length,
        shared: permit.shared(),
        until: permit.until(),
    }
}

/// At most [`NAME_CHARS`] characters and [`NAME_BYTES`] bytes: long titles, in whatever script, must not push a page
/// into a class of its own.
pub(crate) fn shorten(text: &str) -> String {
    let fits = |(at, c): &(usize, char)| at + c.len_utf8() <= NAME_BYTES;
    text.char_indices().take(NAME_CHARS).take_while(fits).map(|(_, c)| c).collect()
}
