use rohrpost_e2ee::{DocumentId, VersionHash};
use rohrpost_wire::fixed::Fixed;

use super::*;
use crate::problem::LinkProblem;

fn entry(id: u8, title: &str, length: u64, shared: u64) -> DocumentEntry {
    DocumentEntry {
        id: DocumentId(Fixed([id; 16])),
        version: VersionHash(Fixed([id; 32])),
        title: title.into(),
        file_name: "letter.pdf".into(),
        media_type: "application/pdf".into(),
        length,
        shared: Timestamp(shared),
        until: (id == 1).then_some(Timestamp(shared).plus(86_400)),
    }
}

#[test]
fn the_table_shows_the_newest_first_and_nothing_that_steers_a_terminal() {
    let documents = [entry(1, "Letter\u{1b}[2J", 1_234_567, 1_790_000_000), entry(0xab, "Scan", 12, 1_790_100_000)];
    let expected = "\
ID        SHARED      UNTIL       SIZE    TITLE
abababab  2026-09-22  -           12 B    Scan
01010101  2026-09-21  2026-09-22  1.2 MB  Letter\u{fffd}[2J";
    assert_eq!(table(&documents, &TimeZone::UTC), expected);
}

#[test]
fn a_long_title_is_cut() {
    let table = table(&[entry(1, &"x".repeat(200), 1, 0)], &TimeZone::UTC);
    assert!(table.ends_with(&format!("{}…", "x".repeat(TITLE_CHARS - 1))));
}

#[test]
fn sizes_have_few_digits() {
    for (bytes, shown) in [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_999, "9.9 kB"),
        (10_000, "10 kB"),
        (999_999, "999 kB"),
        (1_500_000, "1.5 MB"),
        (20_000_000_000, "20 GB"),
        (u64::MAX, "18446 PB"),
    ] {
        assert_eq!(size(bytes), shown);
    }
}

#[test]
fn scripts_get_whole_ids_and_utc_times() {
    let object = list_object(&[entry(1, "Letter", 5, 1_790_000_000), entry(2, "Scan", 6, u64::MAX)], &[]);
    assert_eq!(object["version"], 1);
    let [first, second] = [&object["documents"][0], &object["documents"][1]];
    assert_eq!(first["document_id"], "01".repeat(16));
    assert_eq!(first["shared"], "2026-09-21T14:13:20Z");
    assert_eq!(first["until"], "2026-09-22T14:13:20Z");
    assert_eq!(second["shared"], Value::Null);
    assert_eq!(second["until"], Value::Null);
}

#[test]
fn an_error_object_carries_sentence_code_and_kind() {
    let object = error_object(&Problem::Link(LinkProblem::WrongPin { left: 3 }), &["safe_set_back"]);
    assert_eq!(object["version"], 1);
    assert_eq!(object["code"], 4);
    assert_eq!(object["kind"], "wrong_pin");
    assert_eq!(object["warnings"], json!(["safe_set_back"]));
    assert!(object["error"].as_str().unwrap().contains("3 tries"));
}

#[test]
fn a_usage_error_is_told_whole_and_without_the_usage() {
    let object = usage_object("error: these were not provided:\n  <ID>\n  <FILE>\n\nUsage: rohrpost get\n", 2);
    assert_eq!(object["error"], "these were not provided: <ID> <FILE>");
    assert_eq!(object["warnings"], json!([]));
}

#[test]
fn an_object_cannot_steer_a_terminal_and_keeps_its_value() {
    let object = json!({ "title": "a\u{7f}b\u{9b}c\u{202e}d\u{2028}e\u{1b}\u{61c}ä😀" });
    let line = line(&object);
    assert!(!line.chars().any(|c| c.is_control() || is_bidi(c)), "{line:?}");
    assert!(line.contains("\\u009b") && line.contains("ä😀"), "{line}");
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), object);
}

fn overview() -> Overview {
    let relay_key = rohrpost_wire::RelayKeyHash::of_key(&[7; 32]);
    Overview {
        owner: crate::account::Owner { practice: "P".into(), patient: "E".into(), device_name: "laptop".into() },
        documents: Some(1),
        relay: rohrpost_wire::RelayAddress { host: "relay.example".into(), port: 4433, key_hash: relay_key },
        relay_reachable: true,
        safe_reachable: Some(true),
        epoch: 1,
        set_back: None,
        keys: "/home/e/account".into(),
    }
}

#[test]
fn status_goes_on_telling_when_a_safe_was_found_set_back() {
    assert!(!status_lines(&overview(), &TimeZone::UTC).contains("backup"));
    assert_eq!(status_object(&overview(), &[])["set_back_noticed"], Value::Null);
    let noticed = Overview { set_back: Some(Timestamp(1_790_000_000)), ..overview() };
    let lines = status_lines(&noticed, &TimeZone::UTC);
    assert!(lines.contains("2026-09-21") && lines.contains("backup"), "{lines}");
    assert_eq!(status_object(&noticed, &[])["set_back_noticed"], "2026-09-21T14:13:20Z");
}
