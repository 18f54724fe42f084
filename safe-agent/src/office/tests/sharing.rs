//! Sharing, taking back, inviting.

use rohrpost_e2ee::Link;
use rohrpost_e2ee::body::{DeviceId, Pin};
use rohrpost_e2ee::link::LINK_SECONDS;
use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::time::DAY;

use super::*;
use crate::handlers::enrol::REQUESTS_PER_LINK;
use crate::rows::{self, LinkRow, PatientId};
use crate::transfers::{Running, Subject};

fn share(desk: &Desk, patient: &str, document: &str, until: Option<Timestamp>) -> Result<Reply, OfficeError> {
    desk.perform(Request::Share { patient: patient.into(), document: document.into(), until })
}

fn unshare(desk: &Desk, patient: &str, document: &str) -> Result<Reply, OfficeError> {
    desk.perform(Request::Unshare { patient: patient.into(), document: document.into() })
}

fn link(desk: &Desk, app_url: Option<&str>, until: Option<Timestamp>) -> Result<Reply, OfficeError> {
    let patient = desk.patient("Ada Example");
    desk.perform(Request::Link { patient, app_url: app_url.map(str::to_owned), until })
}

#[test]
fn a_share_lasts_until_its_last_second_or_until_it_is_taken_back() {
    let mut desk = Desk::open();
    let patient = desk.patient("Ada Example");
    let document = desk.document(&patient, b"text");
    let shown = |desk: &Desk| {
        let (documents, _) = desk.documents(Some(&patient), None);
        (documents[0].shared, documents[0].until.clone())
    };
    share(&desk, &patient[..8], &document[..8], None).unwrap();
    assert_eq!(shown(&desk), (true, None));
    let Reply::Shared { until, .. } = share(&desk, &patient, &document, Some(START.plus(60))).unwrap() else {
        panic!("another reply")
    };
    assert_eq!(until.as_deref(), Some("2027-01-15T08:01:00Z"));
    desk.now = START.plus(60);
    assert_eq!(shown(&desk), (true, until));
    desk.now = START.plus(61);
    assert_eq!(shown(&desk), (false, None));
    share(&desk, &patient, &document, None).unwrap();
    for _ in 0..2 {
        unshare(&desk, &patient, &document).unwrap();
        assert_eq!(shown(&desk), (false, None));
    }
}

#[test]
fn a_share_cannot_end_in_the_past_or_be_of_another_patients_document() {
    let desk = Desk::open();
    let (ada, ben) = (desk.patient("Ada Example"), desk.patient("Ben Example"));
    let document = desk.document(&ada, b"text");
    let before = desk.log(None).len();
    for until in [START, START.minus(1), Timestamp(0)] {
        assert_eq!(invalid(share(&desk, &ada, &document, Some(until))), Invalid::Past);
    }
    assert!(matches!(share(&desk, &ben, &document, None), Err(OfficeError::NotFound(Thing::Document))));
    assert!(matches!(unshare(&desk, &ben, &document), Err(OfficeError::NotFound(Thing::Document))));
    assert_eq!(desk.log(None).len(), before);
}

#[test]
fn taking_a_share_back_ends_its_transfer_and_no_other() {
    let desk = Desk::open();
    let patient = desk.patient("Ada Example");
    let documents = [desk.document(&patient, b"one"), desk.document(&patient, b"two")];
    let transfers = &desk.office.transfers;
    let running = documents.each_ref().map(|document| {
        let subject = Subject {
            device: DeviceId(Fixed([1; 16])),
            patient: PatientId(Fixed::from_hex(&patient).unwrap()),
            document: rohrpost_e2ee::DocumentId(Fixed::from_hex(document).unwrap()),
        };
        transfers.begin(subject, transfers.ticket()).unwrap()
    });
    assert_eq!(desk.status().transfers, 2);
    assert!(matches!(unshare(&desk, &patient, "eeee"), Err(OfficeError::NotFound(Thing::Document))));
    assert!(running.iter().all(|transfer| !transfer.is_cancelled()));
    unshare(&desk, &patient, &documents[0]).unwrap();
    assert_eq!(running.each_ref().map(Running::is_cancelled), [true, false]);
}

