//! How results look: tables and sentences for people, one object for scripts.
//!
//! Objects carry `"version": 1`; ids are lower-case hexadecimal, times RFC 3339 in UTC. Nothing from outside reaches a
//! terminal before it was made harmless.

use std::path::Path;

use jiff::tz::TimeZone;
use rohrpost_e2ee::body::{DeviceId, DocumentEntry};
use rohrpost_wire::Timestamp;
use serde_json::{Value, json};

use crate::enrol::Accepted;
use crate::names::{harmless, is_bidi};
use crate::overview::Overview;
use crate::problem::Problem;
use crate::transfer::Saved;
use crate::{listing, texts};

/// The version of the objects for scripts.
const VERSION: u8 = 1;
/// What keeps others from the keys.
const KEYS_PROTECTED_BY: &str = if cfg!(unix) { "file_mode_0600" } else { "user_folder" };
/// Characters of a title in the table.
const TITLE_CHARS: usize = 60;

/// A table of documents, newest first.
pub fn table(documents: &[DocumentEntry], zone: &TimeZone) -> String {
    if documents.is_empty() {
        return texts::NOTHING_SHARED.to_owned();
    }
    let digits = listing::telling_digits(documents);
    let mut newest: Vec<&DocumentEntry> = documents.iter().collect();
    newest.sort_by_key(|document| std::cmp::Reverse(document.shared));
    let mut rows = vec![texts::COLUMNS.map(str::to_owned)];
    rows.extend(newest.into_iter().map(|document| row(document, digits, zone)));
    align(&rows)
}

fn row(document: &DocumentEntry, digits: usize, zone: &TimeZone) -> [String; 5] {
    let until = document.until.map_or_else(|| texts::NONE.to_owned(), |until| date(until, zone));
    let id = document.id.0.to_hex().chars().take(digits).collect();
    [id, date(document.shared, zone), until, size(document.length), cut(&harmless(&document.title), TITLE_CHARS)]
}

fn align(rows: &[[String; 5]]) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..5).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &[String; 5]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    text.chars().take(chars.saturating_sub(1)).chain(['…']).collect()
}

/// A number of bytes for people: three digits and a decimal unit.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut whole, mut tenths, mut unit) = (bytes, 0, "B");
    for next in UNITS {
        (whole, tenths, unit) = (whole / 1000, whole % 1000 / 100, next);
        if whole < 1000 {
            break;
        }
    }
    if whole < 10 { format!("{whole}.{tenths} {unit}") } else { format!("{whole} {unit}") }
}

fn date(time: Timestamp, zone: &TimeZone) -> String {
    instant(time).map_or_else(|| texts::NONE.to_owned(), |at| at.to_zoned(zone.clone()).date().to_string())
}

fn rfc3339(time: Timestamp) -> Value {
    instant(time).map_or(Value::Null, |at| Value::String(at.to_string()))
}

/// `None` for a time no calendar has.
fn instant(time: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(i64::try_from(time.0).ok()?).ok()
}

/// The documents for scripts, in the order of their ids.
pub fn list_object(documents: &[DocumentEntry], warnings: &[&str]) -> Value {
    let documents: Vec<Value> = documents.iter().map(document_object).collect();
    json!({ "version": VERSION, "documents": documents, "warnings": warnings })
}

fn document_object(document: &DocumentEntry) -> Value {
    json!({
        "document_id": document.id.0.to_hex(),
        "version_hash": document.version.0.to_hex(),
        "title": document.title,
        "file_name": document.file_name,
        "media_type": document.media_type,
        "length": document.length,
        "shared": rfc3339(document.shared),
        "until": document.until.map(rfc3339),
    })
}

/// A fetched document for scripts.
pub fn saved_object(saved: &Saved, warnings: &[&str]) -> Value {
    json!({
        "version": VERSION,
        "document_id": saved.document.id.0.to_hex(),
        "title": saved.document.title,
        "file_name": saved.document.file_name,
        "media_type": saved.document.media_type,
        "path": saved.path.to_string_lossy(),
        "length": saved.length,
        "sha256": saved.sha256.to_hex(),
        "resumed_from": saved.kept,
        "warnings": warnings,
    })
}

