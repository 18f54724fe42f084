//! A relay's folder with one of everything in it, as a stop and as a crash leave it.

use std::collections::BTreeMap;
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
            // From a part of a page to a chain of ten.
            let bytes = content(200 + usize::try_from(number * number).unwrap() * 70, number);
            let asks = number == 5;
            let deposit = Deposit { reply_mailbox: asks.then(|| expected.mailbox.public()), ..expected.deposit() };
            let id = safe.deposit(&deposit, &bytes).await.unwrap();
            expected.envelopes.insert(id, bytes);
        }
        let to = Destination::Mailbox(MailboxId::of_key(&expected.mailbox.public().0));
        safe.deposit(&Deposit { to, ..expected.deposit() }, &expected.reply).await.unwrap();
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

    /// Something that nobody has sent yet.
    pub(crate) fn fresh(&self) -> (Deposit, Vec<u8>) {
        (self.deposit(), content(3000, 1000))
    }

    /// How many envelopes are missing; `Misbehaved` if anything is wrong.
    pub(crate) async fn missing(&self, safe: &Connection) -> Result<u64, AskError> {
        let delivered = safe.fetch(self.inbox(), false).await?;
        let right = |id: &EnvelopeId, bytes: &Vec<u8>| self.envelopes.get(id) == Some(bytes);
        if !delivered.iter().all(|delivered| right(&delivered.delivery.id, &delivered.envelope)) {
            return Err(AskError::Misbehaved);
        }
        let envelopes = (self.envelopes.len() - delivered.len()) as u64;
        Ok(envelopes + self.missing_reply(safe).await?)
    }

    async fn missing_reply(&self, safe: &Connection) -> Result<u64, AskError> {
        let replies = match safe.fetch_mailbox(&self.mailbox).await {
            Err(AskError::Refused(ErrorCode::Unknown)) => return Ok(1),
            replies => replies?,
        };
        match replies.as_slice() {
            [] => Ok(1),
            [reply] if reply.envelope == self.reply => Ok(0),
            _ => Err(AskError::Misbehaved),
        }
    }

    /// How many record sets are.
    pub(crate) async fn missing_records(&self, safe: &Connection) -> Result<u64, AskError> {
        match safe.records(self.practice).await {
            Ok(records) if records == self.records => Ok(0),
            Ok(_) => Err(AskError::Misbehaved),
            Err(AskError::Refused(ErrorCode::Unknown)) => Ok(1),
            Err(error) => Err(error),
        }
    }
}
