//! Names that patients, devices and documents bear, shown to whoever sits at the safe: each is a part of its line.

use proptest::prelude::*;

use super::*;
use crate::failure::{Failure, Kind};
use crate::office::view::{Device, Document, Patient, Status};

/// What moves a cursor, changes a colour, ends a line or turns the direction of writing (Unicode UAX 9).
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn patients(text: &str) -> Reply {
    let patient = |name: &str| Patient {
        patient_id: "5f".repeat(16),
        name: name.into(),
        birth_date: None,
        number: Some(name.into()),
        added: "2026-01-01T00:00:00Z".into(),
    };
    Reply::Patients { patients: vec![patient(text), patient("Erika Muster")], damaged_rows: 0 }
}

fn documents(text: &str) -> Reply {
    let document = |title: &str| Document {
        document_id: "91".repeat(16),
        patient_id: "5f".repeat(16),
        title: title.into(),
        file_name: title.into(),
        media_type: "application/pdf".into(),
        length: 1,
        sha256: "00".repeat(32),
        added: "2026-01-01T00:00:00Z".into(),
        shared: true,
        until: None,
    };
    Reply::Documents { documents: vec![document(text), document("Finding")], next: None, damaged_rows: 0 }
}

fn devices(text: &str) -> Reply {
    let device = |name: &str| Device {
        device_id: "77".repeat(16),
        patient_id: "5f".repeat(16),
        patient: name.into(),
        name: name.into(),
        enrolled: "2026-01-01T00:00:00Z".into(),
        revoked: None,
    };
    Reply::Devices { devices: vec![device(text), device("laptop")], damaged_rows: 0 }
}

fn status(practice: &str) -> Reply {
    Reply::Status(Box::new(Status {
        practice: practice.into(),
        safe_pin: "00".repeat(32),
        inbox_id: "00".repeat(16),
        relay: "relay.example:4433".into(),
        served: true,
        connected: Some(true),
        epoch: 1,
        identity_until: "2027-01-01T00:00:00Z".into(),
        identity_days_left: 300,
        prekeys_until: None,
        vault: "sound".into(),
        patients: 1,
        documents: 1,
        devices: 1,
        open_links: 0,
        transfers: 0,
        decisions: 9,
        clock_ahead_days: None,
        damaged_rows: 0,
    }))
}

/// Nothing steers, and there are as many lines as for a harmless name.
fn check(text: &str) {
    for (name, shown) in [
        ("patients", [patients(text), patients("x")].map(|r| reply(&r))),
        ("documents", [documents(text), documents("x")].map(|r| reply(&r))),
        ("devices", [devices(text), devices("x")].map(|r| reply(&r))),
        ("status", [status(text), status("x")].map(|r| reply(&r))),
        ("sheets", [text, "x"].map(|practice| sheets(practice, "RP1-", "RP2-").to_string())),
        ("created", [text, "x"].map(|data| created(Path::new(data)))),
        ("failure", [text, "x"].map(|message| Failure::new(Kind::Other, message).render(false))),
        ("object", [text, "x"].map(|message| Failure::new(Kind::Other, message).render(true))),
    ] {
        let [hostile, harmless] = &shown;
        assert!(!hostile.replace('\n', "").contains(steers), "{name}: {hostile:?}");
        assert_eq!(hostile.lines().count(), harmless.lines().count(), "{name}: {hostile:?}");
    }
}

#[test]
fn what_has_been_tried_elsewhere_steers_no_terminal_here() {
    for text in [
        "\r\n91919191  forged",
        "\u{1b}[2J\u{1b}[1;1H",
        "\u{1b}]8;;https://evil.example\u{7}click\u{1b}]8;;\u{7}",
        "\u{9b}31m",
        "\u{85}\u{2028}\u{2029}",
        "\u{202e}fdp.exe\u{2066}",
        "\0\u{8}\u{7f}\u{61c}\u{200f}",
    ] {
        check(text);
        check(&text.repeat(1000));
    }
}

proptest! {
    #[test]
    fn no_name_begins_a_line_or_steers_a_terminal(text in "(\\PC|[\\x00-\\x1f\\x7f-\\x9f\u{2028}-\u{202e}\u{2066}-\u{2069}]){0,80}") {
        check(&text);
    }
}

/// What a practice types is kept without what could steer, whoever prints it later.
#[test]
fn names_are_kept_as_data_whatever_they_would_mean_elsewhere() {
    for text in
        ["'; DROP TABLE rows; --", "\" OR 1=1 --", "%s%n{}", "$(reboot)", "<script>alert(1)</script>", "../../x"]
    {
        assert_eq!(crate::office::clean_name(text).unwrap(), text, "data is kept as it is");
    }
    assert_eq!(crate::office::clean_name("A\r\nB\u{1b}[2J\u{202e}C").unwrap(), "AB[2JC");
}