/// An enrolled device for scripts.
pub fn accepted_object(accepted: &Accepted, device: Option<DeviceId>, keys: &Path) -> Value {
    json!({
        "version": VERSION,
        "device_id": device.map(|id| id.0.to_hex()),
        "practice": accepted.owner.practice,
        "patient": accepted.owner.patient,
        "device_name": accepted.owner.device_name,
        "already": accepted.already,
        "keys": keys.to_string_lossy(),
        "keys_protected_by": KEYS_PROTECTED_BY,
    })
}

/// The overview for scripts.
pub fn status_object(overview: &Overview, warnings: &[&str]) -> Value {
    json!({
        "version": VERSION,
        "practice": overview.owner.practice,
        "patient": overview.owner.patient,
        "device_name": overview.owner.device_name,
        "documents": overview.documents,
        "relay": overview.relay.to_string(),
        "relay_reachable": overview.relay_reachable,
        "safe_reachable": overview.safe_reachable,
        "epoch": overview.epoch,
        "keys": overview.keys.to_string_lossy(),
        "keys_protected_by": KEYS_PROTECTED_BY,
        "set_back_noticed": overview.set_back.map(rfc3339),
        "warnings": warnings,
    })
}

/// The overview for people.
pub fn status_lines(overview: &Overview, zone: &TimeZone) -> String {
    use texts::status as text;
    let reach = |reachable: Option<bool>| match reachable {
        Some(true) => text::REACHABLE,
        Some(false) => text::NOT_REACHABLE,
        None => text::UNKNOWN,
    };
    let documents = overview.documents.map_or_else(|| text::UNKNOWN.to_owned(), |count| count.to_string());
    let relay = format!("{}:{}, {}", overview.relay.host, overview.relay.port, reach(Some(overview.relay_reachable)));
    let lines = [
        (text::PRACTICE, harmless(&overview.owner.practice)),
        (text::PATIENT, harmless(&overview.owner.patient)),
        (text::DEVICE, harmless(&overview.owner.device_name)),
        (text::DOCUMENTS, documents),
        (text::RELAY, relay),
        (text::SAFE, text::safe(reach(overview.safe_reachable), overview.epoch)),
        (text::KEYS, text::keys(&texts::shown(&overview.keys))),
    ];
    let noticed = overview.set_back.map(|at| (text::WARNING, text::set_back(&date(at, zone))));
    let lines: Vec<(&str, String)> = lines.into_iter().chain(noticed).collect();
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + 1;
    let line = |(name, value): &(&str, String)| format!("{:<width$} {value}", format!("{name}:"));
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A problem for scripts.
pub fn error_object(problem: &Problem, warnings: &[&str]) -> Value {
    failure(&texts::problem(problem), problem.exit().number(), problem.kind(), warnings)
}

/// A command line that cannot be meant, for scripts. Of what the parser says the first paragraph counts; it breaks
/// lines even inside a sentence.
pub fn usage_object(said: &str, code: u8) -> Value {
    let lines: Vec<&str> = said.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let sentence = lines.join(" ");
    failure(sentence.trim_start_matches("error: "), code, "usage", &[])
}

fn failure(sentence: &str, code: u8, kind: &str, warnings: &[&str]) -> Value {
    json!({ "version": VERSION, "error": sentence, "code": code, "kind": kind, "warnings": warnings })
}

/// An object as one line. What steers a terminal or turns the direction of writing is escaped: the value stays the same.
pub fn line(object: &Value) -> String {
    // All of these are in the first plane, and stand inside strings only.
    let escaped = |c: char| format!("\\u{:04x}", u32::from(c));
    let steers = |c: char| c.is_control() || is_bidi(c);
    object.to_string().chars().map(|c| if steers(c) { escaped(c) } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests;
