//! A relay's folder with one of everything in it, as a stop and as a crash leave it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rohrpost_client::{AskError, Connection, Role};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_tests::{Practice, World, content};
use rohrpost_wire::frame::{Deposit, Destination, TtlClass};
use rohrpost_wire::records::RecordSet;
use rohrpost_wire::{EnvelopeId, ErrorCode, InboxId, MailboxId};
use tempfile::TempDir;

use crate::damage;

/// Folders to copy from.
pub(crate) struct Scene {
    _folder: TempDir,
    /// After a stop: everything is in the database.
    pub(crate) settled: PathBuf,
    /// As a crash leaves it: much of it is in the log only.
    pub(crate) crashed: PathBuf,
    /// What is in both.
    pub(crate) expected: Expected,
}

/// What a relay on such a folder delivers.
pub(crate) struct Expected {
    /// Of the safe whose inbox it is.
    pub(crate) route: SigningSecret,
    envelopes: BTreeMap<EnvelopeId, Vec<u8>>,
    mailbox: SigningSecret,
    reply: Vec<u8>,
    practice: InboxId,
    records: RecordSet,
}

/// So many at each start that their numbers reach that of a row whose key is damaged.
const FRESH: u64 = 12;

/// One row that a relay has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    /// A request that waits.
    Envelope(EnvelopeId),
    /// The answer to one.
    Reply,
    /// Where that waits, and others would.
    Mailbox,
    /// What a safe has published.
    Records,
}

impl Scene {
    /// Fills a relay.
    pub(crate) async fn make() -> Self {
        let mut world = World::start().await;
        let mut practice = Practice::open(&world, "practice").await;
        let inbox = InboxId(rohrpost_wire::fixed::Fixed::from_hex(&practice.status().await.inbox_id).unwrap());
        practice.closes().await;
        let safe = Connection::dial(world.relay(), Role::Safe).await.unwrap();
        let expected = Expected::fill(&safe, inbox).await;

        let folder = tempfile::tempdir().unwrap();
        let (settled, crashed) = (folder.path().join("settled"), folder.path().join("crashed"));
        damage::copy(&world.relay_folder(), &crashed);
        assert!(crashed.join("spool.db-wal").exists(), "there is a log");
        world.relay_dies();
        damage::copy(&world.relay_folder(), &settled);
        Self { _folder: folder, settled, crashed, expected }
    }
}

impl Expected {
    async fn fill(safe: &Connection, practice: InboxId) -> Self {
        let route = SigningSecret::from_bytes(&[7; 32]);
        safe.login(&route, 1).await.unwrap();
        let mailbox = SigningSecret::from_bytes(&[8; 32]);
        let records = safe.records(practice).await.unwrap();
        let mut expected =
            Self { route, envelopes: BTreeMap::new(), mailbox, reply: content(9000, 99), practice, records };
        for number in 0..24 {
            // Several to a page, and in between from a part of a page to a chain of ten.
            let length = 200 + if number % 3 > 0 { 0 } else { number * number * 70 };
            let bytes = content(usize::try_from(length).unwrap(), number);
            let asks = number == 5;
            let deposit = Deposit { reply_mailbox: asks.then(|| expected.mailbox.public()), ..expected.deposit() };
            let id = safe.deposit(&deposit, &bytes).await.unwrap();
            expected.envelopes.insert(id, bytes);
        }
        safe.deposit(&expected.answer(), &expected.reply).await.unwrap();
        expected
    }

    /// Whose envelopes they are.
    pub(crate) fn inbox(&self) -> InboxId {
        InboxId::of_route_key(&self.route.public().0)
    }

    fn deposit(&self) -> Deposit {
        let to = Destination::Inbox(self.inbox());
        Deposit { to, ticket: None, ttl: TtlClass::Fortnight, reply_mailbox: None }
    }

    fn answer(&self) -> Deposit {
        let to = Destination::Mailbox(MailboxId::of_key(&self.mailbox.public().0));
        Deposit { to, ..self.deposit() }
    }

    /// What is sent at this start, and by nobody before.
    pub(crate) fn fresh(&self, start: u64) -> impl Iterator<Item = (Deposit, Vec<u8>)> {
        (0..FRESH).map(move |number| (self.deposit(), content(200, 1000 + start * FRESH + number)))
    }

    /// What is missing of all that was confirmed before this start; `Misbehaved` if anything is wrong.
    pub(crate) async fn missing(&self, safe: &Connection, start: u64) -> Result<BTreeSet<Item>, AskError> {
        let mut missing = self.missing_envelopes(safe, start).await?;
        missing.extend(self.missing_reply(safe).await?);
        missing.extend(self.missing_mailbox(safe).await?);
        missing.extend(self.missing_records(safe).await?);
        Ok(missing)
    }

    async fn missing_envelopes(&self, safe: &Connection, start: u64) -> Result<BTreeSet<Item>, AskError> {
        let mut envelopes = self.envelopes.clone();
        let fresh = (0..start).flat_map(|start| self.fresh(start));
        envelopes.extend(fresh.map(|(deposit, bytes)| (deposit.envelope_id(&bytes), bytes)));
        for delivered in safe.fetch(self.inbox(), false).await? {
            if envelopes.remove(&delivered.delivery.id) != Some(delivered.envelope) {
                return Err(AskError::Misbehaved);
            }
        }
        Ok(envelopes.into_keys().map(Item::Envelope).collect())
    }

    async fn missing_reply(&self, safe: &Connection) -> Result<Option<Item>, AskError> {
        let replies = match safe.fetch_mailbox(&self.mailbox).await {
            Err(AskError::Refused(ErrorCode::Unknown)) => return Ok(Some(Item::Reply)),
            replies => replies?,
        };
        match replies.as_slice() {
            [] => Ok(Some(Item::Reply)),
            [reply] if reply.envelope == self.reply => Ok(None),
            _ => Err(AskError::Misbehaved),
        }
    }

    /// It is there if it takes the same reply again, which changes nothing where that waits.
    async fn missing_mailbox(&self, safe: &Connection) -> Result<Option<Item>, AskError> {
        match safe.deposit(&self.answer(), &self.reply).await {
            Ok(_) => Ok(None),
            Err(AskError::Refused(ErrorCode::Unknown)) => Ok(Some(Item::Mailbox)),
            Err(error) => Err(error),
        }
    }

    async fn missing_records(&self, safe: &Connection) -> Result<Option<Item>, AskError> {
        match safe.records(self.practice).await {
            Ok(records) if records == self.records => Ok(None),
            Ok(_) => Err(AskError::Misbehaved),
            Err(AskError::Refused(ErrorCode::Unknown)) => Ok(Some(Item::Records)),
            Err(error) => Err(error),
        }
    }
}
