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
        let called = self.connection.call(self.safe.inbox(), None, &envelope).await?;
        let mut reply = expect.open(&called.reply)?;
        let object = match reply.take_manifest() {
            Some(manifest) if manifest.answers(&draft.operation) => Some(Download::new(manifest, called.rest)?),
            Some(_) => return Err(VisitError::Open),
            None => None,
        };
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
        let deposit = Deposit { to: Destination::Inbox(self.safe.inbox()), ticket: None, ttl, reply_mailbox };
        let id = self.connection.deposit(&deposit, &envelope).await?;
        Ok(Deposited { id, mailbox, expect })
    }

    /// Ends the visit.
    pub async fn end(self) {
        self.connection.close().await;
    }
}

impl Deposited {
    /// Looks for the answer, over a connection of its own, so that no other request stands beside it; the mailbox
    /// itself tells the relay that this belongs to the deposit. `None` when there is none yet.
    ///
    /// Whatever else lies in the mailbox is erased: the relay can put anything there, and it must not stand before the
    /// answer. The answer is returned even if it could not be erased.
    pub async fn collect(&self, relay: &RelayAddress) -> Result<Option<Reply>, VisitError> {
        let connection = Connection::dial(relay, Role::Visitor).await?;
        let delivered = connection.fetch_mailbox(&self.mailbox).await?;
        let reply = delivered.iter().find_map(|delivered| self.expect.open(&delivered.envelope).ok());
        let ids: Vec<EnvelopeId> = delivered.iter().map(|delivered| delivered.delivery.id).collect();
        if !ids.is_empty() && connection.ack_mailbox(&self.mailbox, ids).await.is_err() {
            tracing::debug!("a collected answer could not be erased at the relay");
        }
        connection.close().await;
        Ok(reply)
    }
}