#[test]
fn a_link_carries_this_safe_and_its_pin_goes_apart() {
    let desk = Desk::open();
    let Reply::Link { link: url, pin, expires, .. } = link(&desk, Some("https://app.example/in"), None).unwrap() else {
        panic!("another reply")
    };
    assert!(url.starts_with("https://app.example/in#"));
    assert!(Pin::parse(&pin).is_some() && !url.contains(&pin));
    assert_eq!(expires, "2027-01-29T08:00:00Z");
    let parsed = Link::parse(&url).unwrap();
    let status = desk.status();
    assert_eq!((parsed.pin.0.to_hex(), parsed.inbox.0.to_hex()), (status.safe_pin, status.inbox_id));
    assert_eq!((parsed.expires, parsed.relay, parsed.epoch), (START.plus(LINK_SECONDS), relay(), 1));
    let row: LinkRow = desk.read(move |draft| rows::load(draft, &parsed.secret.id().0.0)).unwrap();
    assert_eq!((row.pin.expose().as_slice(), row.attempts, row.used_by), (pin.as_bytes(), 0, None));
    assert!(row.mac_key() == parsed_mac(&url));
}

fn parsed_mac(url: &str) -> rohrpost_e2ee::link::LinkMacKey {
    Link::parse(url).unwrap().secret.mac_key()
}

#[test]
fn open_links_are_counted_until_they_are_used_dead_or_over() {
    let mut desk = Desk::open();
    for until in [None, Some(START.plus(100))] {
        link(&desk, None, until).unwrap();
    }
    assert_eq!(desk.status().open_links, 2);
    desk.now = START.plus(100);
    assert_eq!(desk.status().open_links, 2, "the last second");
    desk.now = START.plus(101);
    assert_eq!(desk.status().open_links, 1);
    let change = |change: fn(&mut LinkRow)| {
        desk.read(move |draft| {
            let mut links: Vec<LinkRow> = rows::list(draft, &[], None, 10)?;
            links.iter_mut().for_each(change);
            links.iter().try_for_each(|link| rows::save(draft, link))
        });
        desk.status().open_links
    };
    assert_eq!(change(|link| link.attempts = 5), 0);
    assert_eq!(change(|link| link.attempts = 4), 1);
    assert_eq!(change(|link| link.recorded = REQUESTS_PER_LINK), 0);
    assert_eq!(change(|link| link.recorded = REQUESTS_PER_LINK - 1), 1);
    assert_eq!(change(|link| (link.recorded, link.used_by) = (0, Some(DeviceId(Fixed([1; 16]))))), 0);
}

#[test]
fn a_link_ends_in_the_future_and_within_its_time() {
    let desk = Desk::open();
    let latest = START.plus(LINK_SECONDS + DAY);
    for (until, fault) in [(START, Invalid::Past), (Timestamp(0), Invalid::Past), (latest.plus(1), Invalid::TooLate)] {
        assert_eq!(invalid(link(&desk, None, Some(until))), fault);
    }
    link(&desk, None, Some(START.plus(1))).unwrap();
    link(&desk, None, Some(latest)).unwrap();
}

/// `http://localhost.example` begins like `http://localhost` and lies on the network.
#[test]
fn an_app_is_reached_over_tls_or_on_this_machine() {
    let desk = Desk::open();
    for good in [
        "https://app.example",
        "https://app.example:8443/in/?a=b",
        "http://localhost",
        "http://localhost:8080/",
        "http://127.0.0.1:8080/in",
    ] {
        link(&desk, Some(good), None).unwrap();
    }
    for bad in [
        "",
        "app.example",
        "http://app.example",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
        "http://localhost:8080@app.example/",
        "http://localhost@app.example/",
        "http://localhost\\@app.example/",
        "https://app.example\\in",
        "https://",
        "https:///in",
        "https://app.example/#x",
        "https://app.example/ in",
        "javascript://localhost/",
        "https://app.ex\u{e4}mple",
    ] {
        assert_eq!(invalid(link(&desk, Some(bad), None)), Invalid::AppUrl, "{bad}");
    }
}

/// A link made under a clock years ahead would have been good for years once the clock was set.
#[test]
fn under_a_clock_far_ahead_no_link_is_made_before_the_practice_vouches_for_it() {
    let mut desk = Desk::open();
    let patient = desk.patient("Ada Example");
    desk.now = START.plus(3_000 * DAY);
    let link = |desk: &Desk| desk.perform(Request::Link { patient: patient.clone(), app_url: None, until: None });
    assert_eq!(invalid(link(&desk)), Invalid::Clock);
    assert_eq!(desk.status().clock_ahead_days, Some(3_000));
    for (accept, expected) in [(false, Some(3_000)), (true, None)] {
        let Reply::Clock { ahead_days, accepted, .. } = desk.perform(Request::Clock { accept }).unwrap() else {
            panic!("another reply")
        };
        assert_eq!((ahead_days, accepted), (expected, accept));
    }
    assert!(link(&desk).is_ok());
    assert_eq!(desk.log(None).last().unwrap().action, "link made");
    desk.now = START;
    desk.perform(Request::Clock { accept: true }).unwrap();
    assert!(link(&desk).is_ok(), "and the mark can be lowered again");
}
