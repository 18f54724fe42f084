use super::*;
use crate::vault::MAX_ROW_BYTES;
use crate::vault::tests::{rng, row, vault_key};

fn sealer() -> RowSealer {
    RowSealer::new(&vault_key(1))
}

fn here() -> Place<'static> {
    Place::new(Table::Grants, b"key")
}

#[test]
fn a_row_opens_where_it_was_sealed() {
    for length in [0, 1, 251, 252, 253, 1020, 1021, 70_000, MAX_ROW_BYTES] {
        let row = Row::new(vec![7; length]);
        let sealed = sealer().seal(here(), &row, &mut rng(1)).unwrap();
        assert_eq!(sealer().open(here(), &sealed).unwrap(), row);
    }
}

#[test]
fn a_row_above_the_limit_is_refused() {
    let row = Row::new(vec![7; MAX_ROW_BYTES + 1]);
    assert_eq!(sealer().seal(here(), &row, &mut rng(1)), Err(StoreError::RowTooLarge));
}

#[test]
fn every_flipped_bit_is_refused() {
    let sealed = sealer().seal(here(), &row("Erika Mustermann"), &mut rng(1)).unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1 << bit;
            assert_eq!(sealer().open(here(), &flipped), Err(StoreError::Damaged), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn every_truncation_and_every_longer_row_is_refused() {
    let sealed = sealer().seal(here(), &row("Erika Mustermann"), &mut rng(1)).unwrap();
    for length in 0..sealed.len() {
        assert_eq!(sealer().open(here(), &sealed[..length]), Err(StoreError::Damaged));
        assert_eq!(sealer().open(here(), &sealed[length + 1..]), Err(StoreError::Damaged));
    }
    assert_eq!(sealer().open(here(), &[sealed.as_slice(), &[0]].concat()), Err(StoreError::Damaged));
}

#[test]
fn a_row_moved_to_another_key_table_or_vault_is_refused() {
    let sealed = sealer().seal(here(), &row("Erika Mustermann"), &mut rng(1)).unwrap();
    for key in [b"kez".as_slice(), b"ke", b"key\0", b""] {
        assert_eq!(sealer().open(Place::new(Table::Grants, key), &sealed), Err(StoreError::Damaged));
    }
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Grants) {
        assert_eq!(sealer().open(Place::new(table, b"key"), &sealed), Err(StoreError::Damaged));
    }
    assert_eq!(RowSealer::new(&vault_key(2)).open(here(), &sealed), Err(StoreError::Damaged));
}

#[test]
fn the_same_row_never_looks_the_same_twice() {
    let mut rng = rng(1);
    let first = sealer().seal(here(), &row("x"), &mut rng).unwrap();
    let second = sealer().seal(here(), &row("x"), &mut rng).unwrap();
    let alike = first.iter().zip(&second).skip(1).filter(|(one, other)| one == other).count();
    assert!(alike < first.len() / 10, "{alike} of {} bytes alike", first.len());
}

#[test]
fn only_the_size_classes_exist() {
    let overhead = 1 + SALT_BYTES + TAG_BYTES;
    let sealed_length = |table, length| {
        let row = Row::new(vec![7; length]);
        sealer().seal(Place::new(table, b"key"), &row, &mut rng(1)).unwrap().len() - overhead
    };
    for length in 0..=252 {
        assert_eq!(sealed_length(Table::Audit, length), 256);
    }
    for length in 0..=1020 {
        assert_eq!(sealed_length(Table::Documents, length), 1024, "no title of ordinary length shows");
    }
    assert_eq!(sealed_length(Table::Audit, 253), 1024);
    assert_eq!(sealed_length(Table::Documents, 1021), 4096);
    assert_eq!(sealed_length(Table::Documents, MAX_ROW_BYTES), 1_048_576);
}

#[test]
fn no_two_places_bind_the_same_bytes() {
    let mut places: Vec<_> = Table::ALL
        .iter()
        .flat_map(|table| [b"".as_slice(), b"\x01", b"\x01\x02", b"check"].map(|key| Place::new(*table, key)))
        .chain([Place::CHECK])
        .map(Place::associated)
        .collect();
    let count = places.len();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), count);
}

/// Pins the bytes on disk: a change of any step would make every existing vault unreadable.
#[test]
fn the_layout_is_the_documented_one() {
    let sealed = sealer().seal(here(), &row("Erika Mustermann"), &mut rng(1)).unwrap();
    assert_eq!(sealed[0], 1);
    let mut body = sealed[25..].to_vec();
    let one_seal = OneSeal::derive(&vault_key(1).table_key(4), &[b"rohrpost/1 row", &sealed[1..25]]);
    one_seal.open(b"\x01\x04key", &mut body).unwrap();
    assert_eq!(body[..20], *b"\0\0\0\x10Erika Mustermann");
    assert!(body[20..].iter().all(|byte| *byte == 0));
    assert_eq!(body.len(), 256);
}
