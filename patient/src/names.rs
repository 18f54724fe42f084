//! File names from a stranger made fit for a folder, and text made fit for a terminal.
//!
//! A document's name is data that somebody else chose. What comes out of [`sanitise`] is always one plain component:
//! not empty, no separator, no hidden file, nothing that Windows takes for a device, short enough to be decorated.

/// Bytes of a sanitised name: a file system's 255, less the longest decoration of a partial file and a number.
pub const NAME_BYTES: usize = 200;

/// Bytes of an extension that is kept when a name is cut.
const EXTENSION_BYTES: usize = 20;

/// What a file without a usable name is called.
const NAMELESS: &str = "document";

/// Makes one plain file name of any text.
pub fn sanitise(name: &str) -> String {
    let plain: String =
        name.chars().filter(|c| !is_invisible(*c)).map(|c| if is_barred(c) { '_' } else { c }).collect();
    let trimmed = trim(&plain);
    let guarded = match trimmed {
        "" => NAMELESS.to_owned(),
        _ if is_reserved(trimmed) || trimmed.starts_with('-') => format!("_{trimmed}"),
        _ => trimmed.to_owned(),
    };
    shorten(&guarded)
}

/// The name with a number before its extension; the first has none.
pub fn numbered(name: &str, number: u32) -> String {
    if number <= 1 {
        return name.to_owned();
    }
    let (stem, extension) = split(name);
    format!("{stem} ({number}){extension}")
}

/// Text with nothing in it that moves a cursor, changes a colour or turns the direction of writing.
pub fn harmless(text: &str) -> String {
    let shown = |c: char| if c.is_control() || is_bidi(c) { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(shown).collect()
}

/// Separators, what Windows bars, and controls.
fn is_barred(c: char) -> bool {
    c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
}

fn is_invisible(c: char) -> bool {
    is_bidi(c) || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{feff}')
}

/// Marks that reorder what stands beside them (Unicode UAX 9), and the separators of lines and paragraphs.
pub(crate) fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A leading dot hides a file; Windows drops dots and spaces at the end.
fn trim(name: &str) -> &str {
    let edge = |c: char| c == '.' || c.is_whitespace();
    name.trim_matches(edge)
}

/// Names that Windows takes for a device, whatever their extension and case.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    port.is_some_and(|port| {
        matches!(port, "¹" | "²" | "³") || (port.len() == 1 && port.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn shorten(name: &str) -> String {
    if name.len() <= NAME_BYTES {
        return name.to_owned();
    }
    let (stem, extension) = split(name);
    let cut = stem.get(..stem.floor_char_boundary(NAME_BYTES - extension.len())).unwrap_or(NAMELESS);
    format!("{}{extension}", cut.trim_end_matches(|c: char| c == '.' || c.is_whitespace()))
}

/// Stem and extension with its dot; an extension that is too long to be one belongs to the stem.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 && name.len() - at <= EXTENSION_BYTES => name.split_at(at),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_would_lead_elsewhere_stay_in_their_folder() {
        for (given, made) in [
            ("letter.pdf", "letter.pdf"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("..", "document"),
            ("", "document"),
            (" . ", "document"),
            (".bashrc", "bashrc"),
            ("a/b\\c", "a_b_c"),
            ("C:\\x", "C__x"),
            ("nul.txt", "_nul.txt"),
            ("COM1", "_COM1"),
            ("com²", "_com²"),
            ("lpt", "lpt"),
            ("-rf", "_-rf"),
            ("x\u{202e}fdp.exe", "xfdp.exe"),
            ("line\nbreak", "line_break"),
            ("report. ", "report"),
        ] {
            assert_eq!(sanitise(given), made, "{given:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = sanitise(&format!("{}.pdf", "ä".repeat(300)));
        assert!(name.len() <= NAME_BYTES && name.ends_with("ä.pdf"), "{name}");
    }

    #[test]
    fn a_number_stands_before_the_extension() {
        assert_eq!(numbered("a.b.pdf", 1), "a.b.pdf");
        assert_eq!(numbered("a.b.pdf", 2), "a.b (2).pdf");
        assert_eq!(numbered("letter", 12), "letter (12)");
    }

    #[test]
    fn a_title_cannot_steer_a_terminal() {
        assert_eq!(harmless("a\u{1b}[31mb\u{202e}c\r\u{9b}"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}\u{fffd}");
        assert_eq!(harmless("Befund – Müller"), "Befund – Müller");
    }

    proptest! {
        #[test]
        fn a_sanitised_name_is_one_plain_component(name in ".{0,300}", decoration in "[./\\\\ \u{202e}:-]{0,4}") {
            for text in [format!("{decoration}{name}"), format!("{name}{decoration}")] {
                let made = sanitise(&text);
                let parts: Vec<_> = Path::new(&made).components().collect();
                prop_assert_eq!(parts.len(), 1);
                prop_assert!(matches!(parts[0], Component::Normal(part) if part == made.as_str()));
                prop_assert!(made.len() <= NAME_BYTES && !made.starts_with(['.', '-']) && !made.ends_with(['.', ' ']));
                prop_assert!(!made.contains(['/', '\\', ':']) && !made.chars().any(char::is_control));
                prop_assert_eq!(sanitise(&made), made.clone(), "stable");
            }
        }

        #[test]
        fn no_reserved_stem_survives(stem in "(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])", rest in "(\\.[a-z]{0,5})?") {
            let made = sanitise(&format!("{stem}{rest}"));
            prop_assert!(!is_reserved(&made));
        }
    }
}
