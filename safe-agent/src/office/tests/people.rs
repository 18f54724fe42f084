//! Patients, devices, and finding them by the beginning of an id.

use rohrpost_e2ee::body::DeviceId;
use rohrpost_wire::fixed::Fixed;

use super::*;
use crate::rows::{self, DeviceRow, PatientId, PatientRow};

fn patients(desk: &Desk) -> Vec<view::Patient> {
    let Reply::Patients { patients, .. } = desk.perform(Request::PatientList).unwrap() else { panic!("another reply") };
    patients
}

fn seed_patient(desk: &Desk, id: [u8; 16]) -> String {
    let id = PatientId(Fixed(id));
    let row = PatientRow { id, name: "Ada Example".into(), birth_date: None, number: None, added: START };
    desk.read(move |draft| rows::save(draft, &row));
    id.0.to_hex()
}

fn seed_device(desk: &Desk, patient: &str, number: u8) -> String {
    let patient = PatientId(Fixed::from_hex(patient).unwrap());
    let id = DeviceId(Fixed([number; 16]));
    let (key, name, enrolled) = (Fixed([number; 32]), format!("phone {number}"), START.minus(number.into()));
    desk.read(move |draft| rows::save(draft, &DeviceRow { id, key, patient, name, enrolled, revoked: None }));
    id.0.to_hex()
}

fn add(desk: &Desk, name: &str, birth_date: Option<&str>) -> Result<Reply, OfficeError> {
    let birth_date = birth_date.map(str::to_owned);
    desk.perform(Request::PatientAdd { name: name.into(), birth_date, number: Some(" 4711 ".into()) })
}

#[test]
fn patients_are_listed_by_name_as_they_were_added() {
    let desk = Desk::open();
    add(&desk, "  Ben Example ", Some("1980-02-29")).unwrap();
    add(&desk, "Ada Example", None).unwrap();
    let listed = patients(&desk);
    assert_eq!(listed.iter().map(|patient| patient.name.as_str()).collect::<Vec<_>>(), ["Ada Example", "Ben Example"]);
    assert_eq!(listed[1].birth_date.as_deref(), Some("1980-02-29"));
    assert_eq!(listed[1].number.as_deref(), Some("4711"));
    assert_eq!(listed[1].added, "2027-01-15T08:00:00Z");
    assert_eq!(desk.status().patients, 2);
}

#[test]
fn a_patient_that_cannot_be_leaves_nothing() {
    let desk = Desk::open();
    for (name, birth_date, fault) in [
        ("", None, Invalid::Name),
        (" \t\u{1b}\n ", None, Invalid::Name),
        (&*"x".repeat(201), None, Invalid::Name),
        ("Ada Example", Some("29.02.1980"), Invalid::BirthDate),
        ("Ada Example", Some("1981-02-29"), Invalid::BirthDate),
        ("Ada Example", Some(""), Invalid::BirthDate),
    ] {
        assert_eq!(invalid(add(&desk, name, birth_date)), fault, "{name:?} {birth_date:?}");
    }
    assert!(patients(&desk).is_empty());
    assert_eq!(desk.log(None).len(), 1, "the founding alone");
    add(&desk, &"x".repeat(200), None).unwrap();
}

#[test]
fn a_name_cannot_move_the_cursor_of_whoever_prints_it() {
    let desk = Desk::open();
    add(&desk, "\u{1b}]0;title\u{7}Ada\r\nExample\u{9b}2J", None).unwrap();
    assert_eq!(patients(&desk)[0].name, "]0;titleAdaExample2J");
}

#[test]
fn an_id_may_be_cut_as_long_as_its_beginning_fits_one_alone() {
    let desk = Desk::open();
    let first = seed_patient(&desk, [0xab; 16]);
    let mut almost = [0xab; 16];
    almost[3] = 0xac;
    let second = seed_patient(&desk, almost);
    let other = seed_patient(&desk, [0xcd; 16]);
    let find = |typed: &str| desk.perform(Request::DocumentList { patient: Some(typed.into()), after: None }).map(drop);
    for typed in [&*first, &second, &other, "cdcd", " CDCD ", "abababac", "ababababa"] {
        assert!(find(typed).is_ok(), "{typed}");
    }
    for typed in ["abab", "ABABAB", "abababa"] {
        assert!(matches!(find(typed), Err(OfficeError::Ambiguous(Thing::Patient))), "{typed}");
    }
    let longer = format!("{first}0");
    for typed in ["", "cd", "cdc", "eeee", "zzzz", "../../", &*longer, "cdcd\u{e4}"] {
        assert!(matches!(find(typed), Err(OfficeError::NotFound(Thing::Patient))), "{typed}");
    }
}

#[test]
fn devices_are_listed_by_their_enrolment_and_revoked_once() {
    let mut desk = Desk::open();
    let patient = desk.patient("Ada Example");
    let (young, old) = (seed_device(&desk, &patient, 1), seed_device(&desk, &patient, 2));
    let list = |desk: &Desk| {
        let Reply::Devices { devices, .. } = desk.perform(Request::DeviceList).unwrap() else {
            panic!("another reply")
        };
        devices
    };
    assert_eq!(list(&desk).iter().map(|device| device.device_id.as_str()).collect::<Vec<_>>(), [&*old, &*young]);
    assert_eq!(list(&desk)[0].patient, "Ada Example");
    assert_eq!(desk.status().devices, 2);
    for later in [10, 20] {
        desk.now = START.plus(later);
        let Reply::DeviceRevoked { device_id } =
            desk.perform(Request::DeviceRevoke { device: young[..8].into() }).unwrap()
        else {
            panic!("another reply")
        };
        assert_eq!(device_id, young);
    }
    let devices = list(&desk);
    assert_eq!(devices[0].revoked, None);
    assert_eq!(devices[1].revoked.as_deref(), Some("2027-01-15T08:00:10Z"), "the first time counts");
    assert_eq!(desk.status().devices, 1);
    assert_eq!(desk.log(None).iter().filter(|entry| entry.action == "device revoked").count(), 1);
    let unknown = desk.perform(Request::DeviceRevoke { device: "eeee".into() });
    assert!(matches!(unknown, Err(OfficeError::NotFound(Thing::Device))));
}

/// Patients see the title of a document and the name of their practice: nothing in them may turn the line around.
#[test]
fn what_is_kept_of_a_name_does_not_turn_the_writing_direction() {
    assert_eq!(clean_name(" A\u{202e}d\u{61c}a\u{2066}\u{200f}\x07 ").unwrap(), "Ada");
    assert_eq!(clean_name("\u{202e}\u{2069}"), Err(Invalid::Name));
}
