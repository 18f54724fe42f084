use proptest::prelude::*;
use rohrpost_e2ee::body::DeviceId;
use rohrpost_wire::fixed::Fixed;

use super::*;
use crate::rows::PatientId;
use crate::vault::MemoryStore;

const NOW: Timestamp = Timestamp(1000);

fn patient(number: u8) -> PatientId {
    PatientId(Fixed([number; 16]))
}

fn document(number: u8) -> DocumentId {
    DocumentId(Fixed([number; 16]))
}

fn device(patient: PatientId, revoked: bool) -> DeviceRow {
    DeviceRow {
        id: DeviceId(Fixed([1; 16])),
        key: Fixed([1; 32]),
        patient,
        name: "phone".into(),
        enrolled: Timestamp(0),
        revoked: revoked.then_some(Timestamp(1)),
    }
}

fn grant(subject: PatientId, document: DocumentId, rights: Rights, not_after: Option<Timestamp>) -> GrantRow {
    GrantRow { subject, document, rights, shared: Timestamp(7), not_after }
}

fn allows(grants: &[GrantRow], device: &DeviceRow, right: Rights, document: DocumentId, now: Timestamp) -> bool {
    let store = MemoryStore::new();
    let mut draft = Draft::new(&store);
    for grant in grants {
        rows::save(&mut draft, grant).unwrap();
    }
    authorise(&draft, device, right, &document, now).unwrap().is_some()
}

#[test]
fn without_a_grant_there_is_no_permit() {
    assert!(!allows(&[], &device(patient(1), false), Rights::LIST, document(1), NOW));
}

#[test]
fn a_right_that_was_not_given_is_not_had() {
    let ada = device(patient(1), false);
    for (given, list, read) in [(Rights::LIST, true, false), (Rights::READ, false, true), (Rights::SHARED, true, true)]
    {
        let grants = [grant(patient(1), document(1), given, None)];
        assert_eq!(allows(&grants, &ada, Rights::LIST, document(1), NOW), list);
        assert_eq!(allows(&grants, &ada, Rights::READ, document(1), NOW), read);
        assert_eq!(allows(&grants, &ada, Rights::SHARED, document(1), NOW), list && read, "all or nothing");
    }
}

#[test]
fn a_permit_tells_the_terms_of_its_grant() {
    let store = MemoryStore::new();
    let mut draft = Draft::new(&store);
    rows::save(&mut draft, &grant(patient(1), document(1), Rights::SHARED, Some(NOW))).unwrap();
    let permit = authorise(&draft, &device(patient(1), false), Rights::LIST, &document(1), NOW).unwrap().unwrap();
    assert_eq!((permit.shared(), permit.until()), (Timestamp(7), Some(NOW)));
    assert_eq!(permit.document(&draft).unwrap(), None, "a grant outlives its document without harm");
}

prop_compose! {
    fn any_grant()(
        subject in 1u8..4,
        of in 1u8..4,
        rights in prop::sample::select(vec![Rights::LIST, Rights::READ, Rights::SHARED]),
        end in prop::option::of(995u64..1005),
    ) -> GrantRow {
        grant(patient(subject), document(of), rights, end.map(Timestamp))
    }
}

proptest! {
    /// The last grant written for a patient and a document is the one that counts.
    #[test]
    fn it_agrees_with_a_search_through_all_grants(
        grants in prop::collection::vec(any_grant(), 0..12),
        who in 1u8..4,
        of in 1u8..4,
        revoked: bool,
        right in prop::sample::select(vec![Rights::LIST, Rights::READ]),
        now in 995u64..1005,
    ) {
        let last = grants.iter().rfind(|grant| grant.subject == patient(who) && grant.document == document(of));
        let expected = !revoked && last.is_some_and(|grant| {
            (grant.rights == right || grant.rights == Rights::SHARED) && grant.not_after.is_none_or(|end| end.0 >= now)
        });
        let allowed = allows(&grants, &device(patient(who), revoked), right, document(of), Timestamp(now));
        prop_assert_eq!(allowed, expected);
    }

    #[test]
    fn time_takes_rights_away_and_gives_none(grants in prop::collection::vec(any_grant(), 0..6), later in 0u64..10) {
        let ada = device(patient(1), false);
        let at = |now| allows(&grants, &ada, Rights::READ, document(1), now);
        prop_assert!(at(NOW) || !at(NOW.plus(later)));
    }
}
