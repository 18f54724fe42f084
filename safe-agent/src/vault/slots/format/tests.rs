use proptest::prelude::*;

use super::*;

fn file() -> KeysFile {
    let cost = Cost { memory_kib: 65_536, passes: 3, lanes: 1 };
    KeysFile {
        vault_id: [1; 16],
        slots: vec![
            Slot::Passphrase { cost, salt: [2; 16], wrapped: [3; 48] },
            Slot::Recovery { sheet: 1, salt: [4; 16], wrapped: [5; 48] },
        ],
    }
}

/// The checksum that would make these bytes sound.
fn sound(said: &[u8]) -> Vec<u8> {
    [said, checksum(said).as_ref()].concat()
}

#[test]
fn the_layout_is_the_documented_one() {
    let bytes = file().encode();
    let expected = [
        [1].as_slice(),
        &[1; 16],
        &[2],
        &[1],
        &[0, 1, 0, 0],
        &[0, 0, 0, 3],
        &[0, 0, 0, 1],
        &[2; 16],
        &[3; 48],
        &[2, 1],
        &[4; 16],
        &[5; 48],
    ]
    .concat();
    assert_eq!(bytes, sound(&expected));
    assert_eq!(KeysFile::decode(&bytes).unwrap(), file());
}

#[test]
fn what_only_a_newer_release_writes_is_told_apart_from_damage() {
    let bytes = file().encode();
    let mut newer = bytes[..bytes.len() - 32].to_vec();
    newer[0] = 2;
    assert!(matches!(KeysFile::decode(&sound(&newer)), Err(UnlockError::Newer)));
    let mut unknown_slot = bytes[..bytes.len() - 32].to_vec();
    unknown_slot[18] = 3;
    assert!(matches!(KeysFile::decode(&sound(&unknown_slot)), Err(UnlockError::Newer)));
}

#[test]
fn a_rest_a_missing_slot_and_a_cost_out_of_bounds_are_refused() {
    let bytes = file().encode();
    let said = &bytes[..bytes.len() - 32];
    let damaged = |bytes: &[u8]| matches!(KeysFile::decode(&sound(bytes)), Err(UnlockError::Damaged));
    assert!(damaged(&[said, &[0]].concat()), "a rest");
    assert!(damaged(&said[..said.len() - 1]), "a short slot");
    for count in [0, 1, 3, 9, 255] {
        let mut counted = said.to_vec();
        counted[17] = count;
        assert!(damaged(&counted), "{count} slots");
    }
    for (at, value) in [(19, 255), (19, 1), (26, 17), (26, 0), (30, 17), (30, 0)] {
        let mut costly = said.to_vec();
        costly[at] = value;
        assert!(damaged(&costly), "byte {at} is {value}");
    }
}

proptest! {
    #[test]
    fn whatever_decodes_encodes_to_the_same_bytes(mut said in prop::collection::vec(any::<u8>(), 0..300), slots in 0..4_u8) {
        // Random bytes hardly ever get past the version and the kinds; steer them there.
        if said.len() > 18 {
            said[0] = 1;
            said[17] = slots;
            said[18] = 2;
            said.truncate(18 + usize::from(slots) * 66);
            for slot in 0..usize::from(slots) {
                if let Some(kind) = said.get_mut(18 + slot * 66) {
                    *kind = 2;
                }
            }
        }
        let bytes = sound(&said);
        if let Ok(file) = KeysFile::decode(&bytes) {
            prop_assert_eq!(file.encode(), bytes);
        }
    }
}
