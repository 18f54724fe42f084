//! Forged records, and a fake safe behind them: everything one can sign, and try to open, with keys of one's own.

use rohrpost_e2ee::exchange::{Lane, Recipient, RequestHeader, open_request};
use rohrpost_e2ee::keys::{SealingKey, SigningSecret};
use rohrpost_safe_agent::identity;
use rohrpost_safe_agent::rows::PrekeyRow;
use rohrpost_safe_agent::vault::{Draft, MemoryStore};
use rohrpost_wire::frame::Deposit;
use rohrpost_wire::records::{
    IdentityRecord, PrekeyRecord, RecordKind, RecordSet, RootStatement, Signed, StatementHash, next_root_hash,
};
use rohrpost_wire::{InboxId, SUITE, SafePin, VERSION, codec};

use crate::random::Rng;
use crate::time::START;
use crate::world::relay_address;

/// Whoever has a safe of his own.
#[derive(Debug)]
pub(super) struct Forger {
    own: RecordSet,
    /// With the secrets of all keys it ever shows.
    prekeys: Vec<PrekeyRow>,
    key: SigningSecret,
}

impl Forger {
    #[expect(clippy::expect_used, reason = "nothing damages a store in memory")]
    pub(super) fn new(mut rng: Rng) -> Self {
        let store = MemoryStore::new();
        let mut draft = Draft::new(&store);
        let founded = identity::found(&mut draft, "nobody's practice", &relay_address(), START, &mut rng);
        let own = founded
            .and_then(|_| identity::top_up(&mut draft, START, &mut rng))
            .and_then(|_| identity::record_set(&draft, START))
            .expect("a safe can be founded");
        let prekeys = identity::prekeys(&draft).expect("they were just made");
        Self { own, prekeys, key: SigningSecret::generate(&mut rng) }
    }

    /// What is wrong if a request for this safe, left there or live, was sealed to one of its own keys, for that safe or
    /// for the forger's.
    pub(super) fn try_to_open(
        &self,
        inbox: InboxId,
        deposit: Option<&Deposit>,
        envelope: &[u8],
        genuine: Option<&RecordSet>,
    ) -> Option<String> {
        let left = |deposit: &Deposit| Lane::Deposit { ttl: deposit.ttl, reply_mailbox: deposit.reply_mailbox };
        let lane = deposit.map_or(Lane::Live, left);
        let named = RequestHeader::parse(envelope).ok()?.prekey;
        let pins = [genuine, Some(&self.own)].into_iter().flatten().filter_map(|set| set.roots.first());
        let pins: Vec<_> = pins.map(|root| SafePin::of_statement(&root.bytes)).collect();
        let shown = self.prekeys.iter().filter(|row| row.id == named || Some(row.secret().public()) == self.own_key());
        let opens = |row: &PrekeyRow, pin: &SafePin| {
            open_request(envelope, &row.secret(), Recipient { pin, inbox: &inbox, lane }).is_ok()
        };
        let opened = shown.into_iter().any(|row| pins.iter().any(|pin| opens(row, pin)));
        opened.then(|| "a fake safe opened a request".to_owned())
    }

    pub(super) fn own(&self) -> RecordSet {
        self.own.clone()
    }

    /// Genuine roots and identity over prekeys of its own: they name the right safe and are signed by the wrong key.
    pub(super) fn own_prekeys(&self, genuine: &RecordSet) -> RecordSet {
        let resign = |signed: &Signed| match codec::decode::<PrekeyRecord>(&signed.bytes) {
            Ok(record) => {
                let key = self.own_key().unwrap_or(record.key);
                Signed::sign(RecordKind::Prekey, &PrekeyRecord { key, ..record }, self.key.signer())
            }
            Err(_) => signed.clone(),
        };
        RecordSet { prekeys: genuine.prekeys.iter().map(resign).collect(), ..genuine.clone() }
    }

    /// Genuine roots and behind them one of its own, that signs an identity of its own.
    pub(super) fn forged_root(&self, genuine: &RecordSet) -> RecordSet {
        let mut set = self.forged_identity(genuine);
        let statement = genuine.roots.last().map(|last| RootStatement {
            version: VERSION,
            suite_floor: SUITE,
            root_key: self.key.public(),
            next_root_hash: next_root_hash(&self.key.public().0),
            previous: Some(StatementHash::of_statement(&last.bytes)),
        });
        set.roots.extend(statement.map(|statement| Signed::sign(RecordKind::Root, &statement, self.key.signer())));
        set
    }

    /// Genuine roots over an identity and prekeys of its own, in the safe's name.
    pub(super) fn forged_identity(&self, genuine: &RecordSet) -> RecordSet {
        let mut set = self.own_prekeys(genuine);
        if let Ok(record) = codec::decode::<IdentityRecord>(&genuine.identity.bytes) {
            let record = IdentityRecord { online_key: self.key.public(), ..record };
            set.identity = Signed::sign(RecordKind::Identity, &record, self.key.signer());
        }
        set
    }

    fn own_key(&self) -> Option<SealingKey> {
        let own: PrekeyRecord = codec::decode(&self.own.prekeys.first()?.bytes).ok()?;
        Some(own.key)
    }

    /// The genuine signature over a record with another key in it.
    pub(super) fn swapped(&self, genuine: &RecordSet) -> RecordSet {
        let swap = |signed: &Signed| {
            let record: Option<PrekeyRecord> = codec::decode(&signed.bytes).ok();
            match (record, self.own_key()) {
                (Some(record), Some(key)) => {
                    Signed { bytes: codec::encode(&PrekeyRecord { key, ..record }), ..signed.clone() }
                }
                _ => signed.clone(),
            }
        };
        RecordSet { prekeys: genuine.prekeys.iter().map(swap).collect(), ..genuine.clone() }
    }
}
