//! What may stand in a log line: numbers, codes, kinds and the operator's own paths; never text from anybody else.
//!
//! Every event of the product is read from its source. A field of a form that is not listed here turns this red, so that
//! somebody decides what an outsider could put into it.

use std::collections::BTreeSet;

use rohrpost_figures::Figures;

use super::sources;

/// The forms of fields that are known, and why none of them carries an outsider's text.
const FIELDS: [(&str, &str); 21] = [
    ("reason = %error", "an error of ours, whose words are fixed"),
    ("reason = %end", "an error of ours, whose words are fixed"),
    ("kind = ?error.kind()", "a kind of the operating system's"),
    ("?kind", "a kind of ours"),
    ("warning", "a sentence of ours, whose words are fixed"),
    ("?swept", "counts"),
    ("days", "a number"),
    ("commits", "a number"),
    ("rows", "a number"),
    ("behind_seconds", "a number"),
    ("ahead_seconds", "a number"),
    ("panic = error.is_panic()", "yes or no"),
    ("rows = self.quarantined", "a number"),
    ("total = metrics.quarantined.read()", "a number"),
    ("connection = self.id.0", "a number"),
    ("code = code.number()", "a number"),
    ("content = %content.0.to_hex()", "hexadecimal digits"),
    ("listen = %relay.local_address()", "the operator's address"),
    ("file = %self.path.display()", "the operator's path"),
    ("folder = %data.display()", "the operator's path"),
    ("%file", "the operator's path"),
];

/// The arguments of every event in a source.
fn events(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for level in ["error", "warn", "info", "debug", "trace", "event", "span", "info_span", "debug_span"] {
        for (at, call) in text.match_indices(&format!("tracing::{level}!(")) {
            found.push(arguments(&text[at + call.len()..]));
        }
    }
    found
}

/// What stands between commas up to the bracket that closes the call.
fn arguments(text: &str) -> Vec<String> {
    let (mut found, mut now, mut depth, mut quoted, mut escaped) = (Vec::new(), String::new(), 0, false, false);
    for c in text.chars() {
        match c {
            _ if quoted => quoted = escaped || c != '"',
            '"' => quoted = true,
            '(' | '{' | '[' => depth += 1,
            ')' if depth == 0 => break,
            ')' | '}' | ']' => depth -= 1,
            ',' if depth == 0 => {
                found.push(std::mem::take(&mut now));
                continue;
            }
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
        now.push(c);
    }
    found.push(now);
    found
        .into_iter()
        .map(|field| field.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|f| !f.is_empty())
        .collect()
}

/// A fixed phrase, a text of ours, or a counter of the relay under its own name.
fn is_fixed(argument: &str) -> bool {
    let counter = argument.split_once(" = self.").is_some_and(|(name, rest)| rest == format!("{name}.read()"));
    // Braces would format something into the phrase.
    let phrase =
        argument.starts_with('"') && argument.ends_with('"') && (argument == "\"{}\"" || !argument.contains('{'));
    let text =
        argument.strip_prefix("texts::").is_some_and(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
    counter || phrase || text
}

#[test]
fn no_event_of_the_product_has_a_field_for_text_from_outside() {
    let known: BTreeSet<&str> = FIELDS.iter().map(|(form, _)| *form).collect();
    let (mut count, mut seen) = (0, BTreeSet::new());
    for (path, text) in sources() {
        for event in events(&text) {
            count += 1;
            for argument in event {
                let listed = known.get(argument.as_str());
                assert!(listed.is_some() || is_fixed(&argument), "{}: what is in `{argument}`?", path.display());
                seen.extend(listed.copied());
            }
        }
        // Another macro of the same library, or a name imported from it, would hide an event from this test.
        assert!(!text.contains("use tracing::"), "{}: events are written out in full", path.display());
    }
    assert_eq!(seen, known, "a form that is no longer used");
    Figures::of("fuzz.log_events").count("events", count).none("fields with text from outside").publish();
}

#[test]
fn a_title_in_an_event_is_noticed() {
    let source = r#"tracing::warn!(number, title = %document.title, "a \"phrase\", with comma");"#;
    assert_eq!(events(source), [["number", "title = %document.title", r#""a \"phrase\", with comma""#]]);
    assert!(!is_fixed("title = %document.title") && !is_fixed("\"shared {title}\"") && is_fixed("\"a, b\""));
    assert!(is_fixed("calls = self.calls.read()") && !is_fixed("calls = self.title.read()"));
}
