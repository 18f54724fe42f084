//! A visit to one safe: its records verified, then requests sealed, sent and their replies opened.

use rohrpost_e2ee::body::Reply;
use rohrpost_e2ee::exchange::{Author, ExpectReply, Lane, RequestDraft, seal_request};
use rohrpost_e2ee::keys::SigningSecret;
use rohrpost_e2ee::trust::{self, Known, TrustedSafe};
use rohrpost_wire::frame::{Deposit, Destination, TtlClass};
use rohrpost_wire::{EnvelopeId, InboxId, RelayAddress, Timestamp};

use crate::connection::{Connection, Role};
use crate::download::Download;
use crate::error::VisitError;
use crate::random;

/// One connection, one safe. What it learns of the safe stands in [`Visit::safe`] and is worth remembering.
#[derive(Debug)]
pub struct Visit {
    connection: Connection,
    safe: TrustedSafe,
}

/// What a safe answered.
#[derive(Debug)]
pub struct Answer {
    /// Authentic: from the safe, to this request.
    pub reply: Reply,
    /// The object behind it, if the reply announces one.
    pub object: Option<Download>,
}

/// What waited in a reply mailbox.
#[derive(Debug)]
pub enum Collected {
    /// The answer, opened.
    Answer(Reply),
    /// Nothing yet; ask again later.
    NotYet(Box<Deposited>),
}

/// A request left at the relay, and what is needed to take up its answer.
#[derive(Debug)]
pub struct Deposited {
    /// The relay's receipt: it holds the envelope durably.
    pub id: EnvelopeId,
    /// The key of the mailbox for the answer.
    pub mailbox: SigningSecret,
    /// Opens the answer.
    pub expect: ExpectReply,
}

impl Visit {
    /// Connects, fetches the safe's records and verifies them against what is known.
    pub async fn begin(
        relay: &RelayAddress,
        inbox: InboxId,
        known: &Known,
        now: Timestamp,
    ) -> Result<Self, VisitError> {
        let connection = Connection::dial(relay, Role::Visitor).await?;
        let records = connection.records(inbox).await?;
        let safe = trust::verify(&records, known, now)?;
        Ok(Self { connection, safe })
    }

    /// The safe, as its verified records say.
    pub fn safe(&self) -> &TrustedSafe {
        &self.safe
    }

    /// Asks live.
    pub async fn ask(&self, draft: &RequestDraft, author: &Author<'_>) -> Result<Answer, VisitError> {
        let (envelope, expect) = seal_request(&self.safe, Lane::Live, draft, author, &mut random::system())?;
        let called = self.connection.call(self.safe.inbox, None, &envelope).await?;
        let mut reply = expect.open(&called.reply)?;
        let object = reply.take_manifest().map(|manifest| Download::new(manifest, called.rest)).transpose()?;
        Ok(Answer { reply, object })
    }

    /// Leaves a request at the relay, with a fresh mailbox for its answer.
    pub async fn deposit(
        &self,
        draft: &RequestDraft,
        author: &Author<'_>,
        ttl: TtlClass,
    ) -> Result<Deposited, VisitError> {
        let mut rng = random::system();
        let mailbox = SigningSecret::generate(&mut rng);
        let reply_mailbox = Some(mailbox.public());
        let lane = Lane::Deposit { ttl, reply_mailbox };
        let (envelope, expect) = seal_request(&self.safe, lane, draft, author, &mut rng)?;
        let deposit = Deposit { to: Destination::Inbox(self.safe.inbox), ticket: None, ttl, reply_mailbox };
        let id = self.connection.deposit(&deposit, &envelope).await?;
        Ok(Deposited { id, mailbox, expect })
    }

    /// Ends the visit.
    pub async fn end(self) {
        self.connection.close().await;
    }
}

impl Deposited {
    /// Takes up the answer over a connection of its own, so that the relay cannot join it with the deposit. The
    /// answer is erased at the relay only after it was opened.
    pub async fn collect(self, relay: &RelayAddress) -> Result<Collected, VisitError> {
        let connection = Connection::dial(relay, Role::Visitor).await?;
        let delivered = connection.fetch_mailbox(&self.mailbox).await?;
        let Some(first) = delivered.into_iter().next() else { return Ok(Collected::NotYet(Box::new(self))) };
        let reply = self.expect.open(&first.envelope)?;
        connection.ack_mailbox(&self.mailbox, vec![first.delivery.id]).await?;
        connection.close().await;
        Ok(Collected::Answer(reply))
    }
}
