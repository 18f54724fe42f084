//! A copy of everything a safe remembers: a backup that can be restored, and a scene that can be played many times.

use rohrpost_e2ee::body::{Operation, RequestId};
use rohrpost_e2ee::exchange::EnvelopeHash;
use rohrpost_wire::fixed::Fixed;

use crate::requests::{Asker, Enrolment, Incoming};
use crate::rows::PrekeyRow;
use crate::testing::{START, Sealed, World};
use crate::vault::{Draft, MemoryStore, Row, Store, Table};

/// Every row of a store.
pub(super) struct Snapshot(Vec<(Table, Vec<u8>, Row)>);

impl Snapshot {
    pub(super) fn of(store: &MemoryStore) -> Self {
        let rows = Table::ALL.into_iter().flat_map(|table| {
            let found = store.scan(table, &[], None, usize::MAX).unwrap();
            found.into_iter().map(move |(key, row)| (table, key, row))
        });
        Self(rows.collect())
    }

    pub(super) fn restored(&self) -> MemoryStore {
        let mut store = MemoryStore::new();
        let mut draft = Draft::new(&store);
        for (table, key, row) in &self.0 {
            draft.put(*table, key, row.clone()).unwrap();
        }
        let writes = draft.into_writes();
        store.apply(writes).unwrap();
        store.flush().unwrap();
        store
    }
}

/// An enrolment as the safe opened it.
pub(super) struct Try {
    pub(super) incoming: Incoming,
    pub(super) enrolment: Enrolment,
}

impl Try {
    pub(super) fn of<S: Store>(world: &World<S>, sealed: &Sealed) -> Self {
        let (incoming, asker, _) = world.open(sealed).unwrap();
        assert!(matches!(incoming.operation, Operation::Enrol { .. }));
        let Asker::Enrol(enrolment) = asker else { panic!("not an enrolment") };
        Self { incoming, enrolment }
    }
}

/// A request as the safe would have opened it, without the seal around it: for a decision that is made a million times.
pub(super) fn unsealed<S: Store>(world: &World<S>, operation: Operation) -> Incoming {
    let prekey = world.all::<PrekeyRow>().remove(0);
    Incoming {
        id: RequestId(Fixed([1; 16])),
        envelope: EnvelopeHash(Fixed([2; 32])),
        prekey: prekey.id,
        prekey_until: prekey.not_after,
        live: true,
        created: START,
        expires: START.plus(600),
        operation,
        operation_hash: Fixed([3; 32]),
    }
}
