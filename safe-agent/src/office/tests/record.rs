//! The record of decisions as the owner reads it, and how the safe is.

use data_encoding::HEXLOWER;

use super::*;
use crate::audit::{self, Action, Actor, Event};
use crate::testing::START;
use crate::vault::{Row, Table};

fn actions(entries: &[view::Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.action.as_str()).collect()
}

#[test]
fn everything_the_owner_does_is_told_in_order_and_by_patient() {
    let desk = Desk::open();
    let ada = desk.patient("Ada Example");
    let document = desk.document(&ada, b"text");
    let share = Request::Share { patient: ada.clone(), document: document.clone(), until: None };
    desk.perform(share).unwrap();
    let ben = desk.patient("Ben Example");
    desk.perform(Request::Unshare { patient: ada.clone(), document: document.clone() }).unwrap();
    desk.perform(Request::Link { patient: ben.clone(), app_url: None, until: None }).unwrap();
    let all = desk.log(None);
    let expected = [
        "safe made",
        "patient added",
        "document imported",
        "document shared",
        "patient added",
        "share taken back",
        "link made",
    ];
    assert_eq!(actions(&all), expected);
    assert_eq!(all.iter().map(|entry| entry.number).collect::<Vec<_>>(), (0..7).collect::<Vec<_>>());
    assert!(all.iter().all(|entry| entry.actor == "practice" && entry.allowed && entry.reason.is_none()));
    assert_eq!(all[3].document_id.as_ref(), Some(&document));
    assert_eq!(actions(&desk.log(Some(&ada))), [expected[1], expected[2], expected[3], expected[5]]);
    assert_eq!(actions(&desk.log(Some(&ben[..8]))), [expected[4], expected[6]]);
    assert_eq!(desk.status().decisions, 7);
}

#[test]
fn a_long_record_is_read_in_pages_whoever_it_is_about() {
    let desk = Desk::open();
    let patient = desk.patient("Ada Example");
    desk.read(|draft| {
        let event = Event::new(START, Actor::Safe, Action::StatusAsked);
        (0..2_300).try_for_each(|_| audit::append(draft, &event, &mut system_rng()))
    });
    let walk = |patient: Option<String>| {
        let (mut numbers, mut pages, mut from) = (Vec::new(), 0, 0);
        loop {
            let request = Request::Log { patient: patient.clone(), from };
            let Reply::Log { entries, next, .. } = desk.perform(request).unwrap() else { panic!("another reply") };
            numbers.extend(entries.iter().map(|entry| entry.number));
            pages += 1;
            let Some(next) = next else { return (numbers, pages) };
            from = next;
        }
    };
    assert_eq!(walk(None), ((0..2_302).collect(), 3));
    assert_eq!(walk(Some(patient)), (vec![1], 3));
}

#[test]
fn an_accepted_loss_is_told_with_its_number_and_nothing_else_has_one() {
    let desk = Desk::open();
    let event = Event::new(START, Actor::Owner, Action::LossAccepted { missing: 3 });
    desk.read(move |draft| audit::append(draft, &event, &mut system_rng()));
    let told: Vec<_> = desk.log(None).into_iter().map(|entry| (entry.action, entry.missing_writes)).collect();
    assert_eq!(told, [("safe made".to_owned(), None), ("loss accepted".to_owned(), Some(3))]);
}

#[test]
fn a_record_that_was_cut_is_not_shown_as_if_it_were_whole() {
    let desk = Desk::open();
    desk.patient("Ada Example");
    desk.patient("Ben Example");
    desk.read(|draft| draft.delete(Table::Audit, &1u64.to_be_bytes()));
    let shown = desk.perform(Request::Log { patient: None, from: 0 }).unwrap();
    assert_eq!(shown.damaged_rows(), 1);
    let Reply::Log { entries, .. } = shown else { panic!("another reply") };
    assert_eq!(entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn a_new_safe_says_how_it_is() {
    let mut desk = Desk::open();
    let status = desk.status();
    assert_eq!((&*status.practice, status.relay), ("Practice on the Hill", relay().to_string()));
    assert_eq!((status.served, status.connected, status.epoch), (false, None, 1));
    assert_eq!((status.patients, status.documents, status.devices, status.open_links), (0, 0, 0, 0));
    assert_eq!((status.transfers, status.decisions, status.identity_days_left), (0, 1, 400));
    assert_eq!(status.prekeys_until.as_deref(), Some("2027-02-14T08:00:00Z"));
    desk.now = START.plus(500 * rohrpost_wire::time::DAY);
    assert_eq!(desk.status().identity_days_left, 0);
}

/// Whether a beginning fits one id alone does not depend on whose row can be read: a share must not reach another
/// patient because the right one's row is damaged.
#[test]
fn a_damaged_row_hides_no_other_and_its_beginning_still_fits_it() {
    let desk = Desk::open();
    let ada = desk.patient("Ada Example");
    let key = |last: u8| {
        let mut key = HEXLOWER.decode(ada.as_bytes()).unwrap();
        key[15] = last;
        key
    };
    let (one, two) = (key(0x10), key(0x1f));
    desk.read(move |draft| {
        draft.put(Table::Patients, &one, Row::new(vec![1, 0xff]))?;
        draft.put(Table::Patients, &two, Row::new(vec![1, 0xff]))
    });
    let listed = desk.perform(Request::PatientList).unwrap();
    assert_eq!(listed.damaged_rows(), 2);
    assert_eq!(desk.status().damaged_rows, 2);
    let link = |typed: &str| desk.perform(Request::Link { patient: typed.into(), app_url: None, until: None });
    let odd = format!("{}1", &ada[..30]);
    assert!(matches!(link(&odd), Err(OfficeError::Ambiguous(Thing::Patient))), "an odd number of digits");
    assert!(matches!(link(&ada[..30]), Err(OfficeError::Ambiguous(Thing::Patient))));
    let Err(OfficeError::Trouble(trouble)) = link(&format!("{}10", &ada[..30])) else { panic!("no trouble") };
    assert!(matches!(trouble.fault(), Fault::Store(StoreError::Damaged)));
    assert!(link(&ada).is_ok());
}
