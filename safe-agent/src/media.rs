//! What kind of file a document is: by its first bytes, and where they say nothing by its name.

/// How many of the first bytes are looked at.
pub const SNIFFED_BYTES: usize = 132;

/// The media type (RFC 6838) of a content. A hint for the reader's software, never a decision of ours.
pub fn media_type(start: &[u8], file_name: &str) -> &'static str {
    by_content(start).or_else(|| by_name(file_name)).unwrap_or("application/octet-stream")
}

fn by_content(start: &[u8]) -> Option<&'static str> {
    let magic: [(usize, &[u8], &str); 7] = [
        (0, b"%PDF-", "application/pdf"),
        (0, b"\x89PNG\r\n\x1a\n", "image/png"),
        (0, b"\xff\xd8\xff", "image/jpeg"),
        (0, b"II*\0", "image/tiff"),
        (0, b"MM\0*", "image/tiff"),
        // DICOM part 10 §7.1: 128 bytes of preamble, then its name.
        (128, b"DICM", "application/dicom"),
        (0, b"PK\x03\x04", "application/zip"),
    ];
    let matches = |at: usize, bytes: &[u8]| start.get(at..).is_some_and(|rest| rest.starts_with(bytes));
    magic.into_iter().find(|(at, bytes, _)| matches(*at, bytes)).map(|(_, _, media)| media)
}

fn by_name(file_name: &str) -> Option<&'static str> {
    let (_, extension) = file_name.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "txt" => Some("text/plain"),
        "json" => Some("application/json"),
        "xml" => Some("application/xml"),
        "eml" => Some("message/rfc822"),
        "dcm" => Some("application/dicom"),
        "pdf" => Some("application/pdf"),
        "csv" => Some("text/csv"),
        "mp4" => Some("video/mp4"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_counts_more_than_the_name() {
        assert_eq!(media_type(b"%PDF-1.7 ...", "finding.txt"), "application/pdf");
        assert_eq!(media_type(b"Dear", "letter.TXT"), "text/plain");
        assert_eq!(media_type(b"", "no-extension"), "application/octet-stream");
        let mut dicom = [0; SNIFFED_BYTES];
        dicom[128..].copy_from_slice(b"DICM");
        assert_eq!(media_type(&dicom, "IM0001"), "application/dicom");
    }
}
