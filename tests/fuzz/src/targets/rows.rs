//! Rows of a vault and the record of decisions in them: what reads back is what was written.

use rohrpost_safe_agent::audit::{self, Action, Actor, Event, Leaf};
use rohrpost_safe_agent::rows::{self, AuditHead};
use rohrpost_safe_agent::vault::{Draft, MemoryStore, Row, Store, Table};

use super::samples::{NOW, rng};
use crate::edits;
use crate::input::Input;
use crate::target::Verdict;

const ROWS: u8 = 12;

/// A store with rows of several sizes in it.
pub(super) fn filled<S: Store>(mut store: S) -> S {
    let mut draft = Draft::new(&store);
    for number in 0..ROWS {
        draft.put(Table::Patients, &[number; 16], Row::new(value(number))).unwrap();
    }
    let writes = draft.into_writes();
    store.apply(writes).unwrap();
    store.flush().unwrap();
    store.compact().unwrap();
    store
}

fn value(number: u8) -> Vec<u8> {
    vec![number; 40 * usize::from(number) * usize::from(number)]
}

/// Each row is as it was, or damaged, or gone; none is another.
pub(super) fn check(store: &dyn Store) {
    for number in 0..ROWS {
        if let Ok(Some(row)) = store.get(Table::Patients, &[number; 16]) {
            assert_eq!(row.as_bytes(), value(number), "a row reads as another");
        }
    }
    if let Ok(rows) = store.scan(Table::Patients, &[], None, 100) {
        for (key, row) in rows {
            assert!(
                (0..ROWS).any(|number| key == [number; 16] && row.as_bytes() == value(number)),
                "a row from nowhere"
            );
        }
    }
}

const LEAVES: u64 = 6;

fn events() -> Vec<Event> {
    let action = |number| Action::Listed { documents: u32::try_from(number).unwrap() };
    (0..LEAVES).map(|number| Event::new(NOW.plus(number), Actor::Safe, action(number))).collect()
}

/// A record of decisions in which a leaf was changed, moved, repeated or lost is never read as whole.
pub(super) fn audit_record(bytes: &[u8]) -> Verdict {
    let mut store = MemoryStore::new();
    let mut draft = Draft::new(&store);
    for event in events() {
        audit::append(&mut draft, &event, &mut rng(event.at.0)).unwrap();
    }
    let writes = draft.into_writes();
    store.apply(writes).unwrap();
    let mut input = Input::new(bytes);
    let mut draft = Draft::new(&store);
    while !input.is_over() {
        tamper(&mut draft, &mut input);
    }
    let head: Option<AuditHead> = rows::load(&draft, AuditHead::KEY).unwrap();
    assert_eq!(head.map(|head| head.next), Some(LEAVES));
    let genuine: Vec<_> = (0..).zip(events()).collect();
    // A leaf of a version that only a newer release writes stops the reading altogether.
    let Ok(part) = audit::part(&draft, 0, 100) else { return Verdict::Refused };
    assert!(part.events.iter().all(|event| genuine.contains(event)), "an event that never was is read");
    let Ok(read) = audit::read(&draft, 0, 100) else { return Verdict::Refused };
    assert_eq!(read, genuine, "a changed record is read as whole");
    Verdict::Taken
}

fn tamper(draft: &mut Draft<'_>, input: &mut Input<'_>) {
    let (kind, from, to) = (input.choice(4), input.byte() % 8, input.byte() % 8);
    let place = |number: u8| u64::from(number).to_be_bytes();
    let Ok(Some(row)) = draft.get(Table::Audit, &place(from)) else { return };
    match kind {
        0 => draft.delete(Table::Audit, &place(from)).unwrap(),
        1 => draft.put(Table::Audit, &place(to), row).unwrap(),
        2 => {
            // Behind version and number: the hash covers salt and event, the number is held by the seal of the row.
            let (front, behind) = row.as_bytes().split_at(row.as_bytes().len().min(2));
            let mut behind = behind.to_vec();
            edits::apply(&mut behind, &[0; 64], input, 2);
            draft.put(Table::Audit, &place(from), Row::new([front, &behind].concat())).unwrap();
        }
        _ => {
            // A leaf that decodes, in its own place: what is left is the hash over salt and event.
            if let Ok(Some(mut leaf)) = rows::load::<Leaf>(draft, &place(from)) {
                edits::apply(&mut leaf.event, &[1; 64], input, 1);
                rows::save(draft, &leaf).unwrap();
            }
        }
    }
}

pub(super) fn audit_record_seeds() -> Vec<Vec<u8>> {
    vec![
        vec![],
        vec![0, 5, 0],
        vec![0, 2, 0],
        vec![1, 2, 3],
        vec![1, 5, 6],
        vec![2, 1, 0, 0, 0, 9, 1],
        vec![3, 1, 1, 0, 0, 1, 1],
        vec![1, 1, 7, 0, 1, 0],
    ]
}
