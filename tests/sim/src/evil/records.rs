//! Forged records: everything one can sign with keys of one's own.

use rohrpost_safe_agent::identity;
use rohrpost_safe_agent::vault::{Draft, MemoryStore};
use rohrpost_wire::Timestamp;
use rohrpost_wire::codec;
use rohrpost_wire::records::{PrekeyRecord, RecordSet, Signed};

use crate::random::Rng;
use crate::time::START;
use crate::world::relay_address;

/// Whoever has a safe of his own.
#[derive(Debug)]
pub(super) struct Forger {
    own: RecordSet,
}

impl Forger {
    #[expect(clippy::expect_used, reason = "nothing damages a store in memory")]
    pub(super) fn new(mut rng: Rng) -> Self {
        let store = MemoryStore::new();
        let mut draft = Draft::new(&store);
        let founded = identity::found(&mut draft, "nobody's practice", &relay_address(), START, &mut rng);
        let own = founded
            .and_then(|_| identity::top_up(&mut draft, START, &mut rng))
            .and_then(|_| identity::record_set(&draft, Timestamp(START.0)))
            .expect("a safe can be founded");
        Self { own }
    }

    pub(super) fn own(&self) -> RecordSet {
        self.own.clone()
    }

    /// Genuine roots and identity over prekeys that the genuine online key did not sign.
    pub(super) fn own_prekeys(&self, genuine: &RecordSet) -> RecordSet {
        RecordSet { prekeys: self.own.prekeys.clone(), ..genuine.clone() }
    }

    /// The genuine signature over a record with another key in it.
    pub(super) fn swapped(&self, genuine: &RecordSet) -> RecordSet {
        let own: Option<PrekeyRecord> = self.own.prekeys.first().and_then(|signed| codec::decode(&signed.bytes).ok());
        let swap = |signed: &Signed| {
            let record: Option<PrekeyRecord> = codec::decode(&signed.bytes).ok();
            match (record, &own) {
                (Some(record), Some(own)) => {
                    Signed { bytes: codec::encode(&PrekeyRecord { key: own.key, ..record }), ..signed.clone() }
                }
                _ => signed.clone(),
            }
        };
        RecordSet { prekeys: genuine.prekeys.iter().map(swap).collect(), ..genuine.clone() }
    }
}
